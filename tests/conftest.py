"""Shared by all tests: hypothesis without deadlines, since the machine may be busy."""

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.load_profile("default")
