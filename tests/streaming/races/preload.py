"""What the processes of these tests have loaded when they are forked: everything, and no connection."""

import os
from importlib import import_module

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.streaming.races.child_settings"
django.setup()
for _module in ("processes", "moments", "verbs"):
    import_module(f"tests.streaming.races.{_module}")
import_module("django.db").connections.all()  # the backends' modules: MongoDB's take longest of all
