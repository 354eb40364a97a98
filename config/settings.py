"""Django's settings, made from the environment (`config.env`). No decision of the product lives here."""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from kombu import Queue
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, parse_url
from redis.retry import Retry

from config import databases, env
from config.deployment import is_deployment

BASE_DIR = env.BASE_DIR
ENV: dict[str, Any] = env.read()
OPTIONS_FROM_ENV: dict[str, Any] = env.read_options()

DATA_DIR: Path = (BASE_DIR / ENV["DATA_DIR"]).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def _kept_secret(name: str, make: Callable[[bytes], str] = bytes.hex, size: int = 48) -> str:
    """A key of so many random bytes, made once and kept in DATA_DIR for the owner's eyes alone."""
    path = DATA_DIR / name
    if not path.exists():
        draft = DATA_DIR / f".{name}.{os.getpid()}"
        with open(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
            file.write(make(os.urandom(size)))
        # A link appears whole or not at all: of two processes that start at once, both read the first one's.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


DEBUG = ENV["DEBUG"]
SECRET_KEY = ENV["SECRET_KEY"] or _kept_secret("secret-key")
# One of https://github.com/fernet/spec, unless the environment brings some.
PROVIDER_SECRET_KEYS: list[str] = ENV["PROVIDER_SECRET_KEYS"] or [
    _kept_secret("provider-secret-key", lambda raw: base64.urlsafe_b64encode(raw).decode(), 32)
]
# Of their own purpose: what signs cookies signs no token.
JWT_SIGNING_KEYS: list[str] = ENV["JWT_SIGNING_KEYS"] or [_kept_secret("jwt-signing-key")]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
DEPLOYED = is_deployment(ALLOWED_HOSTS, machines=ENV["HOSTS"])
CSRF_TRUSTED_ORIGINS = ENV["CSRF_TRUSTED_ORIGINS"]
CSRF_FAILURE_VIEW = "core.handlers.csrf_failed"
TRUSTED_PROXIES: list[str] = ENV["TRUSTED_PROXIES"]
CORS_ALLOWED_ORIGINS: list[str] = ENV["CORS_ALLOWED_ORIGINS"]

INSTALLED_APPS = [
    "config.apps.MarqueeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_eventstream",
    "core",
    "providers",
    "streaming",
    "ingestion",
]

MIDDLEWARE = [
    "core.correlation.Correlate",
    "core.doors.Doorkeeper",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.caching.Cached",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.throttles.Throttle",  # knows who is asking by now, and static files are out of the way
    "core.nul.RefuseNul",
]

ROOT_URLCONF = "config.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = databases.databases(ENV, DATA_DIR)
DATABASE_ROUTERS = ["config.routers.Documents"] if databases.DOCUMENTS in DATABASES else []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENV["REDIS_URL"] or f"unix://{DATA_DIR / 'valkey' / 'valkey.sock'}"
# redis-py would retry for seconds; whoever waits here has a better use for the time than hope.
_NO_RETRY = Retry(NoBackoff(), 0)
REDIS_LIMITS = {"socket_connect_timeout": 2, "socket_timeout": 5, "retry": _NO_RETRY}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "marquee",
        "OPTIONS": REDIS_LIMITS,
    },
    # What a process counts by itself while Redis is away.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}


def _event_bus(url: str) -> dict[str, Any]:
    """The keyword arguments of redis.Redis that django-eventstream wants. It only nudges: fail fast."""
    known: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    kind = known.pop("connection_class", Connection)
    address = {"unix_socket_path": known.pop("path")} if "path" in known else {"ssl": kind is SSLConnection}
    return {**known, **address, "socket_connect_timeout": 0.5, "socket_timeout": 1, "retry": _NO_RETRY}


