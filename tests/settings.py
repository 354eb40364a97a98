"""Django's settings under test: a data folder of this process alone, nothing of the developer's environment.

Each xdist worker is a process: each has its own folder, and its own Valkey at the socket that settings name.
"""

import atexit
import os
from contextlib import ExitStack

from config import env
from core import options
from tests.folders import temporary

_open = ExitStack()
atexit.register(_open.close)
DATA_FOLDER = str(_open.enter_context(temporary()))
# What a `.env` file sets is shadowed as well.
for _variable in env.VARIABLES:
    _default = _variable.default
    os.environ[_variable.name] = ",".join(_default) if isinstance(_default, list) else str(_default)
for _name in options.NAMES:
    os.environ[_name] = ""
os.environ["DATA_DIR"] = DATA_FOLDER
os.environ["CORS_ALLOWED_ORIGINS"] = "https://app.example.org"  # as docs/api.md has it
os.environ["DATABASE_TIMEOUT_S"] = "60"  # a slow machine is no outage
# Which databases the suite runs on (`make test DB=...`); SQLite unless told otherwise.
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["MONGODB_URI"] = os.environ.get("TEST_MONGODB_URI", "")

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # tests sign in often; the hash proves nothing

# A file, as in life: threads of one process cannot share SQLite in memory without locking each other out.
if not os.environ["DATABASE_URL"]:
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA_FOLDER}/test.sqlite3"}  # noqa: F405
# Pages render without a collectstatic before: names are plain, files come from where they are written.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405 - WhiteNoise warns of a folder that is missing, and a warning fails a test
