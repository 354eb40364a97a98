"""Every URL of Marquee. Paths work with and without a trailing slash."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
