"""What a run says in words, on its way out: in the archive and on the page, as text whatever is in a name."""

from __future__ import annotations

import pytest

from decam.experiments.grid import Grid
from decam.experiments.kinds import KINDS, reading
from decam.experiments.kinds.base import Reading
from decam.export import files
from decam.export.findings import TITLE, line, reading_html
from decam.export.notebook import Comparison
from decam.export.page import page_bytes
from tests.export.test_page import Read
from tests.tools.readable import FINISHED, a_comparison, a_search

EVIL = "<script>alert(1)</script>&\"'\n{{js}}"


@pytest.mark.parametrize("name", KINDS)
def test_the_archive_the_page_and_the_result_say_what_the_kind_says(name: str) -> None:
    grid = FINISHED[name]()
    found = reading(grid)
    lines = dict(files(grid))["reading.txt"].decode("utf-8").splitlines()
    assert lines == [f"{one.subject}: {one.sentence}" if one.subject else one.sentence for one in found]
    page = Read(page_bytes(grid))
    assert TITLE in page.text
    assert all(one.subject in page.text and one.sentence in page.text for one in found)
    assert Comparison.of(grid).reading() == found


def test_a_run_that_has_found_nothing_has_neither_the_file_nor_the_section() -> None:
    grid = a_comparison()
    bare = Grid.empty(grid.plan, grid.views)
    assert "reading.txt" not in dict(files(bare)) and reading_html(bare) == ""
    cells = {key: cell.without([one.key for one in grid.plan.metrics], ()) for key, cell in grid.cells.items()}
    unmeasured = Grid(grid.plan, grid.views, (), grid.labels, grid.predictions, cells)
    assert "reading.txt" not in dict(files(unmeasured))
    assert TITLE not in Read(page_bytes(unmeasured)).text


def test_names_in_sentences_are_text_on_the_page_and_stay_on_their_line_in_the_file() -> None:
    grid = a_search(odd=EVIL)
    content = dict(files(grid))["reading.txt"].decode("utf-8")
    assert content.count("\n") == 2, "the verdict and the one class that stands out"
    assert EVIL.replace("\n", " ") in content.splitlines()[1]
    page = Read(page_bytes(grid))
    assert len(page.all("script")) == len(Read(page_bytes(a_search())).all("script"))
    assert page.text.count(EVIL) >= 3  # in the verdict, as a subject and in the sentence about it


def test_what_is_about_the_whole_run_is_a_paragraph_and_the_rest_a_list() -> None:
    shown = reading_html(a_search())
    assert shown.startswith("<p>1 class stands out") and shown.count("<dt>c</dt>") == 1
    shown = reading_html(a_comparison())
    assert shown.index("<dt>Insertion</dt>") < shown.index("<p>Metrics disagree")


def test_a_line_has_its_subject_before_it() -> None:
    assert line(Reading("star", "It shines.")) == "star: It shines."
    assert line(Reading("", "It\tshines.")) == "It shines."


@pytest.mark.slow
def test_a_notebook_shows_the_findings_under_the_figure() -> None:
    shown = Comparison.of(a_comparison())._repr_html_()
    assert shown.index("<img") < shown.index("<dt>Insertion</dt>")
