from django.contrib.admin.apps import AdminConfig


class MarqueeAdminConfig(AdminConfig):
    """Django's admin under Marquee's name and theme."""

    default_site = "config.admin.MarqueeAdminSite"

    def ready(self) -> None:
        super().ready()
        from config import checks, safety  # noqa: F401 - to import them is to register them
