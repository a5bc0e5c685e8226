"""Exports in folders: whole or absent, and nothing of a stranger's is touched."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from decam.errors import StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice
from decam.export import check_folder, files, write
from decam.export import folder as folder_module
from decam.export.folder import earlier_files
from decam.methods import METHODS


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder).as_posix()): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_new_folder_gets_exactly_the_files_of_the_export(grid: Grid, tmp_path: Path):
    folder = tmp_path / "new" / "deeper"
    paths = write(grid, folder)
    assert _tree(folder) == dict(files(grid))
    assert set(paths) == {path for path in folder.rglob("*") if path.is_file()}


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(grid: Grid, tmp_path: Path):
    (tmp_path / "README.txt").write_text("mine")
    with pytest.raises(StoreError, match="is not empty"):
        write(grid, tmp_path)
    assert _tree(tmp_path) == {"README.txt": b"mine"}


@pytest.mark.parametrize("settings", ["", "[]", "{}", '{"kind": "other"}', '{"kind": "decam export"}', "\xff"])
def test_somebody_elses_settings_are_not_taken_for_an_export(grid: Grid, tmp_path: Path, settings: str):
    (tmp_path / "settings.json").write_text(settings, encoding="latin-1")
    with pytest.raises(StoreError, match="is not empty"):
        write(grid, tmp_path)
    assert (tmp_path / "settings.json").read_text(encoding="latin-1") == settings


@pytest.mark.slow
def test_an_earlier_export_is_replaced_without_remains_and_other_files_stay(grid: Grid, tmp_path: Path):
    write(grid, tmp_path)
    (tmp_path / "maps" / "notes.md").write_text("mine")
    key = CellKey(0, 0)
    smaller = dataclasses.replace(grid, cells={one: Cell() for one in grid.cells} | {key: grid.cells[key]})
    assert check_folder(tmp_path) is True
    write(smaller, tmp_path)
    assert _tree(tmp_path) == {**dict(files(smaller)), "maps/notes.md": b"mine"}


@pytest.mark.slow
def test_an_earlier_export_with_dots_in_its_names_leaves_no_remains(grid: Grid, tmp_path: Path):
    first, *others = grid.plan.pictures
    dotted = dataclasses.replace(first, name="a..b ... c.png")
    write(grid.with_plan(dataclasses.replace(grid.plan, pictures=(dotted, *others))), tmp_path)
    assert (tmp_path / "pictures" / "01_a..b-...-c.png").is_file()
    write(grid, tmp_path)
    assert _tree(tmp_path) == dict(files(grid))


@pytest.mark.slow
def test_every_file_of_an_export_is_known_again_whatever_its_methods_are_called(
    grid: Grid, of_classes: Grid, tmp_path: Path
):
    explanation = grid.cells[CellKey(0, 0)].explanation
    assert explanation is not None
    plan = dataclasses.replace(grid.plan, methods=tuple(map(MethodChoice.default, METHODS)), metrics=())
    cells = {
        CellKey(0, place): Cell().explained(dataclasses.replace(explanation, method=one.name, settings=one.settings))
        for place, one in enumerate(plan.methods)
    }
    of_pictures = dataclasses.replace(grid, plan=plan, cells=cells)
    for number, made in enumerate((of_pictures, of_classes)):
        folder = tmp_path / str(number)
        write(made, folder)
        assert set(earlier_files(folder)) == set(_tree(folder))


@pytest.mark.slow
def test_names_in_an_edited_settings_file_never_lead_outside_the_folder(grid: Grid, tmp_path: Path):
    folder, precious = tmp_path / "export", tmp_path / "precious.txt"
    precious.write_text("keep")
    write(grid, folder)
    settings = json.loads((folder / "settings.json").read_text())
    settings["files"] += ["../precious.txt", str(precious), "maps/../../precious.txt", "..", ".", "maps/..", 7]
    (folder / "settings.json").write_text(json.dumps(settings))
    write(grid, folder)
    assert precious.read_text() == "keep"


def test_an_empty_folder_will_do_and_checking_leaves_nothing_behind(tmp_path: Path):
    assert check_folder(tmp_path) is False
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_sentence(grid: Grid, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written to"):
        write(grid, tmp_path / "file" / "folder")


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_no_settings_that_claim_the_export_is_whole(
    grid: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(grid, tmp_path)
    real = folder_module.write_atomically

    def full(path: Path, content: bytes) -> None:
        if path.name == "curves.csv":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(folder_module, "write_atomically", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write(grid, tmp_path)
    assert not (tmp_path / "settings.json").exists()
    assert not list(tmp_path.rglob("*.part"))
