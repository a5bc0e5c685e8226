"""Runs on a store of their own, on SQLite or PostgreSQL, and a method that waits until it is let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.methods import METHODS
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import Gate, colours
from tests.tools import postgresql as tools


@pytest.fixture(scope="session")
def postgresql() -> Iterator[tools.PostgreSQL]:
    """A server of its own; without one its tests are skipped."""
    programs = tools.find()
    if programs is None:
        pytest.skip("there is no PostgreSQL here: install it (Debian: apt-get install postgresql)")
    server = tools.PostgreSQL(programs)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """Where a store keeps its rows: empty for the file in its directory, or a new database of a server."""
    if request.param == "sqlite":
        return ""
    server: tools.PostgreSQL = request.getfixturevalue("postgresql")
    return server.make_database()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(Store(tmp_path / "data"), colours)
    yield made
    made.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Makes "occlusion" a method that waits; cells before it are finished when it shows its first event."""
    made = Gate()
    monkeypatch.setitem(METHODS, "occlusion", dataclasses.replace(METHODS["occlusion"], run=made.run))
    yield made
    made.open()
