"""A simulated day of Marquee: its own tasks, ORM and switching, in a world that fails a fifth of all calls.

Replaced are the clock, the peers on the wire, and nothing else. Nothing here is random but by its seed.
"""
