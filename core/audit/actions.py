"""The closed vocabulary of what is audited. Pure.

The word before the dot is what kind of thing it is done to; the act's key says which one.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """Who adds a way of writing something adds its action here, and records it (`core.audit.act`)."""

    MOVIE_ADD = "movie.add"
    MOVIE_EDIT = "movie.edit"
    MOVIE_WITHDRAW = "movie.withdraw"
    MOVIE_RESTORE = "movie.restore"
    MOVIE_ACTIVATE = "movie.activate"
    MOVIE_ROLLBACK = "movie.rollback"
    MOVIE_SUPPRESS = "movie.suppress"
    MOVIE_RELEASE = "movie.release"
    MOVIE_RECHECK = "movie.recheck"

    PROVIDER_ADD = "provider.add"
    PROVIDER_CHANGE = "provider.change"
    PROVIDER_TEST = "provider.test"
    PROVIDER_RESET = "provider.reset"
    PROVIDER_RECHECK = "provider.recheck"
    PROVIDER_BELIEVE = "provider.believe"
    PROVIDER_ROTATE_KEYS = "provider.rotate_keys"

    JOB_START = "job.start"
    RUN_CANCEL = "run.cancel"
    SCHEDULE_CHANGE = "schedule.change"
    SCHEDULE_INITIALIZE = "schedule.initialize"

    SETTING_CHANGE = "setting.change"
    SETTING_RESET = "setting.reset"
    SETTING_REVERT = "setting.revert"

    ACCOUNT_ADD = "account.add"
    ACCOUNT_CHANGE = "account.change"
    ACCOUNT_PASSWORD = "account.password"
    ACCOUNT_DELETE = "account.delete"
    ACCOUNT_LOGIN = "account.login"
    ACCOUNT_LOGIN_FAILED = "account.login_failed"
    ACCOUNT_LOGOUT = "account.logout"
    ACCOUNT_TOKEN_REUSED = "account.token_reused"
    GROUP_ADD = "group.add"
    GROUP_CHANGE = "group.change"
    GROUP_DELETE = "group.delete"

    SYSTEM_SETUP = "system.setup"
    SYSTEM_INGEST = "system.ingest"
    AUDIT_EXPORT = "audit.export"

    @property
    def kind(self) -> str:
        """What sort of thing it is done to: "movie", "setting", …"""
        return self.value.partition(".")[0]
