"""A data directory that cannot be written, or is damaged: a sentence, and the work goes on where it can."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.pages.visitor import Visitor


def quick_run(visitor: Visitor) -> str:
    """A run of two pictures that costs nothing."""
    visitor.sample("scene-star", "scene-arrow").methods("random", "centre").quick()
    run = visitor.explain()
    visitor.finish()
    return run


def change_plan(directory: Path, change: Callable[[str], str]) -> None:
    """Change the plans of all runs behind the server's back."""
    with closing(sqlite3.connect(directory / "runs.sqlite")) as database, database:
        plans = database.execute("SELECT id, plan FROM runs").fetchall()
        database.executemany("UPDATE runs SET plan = ? WHERE id = ?", [(change(plan), run) for run, plan in plans])


@pytest.fixture
def unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that cannot be made, for its parent is a file: that stops the superuser too."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("DECAM_DATA", str(tmp_path / "file" / "data"))
    return tmp_path / "file" / "data"


def test_where_nothing_can_be_written_the_page_says_so_and_still_explains(unwritable: Path, server: Path) -> None:
    assert server != unwritable
    visitor = Visitor()
    assert visitor.says(str(unwritable), "Cannot write", "DECAM_DATA")
    run = quick_run(visitor)
    assert visitor.status.startswith("Finished")
    assert visitor.states() == {"done"}
    assert visitor.look().recent == [run]
    assert Visitor(run).grid == visitor.grid, "its link works as long as the server runs"


def test_a_run_that_cannot_be_kept_says_so_beside_it(unwritable: Path, server: Path) -> None:
    assert server != unwritable
    visitor = Visitor()
    quick_run(visitor)
    assert any("Cannot write" in text for text in visitor.app.main.warning.values)


@pytest.mark.parametrize(
    "content", [b"This is no database, but it is long enough to be one. " * 40, b"SQLite format 3\0"]
)
def test_a_damaged_database_is_told_and_the_page_goes_on(server: Path, content: bytes) -> None:
    server.mkdir()
    (server / "runs.sqlite").write_bytes(content)
    visitor = Visitor("some-run")
    assert str(server / "runs.sqlite") in visitor.errors[0]
    visitor.press("leave-run")
    quick_run(visitor)
    assert visitor.states() == {"done"}
    assert (server / "runs.sqlite").read_bytes() == content, "what is left of the old runs is not touched"


def test_a_database_of_a_newer_version_is_told(server: Path) -> None:
    server.mkdir()
    with closing(sqlite3.connect(server / "runs.sqlite")) as database:
        database.execute("PRAGMA user_version = 999")
    assert Visitor().says("newer decam", "update decam")


def test_a_run_whose_pictures_are_damaged_says_so_and_leads_on(server: Path, restart: Callable[[], None]) -> None:
    run = quick_run(Visitor())
    restart()
    (server / "runs" / run / "view-00.png").write_bytes(b"rubbish")
    visitor = Visitor(run)
    assert visitor.says("view-00.png", "missing or damaged")
    assert visitor.recent == [run]
    assert visitor.press("leave-run").alerts == []


def test_a_damaged_map_costs_its_own_cell(server: Path, restart: Callable[[], None]) -> None:
    run = quick_run(Visitor())
    restart()
    (server / "runs" / run / "map-00-00.npz").write_bytes(b"rubbish")
    visitor = Visitor(run)
    assert visitor.cell("Random map")["state"] == "failed"
    assert "map-00-00.npz is missing or damaged" in visitor.cell("Random map")["error"]
    assert visitor.cell("Centre Gaussian")["state"] == visitor.cell("Random map", 1)["state"] == "done"
    for tab in ("Convergence", "Curves", "Metrics", "Export"):
        visitor.tab(tab)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda plan: plan[:50], "These settings are not JSON"),
        (lambda plan: plan.replace('"random"', '"entropy"'), "There is no method 'entropy'"),
        (lambda plan: plan.replace('"steps": 5', '"steps": -3'), "steps is -3"),
    ],
    ids=["not JSON", "unknown method", "out of bounds"],
)
def test_a_plan_that_cannot_be_read_is_told(
    server: Path, restart: Callable[[], None], change: Callable[[str], str], sentence: str
) -> None:
    run = quick_run(Visitor())
    restart()
    change_plan(server, change)
    visitor = Visitor(run)
    assert visitor.says(sentence)
    assert visitor.offers("leave-run")
    assert visitor.delete(run).recent == []
