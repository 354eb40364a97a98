"""What it means to be refused. Pure."""

from __future__ import annotations


class Refusal(Exception):
    """No, and nothing was written. The message says why, to a person."""
