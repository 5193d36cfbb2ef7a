"""Hypothesis as these tests want it."""

from hypothesis import settings

# A deadline per example measures how busy the machine is, not the product.
settings.register_profile("coexist", deadline=None)
settings.load_profile("coexist")
