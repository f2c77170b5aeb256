"""The tiny study, run once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies.vision.tiny import Tiny, make_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A small study of digits that was really run."""
    return make_tiny(tmp_path_factory.mktemp("vision"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these tests go to one worker (`--dist loadgroup`), so that the tiny study is run once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("vision"))
