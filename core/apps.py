from typing import Any

from django.apps import AppConfig
from django.db import router
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Settings"

    def ready(self) -> None:
        from core import accounts
        from core.audit import accounts as audited

        post_migrate.connect(_make_groups, dispatch_uid="core.groups")
        accounts.connect()
        audited.connect()


def _make_groups(*, app_config: AppConfig, using: str, **signal: Any) -> None:
    """The roles' groups come with the tables that hold them, in whichever database that is."""
    if app_config.name != "django.contrib.auth":
        return
    from django.contrib.auth.models import Group

    from core import doors
    from core.roles import Role

    if router.allow_migrate_model(using, Group):
        with doors.nobodys():  # there may be no table yet to write it down in
            for role in Role:
                Group.objects.using(using).get_or_create(name=role.value)
