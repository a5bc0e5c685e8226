"""Nothing that is here is made again, the page says so before, and what a run lacks is added to it."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from decam.experiments.cells import CellKey
from decam.experiments.plan import MetricChoice
from decam.export.tables import REUSED, metrics_csv
from decam.images.samples import get
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.shared import ground_truth
from decam.ui.shared.ground_truth import Given
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
POINTING = MetricChoice.default("pointing-game").key
BOX = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.5), (0.25, 0.5))


def explained(*samples: str, methods: tuple[str, ...] = ("random", "centre")) -> Visitor:
    visitor = Visitor().sample(*samples).methods(*methods).quick()
    visitor.explain()
    return visitor.finish()


def snapshot(visitor: Visitor) -> RunSnapshot:
    return state.runs().snapshot(visitor.run)


def work(visitor: Visitor) -> str:
    """What the caption under the button says."""
    return next(text for text in visitor.app.caption.values if text.startswith(("0 maps", "1 map")) or " map" in text)


def test_the_page_says_how_many_maps_are_here_and_the_run_makes_the_others_alone() -> None:
    visitor = explained("scene-star", methods=("random", "rise"))
    assert work(visitor) == "2 of 2 maps are here already"
    visitor.sample("scene-arrow")
    assert work(visitor).startswith("2 of 4 maps are here already · ")
    first = visitor.run
    assert visitor.explain() != first
    visitor.finish()
    run = snapshot(visitor)
    assert {key for key, cell in run.cells.items() if cell.reused} == {CellKey(0, 0), CellKey(0, 1)}
    assert "2 from earlier runs" in visitor.status
    assert visitor.cell("RISE", 0)["reused"] and not visitor.cell("RISE", 1)["reused"]
    assert visitor.cell("RISE", 0)["evaluations"] == visitor.cell("RISE", 1)["evaluations"]
    visitor.tab("Metrics")
    made = sum(cell.evaluations for key, cell in run.cells.items() if key.question == 1)
    measured = sum(
        one.evaluations for key, cell in run.cells.items() if key.question == 1 for one in cell.measurements.values()
    )
    assert measured > 0
    assert visitor.reads(f"In all {2 + made + measured:,} evaluations, {measured:,} of them for metrics.")
    rows = list(csv.DictReader(io.StringIO(metrics_csv(run.grid).decode("utf-8-sig"))))
    assert [REUSED in row["notes"] for row in rows] == [True, True, False, False]


def test_an_uploaded_picture_of_a_sample_has_the_samples_maps() -> None:
    explained("scene-star")
    buffer = io.BytesIO()
    get("scene-star").load().save(buffer, "PNG")
    visitor = Visitor().upload(("mine.png", buffer.getvalue())).methods("random", "centre").quick()
    assert work(visitor) == "2 of 2 maps are here already"


def test_a_check_takes_the_maps_of_a_comparison() -> None:
    explained("scene-star", methods=("centre",))
    visitor = Visitor().visit("sanity").sample("scene-star")
    visitor.app.session_state["checked"] = ("centre",)
    visitor.look()
    assert work(visitor).startswith("1 of 7 maps is here already")


def test_what_a_run_lacks_is_added_to_it_under_its_link() -> None:
    visitor = explained("scene-star")
    link, before = visitor.run, snapshot(visitor)
    assert not visitor.offers("add-to-run")
    visitor.methods("random", "centre", "edges").sample("scene-arrow")
    visitor.press("add-to-run").finish()
    run = snapshot(visitor)
    assert visitor.run == link
    assert len(run.cells) == 6
    assert visitor.status.startswith("Finished")
    assert run.cells[CellKey(0, 0)].explanation is not None
    np.testing.assert_array_equal(run.cells[CellKey(0, 0)].saliency, before.cells[CellKey(0, 0)].saliency)
    assert not visitor.offers("add-to-run")
    assert [column["title"] for column in visitor.grid["columns"]][-1] == "Edge detector"
    guest = Visitor(link)
    assert guest.cards == ["Star", "Arrow"]


@pytest.mark.parametrize("change", ["class", "seed", "method"])
def test_nothing_is_added_where_maps_would_be_left_behind(change: str) -> None:
    visitor = explained("scene-star").sample("scene-arrow")
    assert visitor.offers("add-to-run")
    if change == "class":
        visitor.ask("Star", "heart")
    elif change == "seed":
        visitor.app.number_input(key="seed").set_value(3)
        visitor.look()
    else:
        visitor.methods("random")
    assert not visitor.offers("add-to-run")


def mark(visitor: Visitor, picture: str, given: Given) -> Visitor:
    """What "Use this" in the window does."""
    visitor.app.session_state[ground_truth.key(picture)] = given
    visitor.app.session_state["truth-changed"] = picture
    return visitor.look()


def drawn(shape: tuple[int, int] = (128, 128)) -> np.ndarray:
    expected = np.zeros(shape, bool)
    expected[32:64, 32:96] = True
    return expected


def test_a_ground_truth_marked_after_a_run_is_measured_at_once_and_outlined() -> None:
    visitor = explained("scene-star", "scene-arrow")
    link = visitor.run
    before, plain = snapshot(visitor), visitor.picture("Star")
    mark(visitor, "sample:scene-star", Given(ground_truth.DRAWN, (BOX,))).finish()
    run = snapshot(visitor)
    assert visitor.run == link
    np.testing.assert_array_equal(run.truths[0], drawn())
    np.testing.assert_array_equal(run.truths[1], before.truths[1])
    cell = run.cells[CellKey(0, 0)]
    assert cell.saliency is not None
    assert cell.measurements[POINTING].value == drawn()[cell.saliency == cell.saliency.max()].mean()
    assert visitor.grid["rows"][0]["truth"]
    assert not np.array_equal(visitor.picture("Star"), plain), "the card shows the new outline"
    mark(visitor, "sample:scene-star", Given(ground_truth.NONE)).finish()
    assert snapshot(visitor).truths[0] is None
    assert visitor.grid["rows"][0]["truth"] is None


def test_a_ground_truth_of_another_class_leaves_the_run_as_it_is() -> None:
    visitor = explained("scene-star").ask("Star", "heart")
    before = snapshot(visitor)
    mark(visitor, "sample:scene-star", Given(ground_truth.DRAWN, (BOX,)))
    np.testing.assert_array_equal(snapshot(visitor).truths[0], before.truths[0])


def test_drawings_from_before_the_run_was_opened_do_not_change_it() -> None:
    visitor = explained("scene-star")
    guest = Visitor()
    guest.app.session_state[ground_truth.key("sample:scene-star")] = Given(ground_truth.DRAWN, (BOX,))
    guest.app.query_params["run"] = visitor.run
    guest.look()
    np.testing.assert_array_equal(snapshot(visitor).truths[0], get("scene-star").truth())
