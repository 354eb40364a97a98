"""What the processes of these tests have loaded when they are forked: Django, and no connection of it."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.streaming.races.child_settings"
django.setup()
