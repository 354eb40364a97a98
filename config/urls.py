"""Every URL of Marquee. Paths work with and without a trailing slash."""

from django.contrib import admin
from django.urls import include, path, re_path

from core.api.nowhere import Nowhere
from streaming import pages

handler400 = "core.handlers.bad_request"
handler403 = "core.handlers.permission_denied"
handler404 = "streaming.pages.page_not_found"
handler500 = "core.handlers.server_error"

urlpatterns = [
    path("", pages.catalogue, name="catalogue"),
    re_path(r"^watch/(?P<movie_id>[1-9]\d{0,8})/?$", pages.watch, name="watch"),
    path("admin/", admin.site.urls),
    path("", include("core.api.urls")),
    path("", include("providers.api.urls")),
    path("", include("streaming.api.urls")),
    path("", include("ingestion.api.urls")),
    re_path(r"^api(/|$)", Nowhere.as_view()),
]
