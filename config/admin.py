"""The admin site: Django's own, with our name, our theme and a first page that says how things are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from core.roles import Role, has_role


class MarqueeAdminSite(admin.AdminSite):
    site_header = "Marquee"
    site_title = "Marquee admin"
    index_title = "Back office"
    enable_nav_sidebar = False

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from ingestion.admin import overview  # the apps are not ready when the site is made

        known = overview.context(timezone.now()) if has_role(request.user, Role.VIEWER) else {}
        return super().index(request, {**known, **(extra_context or {})})
