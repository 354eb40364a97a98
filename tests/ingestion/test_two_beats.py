"""Real beats: each window fires once while they are killed, frozen and thawed; a changed cron is followed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.env import BASE_DIR
from config.supervisor import children, processes
from tests import databases, folders, servers
from tests.browser import backstage
from tests.browser.backstage import Backstage

pytestmark = [pytest.mark.servers, pytest.mark.rows]

DAILY = ["content.refresh", "content.reverify", "maintenance.prune", "policy.apply", "tmdb.discover"]
PREPARE = """
from datetime import UTC, timedelta
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
far = timezone.now() + timedelta(hours=12)
daily = CrontabSchedule.objects.create(minute=far.minute, hour=far.hour, timezone=UTC)
PeriodicTask.objects.exclude(name='maintenance.tick').update(crontab=daily)
"""
"""No window but the tick's comes while the test runs."""
OWED = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from ingestion.models import IngestRun, Slot
IngestRun.objects.all().delete()
Slot.objects.all().delete()
long_ago = timezone.now() - timedelta(days=400)
PeriodicTask.objects.update(last_run_at=long_ago, date_changed=long_ago, total_run_count=0)
"""
"""Every job has missed a hundred windows and more, and none is on record."""

MOVED = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from core import conf
from ingestion.models import IngestRun, Slot
IngestRun.objects.all().delete()
Slot.objects.all().delete()
now = timezone.now()
PeriodicTask.objects.filter(name='content.reverify').update(enabled=False)
PeriodicTask.objects.update(last_run_at=now - timedelta(hours=2))
PeriodicTask.objects.filter(name='maintenance.tick').update(last_run_at=now)
past = now - timedelta(hours=1)
for setting in ('INGEST_REFRESH_CRON', 'INGEST_REVERIFY_CRON'):
    conf.change(setting, f'{past.minute} {past.hour} * * *', by='ada', at=now)
"""
"""The windows of two jobs come to lie where they have just been missed; one of these is switched off."""
SEEN = """
from collections import Counter
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from ingestion.models import IngestRun
rows = PeriodicTask.objects.exclude(name='maintenance.tick')
jobs = IngestRun.objects.exclude(job='maintenance.tick').values_list('job', flat=True)
result = {
    'owed': PeriodicTask.objects.filter(last_run_at__lt=timezone.now() - timedelta(days=1)).count(),
    'runs': dict(Counter(jobs)),
    'noted': dict(rows.values_list('name', 'total_run_count')),
}
"""


@dataclass
class Beats:
    """Two beats of one installation."""

    env: dict[str, str]
    folder: Path
    backstage: Backstage
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / f"beat-{len(self.running)}.log").open("wb") as output:
            often = [*processes.beat(), "--max-interval", "1"]
            beat = children.spawn(often, env=self.env, cwd=BASE_DIR, output=output)
        self.running.append(beat)
        return beat

    def fired_once(self) -> None:
        """Wait until nothing is owed; every job but the tick has then one run."""
        self.until(lambda: self.backstage.run(SEEN)["owed"] == 0)
        once = dict.fromkeys(DAILY, 1)
        assert self.backstage.run(SEEN) == {"owed": 0, "runs": once, "noted": once}

    def until(self, condition: Callable[[], object]) -> None:
        try:
            servers.eventually(condition, 60)
        except BaseException:
            logs = [path.read_text()[-1500:] for path in sorted(self.folder.glob("beat-*.log"))]
            pytest.fail("\n".join(["not within a minute", *logs]))


@contextmanager
def installation() -> Iterator[Beats]:
    with folders.temporary() as folder, databases.fresh() as where:
        env: dict[str, Any] = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "REDIS_URL": ""}
        env |= {"DATA_DIR": str(folder), "PYTHONPATH": str(BASE_DIR), **where}
        setup = processes.manage("setup")
        subprocess.run(setup, env=env, cwd=BASE_DIR, check=True, capture_output=True, timeout=120)
        with backstage.running(env) as stage:
            beats = Beats(env, folder, stage)
            try:
                yield beats
            finally:
                for beat in beats.running:
                    children.kill(beat)
                    beat.wait(10)


def test_two_beats_fire_each_window_once_whatever_happens_to_one() -> None:
    with installation() as beats:
        (beats.folder / "valkey").mkdir(exist_ok=True)
        beats.backstage.run(PREPARE + OWED)
        first, second = (
            beats.start(),
            beats.start(),
        )  # the broker is away: a run is a row before it is a message
        beats.fired_once()
        with servers.valkey(beats.folder / "valkey"):
            for _ in range(5):
                beats.backstage.run(OWED)
                beats.fired_once()
            first.send_signal(signal.SIGSTOP)
            beats.backstage.run(OWED)
            beats.fired_once()
            first.send_signal(signal.SIGCONT)
            second.kill()
            second.wait(10)
            beats.backstage.run(OWED)
            beats.fired_once()
            assert first.poll() is None
            third = beats.start()
            first.send_signal(signal.SIGTERM)
            assert first.wait(20) == 0
            beats.backstage.run(OWED)
            beats.fired_once()
            assert third.poll() is None


def test_a_beat_that_runs_follows_a_changed_cron_and_leaves_off_what_is_switched_off() -> None:
    with installation() as beats:
        beats.backstage.run(PREPARE + OWED)
        beat = beats.start()
        beats.fired_once()
        beats.backstage.run(MOVED)
        # The run is written first and noted after it: between the two both are as they should be.
        beats.until(lambda: sum(beats.backstage.run(SEEN)["noted"].values()) > len(DAILY))
        noted = {**dict.fromkeys(DAILY, 1), "content.refresh": 2}
        assert beats.backstage.run(SEEN) == {"owed": 0, "runs": {"content.refresh": 1}, "noted": noted}
        assert beat.poll() is None
