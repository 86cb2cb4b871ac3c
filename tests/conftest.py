"""Shared by all tests: hypothesis without deadlines, since the machine may be busy, and the same examples each time."""

from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True)
settings.load_profile("default")


def pytest_addoption(parser):
    parser.addoption("--renew-golden", action="store_true", help="take the pictures in tests/e2e/golden anew")
