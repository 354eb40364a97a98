"""Providers in the admin: how each is doing, and what an operator sets."""

from providers.admin import providers

__all__ = ["providers"]
