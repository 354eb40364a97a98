"""The web process: event streams on the event loop, all of Django behind them in a few threads.

Django's own ASGI handler takes a thread per request and is slower than its WSGI handler in a pool.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_wsgi = get_wsgi_application()

from django.conf import settings  # noqa: E402 - needs the line above, as do the next

from config.cors import Cors  # noqa: E402
from config.edge import Headers, OneHost, Proxies  # noqa: E402
from config.intake import Intake  # noqa: E402
from config.probes import Probes  # noqa: E402
from config.safety import refuse_to_start  # noqa: E402
from core import addresses  # noqa: E402
from ingestion import metrics, registry  # noqa: E402
from streaming.live.app import LiveApp  # noqa: E402
from streaming.live.hub import Hub  # noqa: E402

WORKERS = 8

registry.refuse_faults()
refuse_to_start()


def _threads(workers: int) -> Intake:
    return Intake(django_wsgi, workers=workers, max_body_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


hub = Hub(redis=settings.EVENTSTREAM_REDIS)
metrics.of_this_process(
    "marquee_event_streams_open", "Event streams of this process.", lambda: hub.open_streams
)
served = Probes(
    LiveApp(_threads(WORKERS), hub),
    apart={"/readyz": _threads(2), "/metrics": _threads(1)},
)
application = Proxies(
    Headers(OneHost(Cors(served, settings.CORS_ALLOWED_ORIGINS))),
    addresses.networks(settings.TRUSTED_PROXIES),
)
