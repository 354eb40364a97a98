"""Every URL of Marquee. Paths work with and without a trailing slash."""

from django.contrib import admin
from django.urls import include, path, re_path

from streaming import pages

handler404 = "streaming.pages.page_not_found"

urlpatterns = [
    path("", pages.catalogue, name="catalogue"),
    re_path(r"^watch/(?P<movie_id>[1-9]\d{0,8})/?$", pages.watch, name="watch"),
    path("admin/", admin.site.urls),
    path("", include("core.api.urls")),
    path("", include("streaming.api.urls")),
]