EVENTSTREAM_REDIS = _event_bus(REDIS_URL)
EVENTSTREAM_CHANNELMANAGER_CLASS = "streaming.events.Channels"

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "marquee:",
    # A run is a row before it is a message, so whoever queues one need not wait for a broker that is away.
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "marquee"
MOVIES_QUEUE = "marquee.movies"
"""Runs of one movie come by the thousand. A tick, which finds those of dead workers, waits behind none of
them: workers take from both queues in turn."""
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in (CELERY_TASK_DEFAULT_QUEUE, MOVIES_QUEUE)]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = sys.maxsize  # which connections a task leaves open is CONN_MAX_AGE's word
CELERY_BEAT_SCHEDULER = "ingestion.beat:Beat"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.tokens.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["core.permissions.Denied"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.Json"],
    "DEFAULT_THROTTLE_RATES": {
        "anon": "600/min",
        "user": "1200/min",
        "login": "10/min",
        "refresh": "60/min",
        "register": "20/hour",
        "recheck": "12/min",
        "report": "12/min",
        "provider-test": "12/min",
    },
    "DEFAULT_THROTTLE_CLASSES": ["core.throttles.PerAddress", "core.throttles.PerAccount"],
    "EXCEPTION_HANDLER": "core.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.Schema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marquee",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": [
        "core.api.openapi.once",
        "streaming.api.event_stream.declare",
        "ingestion.api.metrics.declare",
    ],
    "POSTPROCESSING_HOOKS": ["core.api.openapi.complete"],
    "PATH_CONVERTER_OVERRIDES": {"movie": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # the tests hold the document complete
}
SIMPLE_JWT = {
    "AUTH_TOKEN_CLASSES": ["core.tokens.Access"],
    "SIGNING_KEY": "",  # what `core.tokens` does not sign is not signed
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every session that the old one opened
}
AUTHENTICATION_BACKENDS = ["core.lockout.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.HashedStaticFiles"},
}
WHITENOISE_MANIFEST_STRICT = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT: bool = DEPLOYED and ENV["HTTPS_REDIRECT"]
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)/?$"]  # asked from nearby, past the proxy
SECURE_HSTS_SECONDS: int = ENV["HSTS_SECONDS"] if DEPLOYED else 0
# Whether the names below and beside ours are on HTTPS is not for us to say, and a browser's list is for ever.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = DEPLOYED
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Browsers take a name that begins so from this very host over HTTPS alone: nobody beside or below plants one.
_PREFIX = "__Host-" if DEPLOYED else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_PREFIX}sessionid", f"{_PREFIX}csrftoken"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

_PLAYERS = ("autoplay", "encrypted-media", "fullscreen", "picture-in-picture")
_NOBODYS = (
    *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
    *("magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock"),
    *("serial", "usb", "xr-spatial-tracking"),
)
# What a player needs goes on to embeds: those that `frame-src` lets in, as far as `allow` of a frame says.
PERMISSIONS_POLICY = {**dict.fromkeys(_PLAYERS, "*"), **dict.fromkeys(_NOBODYS, "()")}

TMDB_API_KEY = ENV["TMDB_API_KEY"]
TMDB_BASE_URL = ENV["TMDB_BASE_URL"].rstrip("/")
TMDB_IMAGE_BASE_URL = ENV["TMDB_IMAGE_BASE_URL"].rstrip("/") + "/"
METRICS_TOKEN: str = ENV["METRICS_TOKEN"]
SITE_ORIGIN = ENV["SITE_ORIGIN"].rstrip("/")
LIBRARY_URL = ENV["LIBRARY_URL"].rstrip("/")
HTTP_TRUSTED_ORIGINS: list[str] = ENV["HTTP_TRUSTED_ORIGINS"]
JOB_MODULES: list[str] = ENV["JOB_MODULES"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"correlation": {"()": "core.correlation.Stamp"}},
    "formatters": {
        "plain": {"format": "{asctime} {levelname:<7} {correlation_id} {name}: {message}", "style": "{"}
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["correlation"]}
    },
    "root": {"handlers": ["console"], "level": ENV["LOG_LEVEL"]},
    "loggers": {"django.request": {"level": "ERROR"}},
}
