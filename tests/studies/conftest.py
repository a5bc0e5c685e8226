"""Studies in a store of their own, on SQLite or PostgreSQL, at a time that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.studies.responses import StudyStore
from decam.studies.sessions import Sessions
from tests.studies.taking_part import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, url: str, clock: Clock) -> Iterator[StudyStore]:
    made = StudyStore(tmp_path / "data", url, clock)
    yield made
    made.close()


@pytest.fixture
def sessions(store: StudyStore, clock: Clock) -> Sessions:
    return Sessions(store, clock)
