"""Runs on a store of their own, and a method that waits until it is let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.methods import METHODS
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import Gate, colours


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
