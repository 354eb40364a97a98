from django.contrib.admin.apps import AdminConfig


class MarqueeAdminConfig(AdminConfig):
    """Django's admin under Marquee's name and theme."""

    default_site = "config.admin.MarqueeAdminSite"
