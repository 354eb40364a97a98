from core.routes import both
from streaming.api.views import ActiveStream, StreamVersions, Switches

urlpatterns = [
    *both("api/movies/<movie:movie_id>/active-stream", ActiveStream.as_view(), "active-stream"),
    *both("api/movies/<movie:movie_id>/stream-versions", StreamVersions.as_view(), "stream-versions"),
    *both("api/movies/<movie:movie_id>/switches", Switches.as_view(), "switches"),
]
