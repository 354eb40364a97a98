"""Starts, watches and stops the processes of Marquee on one machine (`make run`).

Nothing of the product happens here, and the product imports nothing of it.
"""
