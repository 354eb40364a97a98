"""Settings of a process that joins a test: those of the test's own, on the databases that it works on.

The test's environment is inherited, so that data folder and servers are the same.
"""

import json
import os

from config.settings import *  # noqa: F403

for _alias, _name in json.loads(os.environ["TEST_CHILD_DATABASES"]).items():
    DATABASES[_alias]["NAME"] = _name  # noqa: F405
