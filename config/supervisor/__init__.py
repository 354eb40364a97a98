"""Starts, watches and stops the processes of Marquee on one machine: `python -m config.supervisor` is `make run`.

Nothing of the product happens here, and nothing here is imported by it.
"""
