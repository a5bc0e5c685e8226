"""A data directory of its own for each test, which the routes find like a server does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.studies.responses import StudyRecord, StudyStore
from tests.web.studies.participants import kept, short, store_at


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudyStore]:
    monkeypatch.setenv("DECAM_DATA", str(tmp_path))
    monkeypatch.delenv("DECAM_DATABASE_URL", raising=False)
    made = store_at(tmp_path)
    yield made
    made.close()


@pytest.fixture
def record(store: StudyStore) -> StudyRecord:
    """A study of three forced choices and what belongs around them, as a draft that the researcher rehearses."""
    return kept(store, short())
