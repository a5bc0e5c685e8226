"""The page to send, read as text: whole by itself, small, and safe with names that look like markup."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from decam.errors import SettingError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.questions import ModelSpec
from decam.export.page import MOST_FRAMES, page_bytes
from decam.figures.look import Look


class Read(HTMLParser):
    """The tags of a page with their attributes, and all its text outside scripts and styles."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def frames_of(content: bytes) -> dict[str, list[dict[str, str]]]:
    found = re.search(r'<script type="application/json" id="frames">(.*?)</script>', content.decode(), re.DOTALL)
    assert found
    frames: dict[str, list[dict[str, str]]] = json.loads(found[1])
    return frames


@pytest.mark.slow
def test_the_page_refers_to_nothing_outside_itself(grid: Grid) -> None:
    content = page_bytes(grid)
    page = Read(content)
    addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert addresses and all(value and value.startswith("data:") for value in addresses)
    assert re.findall(rb"url\((?!data:)", content) == []
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'")


@pytest.mark.slow
def test_every_finished_map_can_be_enlarged_and_says_what_it_is(grid: Grid) -> None:
    page = Read(page_bytes(grid, created="2026-01-02"))
    names = [one["aria-label"] for one in page.all("button") if one.get("class") == "map"]
    assert len(names) == len(grid.cells) and len(set(names)) == len(names)
    assert "2026-01-02" in page.text
    made = grid.cells[CellKey(0, 1)].explanation
    assert made is not None and f"{made.label} {made.probability:.2f}" in page.text


@pytest.mark.slow
def test_names_are_text_wherever_they_stand(grid: Grid) -> None:
    evil = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{js}}"
    pictures = tuple(dataclasses.replace(one, name=evil) for one in grid.plan.pictures)
    cells = {**grid.cells, CellKey(0, 0): Cell().failed(evil)}
    changed = dataclasses.replace(grid, plan=dataclasses.replace(grid.plan, pictures=pictures), cells=cells)
    page = Read(page_bytes(changed))
    assert len(page.all("script")) == 2
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert evil in page.text


@pytest.mark.slow
def test_the_name_and_the_note_of_a_run_are_text_at_the_top(grid: Grid) -> None:
    content = page_bytes(grid, name="<i>Owls</i> {{js}}", remark="One\n<script>two</script>")
    page = Read(content)
    assert page.text.count("<i>Owls</i> {{js}}") == 2 and "One\n<script>two</script>" in page.text
    assert len(page.all("script")) == len(Read(page_bytes(grid)).all("script"))
    assert b'class="remark"' not in page_bytes(grid)


@pytest.mark.slow
def test_the_page_names_the_model_by_its_title_and_says_how_images_were_fitted(grid: Grid) -> None:
    plan = dataclasses.replace(
        grid.plan,
        questions=tuple(dataclasses.replace(one, model=ModelSpec("embedded")) for one in grid.plan.questions),
        pictures=(*grid.plan.pictures[:-1], dataclasses.replace(grid.plan.pictures[-1], framing="fit")),
    )
    page = Read(page_bytes(dataclasses.replace(grid, plan=plan)))
    assert "Saliency maps of Shapes demo" in page.text and "framing crop, fit" in page.text
    assert "Image" in page.text and "Picture" not in page.text
    assert "framing" not in Read(page_bytes(grid)).text


@pytest.mark.slow
def test_the_page_begins_with_the_look_of_the_grid(grid: Grid) -> None:
    page = Read(page_bytes(grid, Look(opacity=0.35, contours=True)))
    fields = {one.get("id"): one for one in page.all("input")}
    assert fields["opacity"]["value"] == "35" and "checked" in fields["lines"]
    assert "checked" not in {one.get("id"): one for one in Read(page_bytes(grid)).all("input")}["lines"]


@pytest.mark.slow
def test_a_search_has_its_generations_the_first_and_the_last_among_them(rectangle) -> None:
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice("one.png")],
        [MethodChoice.default("de-cam", budget=600, population=16), MethodChoice.default("centre")],
        targets=[rectangle.target],
        execution=rectangle.classifier.execution,
    )
    grid = Grid.empty(plan, [rectangle.view], labels=rectangle.classifier.labels)
    for event in execute(grid, lambda _: rectangle.classifier):
        grid = grid.after(event)
    frames = frames_of(page_bytes(grid))
    assert set(frames) == {"0-0"}
    kept = [frame for frame in grid.cells[CellKey(0, 0)].frames if frame.curves and frame.saliency is not None]
    assert 1 < len(frames["0-0"]) == min(len(kept), MOST_FRAMES)
    for shown, frame in ((frames["0-0"][0], kept[0]), (frames["0-0"][-1], kept[-1])):
        assert f"{frame.evaluations:,} evaluations" in shown["text"]


@pytest.mark.slow
def test_three_pictures_by_five_methods_are_under_five_megabytes(grid: Grid) -> None:
    """At 224 × 224 and with maps of noise, which no file packs."""
    rng = np.random.default_rng(0)
    choice, made = grid.plan.methods[0], grid.cells[CellKey(0, 0)].explanation
    assert made is not None
    plan = dataclasses.replace(
        grid.plan, pictures=grid.plan.pictures[:3], questions=grid.plan.questions[:3], methods=(choice,) * 5
    )
    views = [rng.integers(0, 256, (224, 224, 3), dtype=np.uint8) for _ in range(3)]
    cells = {
        key: Cell().explained(dataclasses.replace(made, saliency=rng.random((224, 224), dtype=np.float32)))
        for key in plan.cells()
    }
    whole = dataclasses.replace(Grid.empty(plan, views, labels=grid.labels), cells=cells)
    assert len(page_bytes(whole)) < 5e6


@pytest.mark.slow
def test_the_page_says_what_the_run_has_cost_in_all(grid: Grid) -> None:
    whole = f"In all {grid.evaluations:,} evaluations, {4 * 3 * 4 * 7} of them for metrics."
    assert whole in page_bytes(grid).decode()


def test_a_page_without_maps_is_refused(grid: Grid) -> None:
    with pytest.raises(SettingError, match="No map is finished yet; a page needs at least one"):
        page_bytes(Grid.empty(grid.plan, grid.views))


@pytest.mark.slow
def test_a_flat_map_has_no_lines_on_the_page_to_send(grid: Grid) -> None:
    made = grid.cells[CellKey(0, 0)].explanation
    assert made is not None
    flat = Cell().explained(dataclasses.replace(made, silent=True))
    changed = dataclasses.replace(grid, cells={**grid.cells, CellKey(0, 0): flat})
    before, after = (
        sum(one.get("class") == "lines" for one in Read(page_bytes(each)).all("img")) for each in (grid, changed)
    )
    assert after == before - 1
