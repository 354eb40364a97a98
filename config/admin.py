"""The admin site: Django's own, with our name on it. What it shows is registered by the apps."""

from django.contrib import admin


class MarqueeAdminSite(admin.AdminSite):
    site_header = "Marquee"
    site_title = "Marquee admin"
    index_title = "Back office"
    enable_nav_sidebar = False
