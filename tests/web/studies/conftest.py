"""A data directory of its own for each test, which the routes find like a server does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.studies.responses import StudyRecord, StudyStore
from tests.web.studies.participants import kept, short


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose tables are made, to be copied: making them takes longer than a test."""
    made = tmp_path_factory.mktemp("empty")
    store = StudyStore(made)
    assert store.recent() == []
    store.close()
    return made


@pytest.fixture
def store(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudyStore]:
    """The store of a new data directory."""
    place = tmp_path / "data"
    shutil.copytree(empty, place)
    monkeypatch.setenv("DECAM_DATA", str(place))
    monkeypatch.delenv("DECAM_DATABASE_URL", raising=False)
    made = StudyStore(place)
    yield made
    made.close()


@pytest.fixture
def record(store: StudyStore) -> StudyRecord:
    """A study of three forced choices and what belongs around them, as a draft that the researcher rehearses."""
    return kept(store, short())
