"""What core tells whoever listens, since it may import nobody."""

from django.dispatch import Signal

setting_changed = Signal()
"""A runtime setting was changed or reset (`core.conf`); `name` is its name."""
