from core.routes import both
from streaming.api.movies import MovieDetail, MovieList
from streaming.api.views import ActiveStream, StreamVersions, Switches

urlpatterns = [
    *both("api/movies", MovieList.as_view(), "movies"),
    *both("api/movies/<movie:movie_id>", MovieDetail.as_view(), "movie"),
    *both("api/movies/<movie:movie_id>/active-stream", ActiveStream.as_view(), "active-stream"),
    *both("api/movies/<movie:movie_id>/stream-versions", StreamVersions.as_view(), "stream-versions"),
    *both("api/movies/<movie:movie_id>/switches", Switches.as_view(), "switches"),
]
