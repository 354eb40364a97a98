"""Which jobs there are. Each is declared once, with `@job`; tasks, schedule, API and admin read `JOBS`.

Nothing runs here, and no database is asked. Ours are in `ingestion.jobs`; JOB_MODULES names an operator's.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from core import options
from core.options import Options
from ingestion.models import JOB_NAME_CHARS

if TYPE_CHECKING:
    from ingestion.reports import Work

logger = logging.getLogger(__name__)

_NAME = re.compile(r"(?!celery\.)[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")


TIME_LIMIT = timedelta(hours=6)
"""Of a job that says nothing else, or is no more."""


class BadJob(ValueError):
    """A job that was declared as it cannot be. The message says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job: its name, what it does in one sentence, and its work. Raises BadJob.

    `cron` is five columns in UTC, or the name of the setting that holds them; without one it runs only when
    asked. A job that `takes_movie` can be asked for one movie, by its id; it then has a slot for each.
    One attempt may take as long as `time_limit`.
    """

    name: str
    about: str
    work: Work
    cron: str = ""
    takes_movie: bool = False
    time_limit: timedelta = TIME_LIMIT

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > JOB_NAME_CHARS:
            allowed = f"at most {JOB_NAME_CHARS} characters, lower-case words with dots between them"
            raise BadJob(
                f"A job's name is {allowed}, such as house.gaps, and not Celery's; {self.name[:60]!r} is not."
            )
        if not self.about.strip():
            raise BadJob(f"{self.name} has to say in one sentence what it does.")
        if self.time_limit <= timedelta(0):
            raise BadJob(f"{self.name} may take {self.time_limit}: that is no time at all.")
        if not _is_cron(self.cron):
            allowed = f"{options.CRON.allowed}, or the name of a setting that holds them"
            raise BadJob(f"The cron of {self.name} is {allowed}; {self.cron[:60]!r} is not.")

    def cron_under(self, values: Options) -> str:
        """The cron columns in force; "" for a job that runs only when asked."""
        setting = options.NAMES.get(self.cron)
        return str(getattr(values, setting)) if setting else self.cron


JOBS: dict[str, JobSpec] = {}
"""Every job by its name, ours first. `job` writes it, and nobody else."""

faults: dict[str, str] = {}
"""The modules of JOB_MODULES that cannot be imported, and why."""


def job(
    name: str,
    about: str,
    *,
    cron: str = "",
    takes_movie: bool = False,
    time_limit: timedelta = TIME_LIMIT,
) -> Callable[[Work], Work]:
    """Declare a function to be the work of a job (see `JobSpec`). Raises BadJob."""

    def declare(work: Work) -> Work:
        if taken := JOBS.get(name):
            raise BadJob(f"There is a job {name} already, in {taken.work.__module__}.")
        spec = JobSpec(
            name=name, about=about, work=work, cron=cron, takes_movie=takes_movie, time_limit=time_limit
        )
        JOBS[spec.name] = spec
        return work

    return declare


def time_limit_of(name: str) -> timedelta:
    """How long one attempt at a job may take."""
    spec = JOBS.get(name)
    return spec.time_limit if spec else TIME_LIMIT


def load(modules: Iterable[str]) -> None:
    """Import the modules that declare jobs. What cannot be imported is a fault, for a check to tell."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever an operator's file may raise
            logger.exception("%s, of JOB_MODULES, cannot be imported", module)
            faults[module] = f"{type(error).__name__}: {error}"


def refuse_faults() -> None:
    """Raises ImproperlyConfigured, naming the module: a process without all its jobs would lose some."""
    for module, why in faults.items():
        raise ImproperlyConfigured(f"JOB_MODULES names {module}, which cannot be imported: {why}")


def _is_cron(cron: str) -> bool:
    if cron in options.NAMES:
        return options.kind_of(cron) is options.CRON
    try:
        return not cron or bool(options.CRON.parse(cron))
    except ValueError:
        return False
