"""The demo origin: openly licensed films with generated clips, served as TMDB and a library would serve them.

It stands apart: standard library only, no import of Django or of a package of the product.
"""
