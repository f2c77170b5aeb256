"""The tiny study, run once for all tests."""

from __future__ import annotations

import pytest
from tests.studies.vision.tiny import Tiny, make_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A small study of digits that was really run."""
    return make_tiny(tmp_path_factory.mktemp("vision"))
