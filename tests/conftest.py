"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# Neither a busy machine nor a loop that is compiled at its first call is a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
