"""Stimuli of a run: areas counted in the written files, codes that tell nothing, the same bytes again, bad input."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam import export
from decam.errors import SettingError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MethodChoice
from decam.export.stimulus_set import FIRST, OTHERS, codes_of
from decam.figures.stimulus import Display
from decam.models.catalogue import title_of

QUICK = Display(size=128)
COVER = (128, 128, 128)


def files(grid: Grid, display: Display = QUICK, seed: int = 0) -> Mapping[str, bytes]:
    return dict(export.stimulus_files(grid, display, seed))


def manifest(content: Mapping[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content["manifest.csv"].decode())))


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.slow
@pytest.mark.parametrize("area", [5, 10, 20])
def test_the_area_counted_in_each_written_file_is_the_wanted_one_to_a_pixel(grid: Grid, area: int, tmp_path) -> None:
    display = Display(view="area", area=area, size=128)
    assert export.write_stimuli(grid, tmp_path, display) == 12
    rows = manifest({"manifest.csv": (tmp_path / "manifest.csv").read_bytes()})
    for row in rows:
        picture = pixels((tmp_path / row["file"]).read_bytes())
        counted = sum(tuple(pixel) != COVER for pixel in picture.reshape(-1, 3).tolist())
        assert counted == round(area / 100 * picture.shape[0] * picture.shape[1])
        assert float(row["area got"]) == pytest.approx(counted / picture[..., 0].size, rel=1e-8)
        assert float(row["area wanted"]) == area / 100
        assert row["limit low"] == row["limit high"] == ""


@pytest.mark.slow
def test_every_finished_map_is_one_stimulus_of_one_size_whose_row_says_what_it_is(grid: Grid) -> None:
    content = files(grid)
    rows = manifest(content)
    assert {row["file"] for row in rows} == {name for name in content if name.endswith(".png")}
    assert {Image.open(io.BytesIO(content[row["file"]])).size for row in rows} == {(128, 128)}
    wanted = sorted(
        (grid.plan.picture_of(key.question).name, cell.explanation.method, str(cell.explanation.seed))
        for key, cell in grid.cells.items()
        if cell.explanation is not None
    )
    assert sorted((row["picture"], row["method"], row["seed"]) for row in rows) == wanted
    for row in rows:
        assert hashlib.sha256(content[row["file"]]).hexdigest() == row["SHA-256"]
        assert (row["model"], row["file"]) == ("rectangle", f"stimuli/{row['code']}.png")
        assert (row["limit low"], row["limit high"]) == (("0", "0") if row["silent"] else ("0", "1"))
        assert ("budget=40" in row["settings"]) == (row["method"] == "rise")
    assert len({row["look"] for row in rows}) == 1


@pytest.mark.slow
def test_nothing_is_written_into_the_pictures(grid: Grid) -> None:
    for name, content in files(grid).items():
        if name.endswith(".png"):
            assert Image.open(io.BytesIO(content)).info == {}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_one_other_names_of_the_same_pictures(grid: Grid) -> None:
    assert export.stimulus_zip(grid, QUICK, 4) == export.stimulus_zip(grid, QUICK, 4)
    first, other = files(grid, seed=4), files(grid, seed=5)
    codes = [{row["code"] for row in manifest(content)} for content in (first, other)]
    assert not codes[0] & codes[1]
    digests = [sorted(row["SHA-256"] for row in manifest(content)) for content in (first, other)]
    assert digests[0] == digests[1]


@pytest.mark.slow
def test_codes_are_all_different_and_spell_nothing() -> None:
    codes = codes_of(20_000, 1)
    assert len(set(codes)) == 20_000
    assert all(len(code) == 6 and code[0] in FIRST and set(code) <= set(OTHERS) for code in codes)
    assert codes[:50] == codes_of(50, 1)
    assert not set("aeiouy01l") & set(OTHERS)


@pytest.mark.slow
def test_no_order_and_no_condition_can_be_read_off_a_code(grid: Grid) -> None:
    """The order of the codes agrees with that of the cells no better than chance would, over many seeds."""
    count, agreements = len(grid.cells), []
    for seed in range(200):
        codes = codes_of(count, seed)
        pairs = [(one, other) for one in range(count) for other in range(one + 1, count)]
        agreements.append(np.mean([codes[one] < codes[other] for one, other in pairs]))
    assert abs(np.mean(agreements) - 0.5) < 4 * np.std(agreements) / np.sqrt(len(agreements))
    names = [name for name in files(grid) if name.endswith(".png")]
    assert names == sorted(names)  # files come in the order of their codes


@pytest.mark.slow
def test_a_map_that_failed_is_no_stimulus_and_the_codebook_says_so(grid: Grid) -> None:
    cells = {**grid.cells, CellKey(0, 0): Cell().failed("It broke.")}
    content = files(dataclasses.replace(grid, cells=cells))
    assert len(manifest(content)) == 11
    assert "1 of the run's 12 maps failed or were not made" in content["codebook.txt"].decode()
    assert "were not made" not in files(grid)["codebook.txt"].decode()


def test_every_column_is_explained_in_the_codebook(grid: Grid) -> None:
    content = files(grid, Display(view="area", area=5, size=128))
    book = content["codebook.txt"].decode()
    assert all(any(line.startswith(f"{name} ") for line in book.splitlines()) for name in manifest(content)[0])
    assert "the top 5 % of each map, the rest covered" in book and "128 × 128 pixels" in book and "{" not in book


@pytest.mark.slow
def test_the_codebook_names_the_model_by_its_title_and_says_where_images_have_bars(grid: Grid) -> None:
    plan = grid.plan
    fitted = (*plan.pictures[:-1], dataclasses.replace(plan.pictures[-1], framing="fit"))
    book = files(dataclasses.replace(grid, plan=dataclasses.replace(plan, pictures=fitted)))["codebook.txt"].decode()
    assert f"from maps of {title_of(plan.model)}." in book and "bars beside them" in book
    assert "bars beside them" not in files(grid)["codebook.txt"].decode()


@pytest.mark.slow
def test_one_scale_a_method_gives_all_its_maps_the_same_limits_and_others_their_own(grid: Grid) -> None:
    limits: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for scale in ("method", "limits"):
        for row in manifest(files(grid, Display(size=128, scale=scale))):
            if not row["silent"]:
                ends = limits.setdefault(scale, {}).setdefault(row["method"], set())
                ends.add((row["limit low"], row["limit high"]))
    assert len(limits["method"]["rise"]) == 1 < len(limits["limits"]["rise"])
    (shared,) = limits["method"]["rise"]
    assert float(shared[1]) == max(float(high) for _, high in limits["limits"]["rise"])


@pytest.mark.slow
def test_a_zip_is_written_where_the_name_says_so(grid: Grid, tmp_path: Path) -> None:
    export.write_stimuli(grid, tmp_path / "new" / "set.zip", QUICK, 3)
    with zipfile.ZipFile(tmp_path / "new" / "set.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files(grid, seed=3)


@pytest.mark.slow
def test_a_folder_with_anything_in_it_is_left_alone(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="is not empty; give a new or an empty folder, or a file that ends in"):
        export.write_stimuli(grid, tmp_path, QUICK)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(StoreError, match="cannot be written"):
        export.write_stimuli(grid, tmp_path / "mine.txt" / "below", QUICK)


def test_what_cannot_be_stimuli_is_a_sentence(grid: Grid, rectangle) -> None:
    empty = Grid.empty(grid.plan, grid.views, labels=grid.labels)
    with pytest.raises(SettingError, match="No map is finished yet; stimuli need at least one"):
        files(empty)
    with pytest.raises(SettingError, match="The seed is -1, but must lie between 0"):
        files(grid, seed=-1)
    smaller = dataclasses.replace(grid, views=(*grid.views[:3], grid.views[3][:-9]))
    with pytest.raises(SettingError, match="images have several sizes"):
        files(smaller)
    about = class_maps.plan(["rectangle"], "cpu", [0], [MethodChoice.default("input-agnostic")])
    with pytest.raises(SettingError, match="is about classes, not images"):
        files(Grid.empty(about, (), labels=rectangle.classifier.labels))
