"""What core tells whoever listens, since it may import nobody."""

from django.dispatch import Signal

setting_changed = Signal()
"""A runtime setting was changed, reset or reverted (`core.conf`): its `name`, `by` whom and `at` what time.

Sent again when somebody says once more what holds already: what was not acted on then is acted on now.
"""
