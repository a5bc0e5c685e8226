"""Who leads on a metric: grids made up so that means, ties and controls can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds import benchmark, comparison, reading
from decam.experiments.kinds.base import Reading
from decam.experiments.kinds.leading import DISAGREE, NOISE
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.metrics.base import Measurement

CAVEAT = Reading("", f"{DISAGREE} {NOISE}")
INSERTION, DELETION, SPARSITY = (MetricChoice.default(name) for name in ("insertion", "deletion", "sparsity"))
NONE = math.nan


def filled(plan: Plan, values: Mapping[str, Sequence[Sequence[float | None]]]) -> Grid:
    """A grid whose maps have these values by metric, a line a question and a column a method; None is not measured."""
    views = [np.zeros((2, 2, 3), np.uint8)] * len(plan.pictures)
    cells = {
        key: Cell(
            measurements={
                choice.key: Measurement(choice.name, value)
                for choice in plan.metrics
                if (value := values[choice.name][key.question][key.method]) is not None
            }
        )
        for key in plan.cells()
    }
    empty = Grid.empty(plan, views)
    return Grid(plan, empty.views, empty.truths, empty.labels, empty.predictions, cells)


def compared(methods: Sequence[str], pictures: int = 2, *metrics: MetricChoice) -> Plan:
    chosen = [MethodChoice.default(name) for name in methods]
    return comparison.plan("m", "cpu", [PictureChoice(f"{n}.png") for n in range(pictures)], chosen, metrics=metrics)


def said(methods: Sequence[str], metric: MetricChoice, lines: Sequence[Sequence[float | None]]) -> str:
    """The one sentence on a metric; empty where there is none."""
    found = reading(filled(compared(methods, len(lines), metric), {metric.name: lines}))
    if not found:
        return ""
    one, caveat = found
    assert caveat == CAVEAT
    return one.sentence


def test_the_method_with_the_best_mean_leads_and_is_told_on_how_many_images_it_is_the_best() -> None:
    lines = [[0.9, 0.5, 0.4], [0.9, 0.5, 0.4], [0.3, 0.5, 0.4]]
    assert said(["grad-cam", "rise", "lime"], INSERTION, lines) == (
        "Grad-CAM leads with the highest mean, 0.700, over 3 images, before RISE with 0.500. "
        "It is the best on 2 of these 3."
    )


def test_of_a_metric_where_lower_is_better_the_lowest_leads() -> None:
    assert said(["grad-cam", "rise"], DELETION, [[0.4, 0.1], [0.2, 0.1]]) == (
        "RISE leads with the lowest mean, 0.100, over 2 images, before Grad-CAM with 0.300. "
        "It is the best on each of these 2."
    )


def test_one_image_has_a_value_and_no_mean() -> None:
    assert said(["grad-cam", "rise"], INSERTION, [[0.8, 0.6]]) == (
        "Grad-CAM leads with the highest value, 0.800, on the one image, before RISE with 0.600."
    )


def test_a_small_difference_is_no_clear_lead_and_one_that_is_not_shown_is_none() -> None:
    assert "Grad-CAM is barely ahead with" in said(["grad-cam", "rise"], INSERTION, [[0.62, 0.60]])
    assert said(["grad-cam", "rise", "lime"], INSERTION, [[0.62001, 0.62, 0.1]]) == (
        "Grad-CAM and RISE are level at 0.620, the highest value, on the one image."
    )
    # Nobody can say what is little of a metric that has no upper bound.
    assert "leads" in said(["grad-cam", "rise"], SPARSITY, [[4.02, 4.0]])


def test_methods_that_follow_with_the_same_value_are_all_named() -> None:
    assert "before RISE and LIME with 0.500." in said(["grad-cam", "rise", "lime"], INSERTION, [[0.9, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ([0.9, 0.8, 0.3], "Every method beats the control, Random map with 0.300."),
        ([0.9, 0.2, 0.3], "RISE does not beat the control, Random map with 0.300."),
        ([0.9, 0.3, 0.3], "RISE does not beat the control, Random map with 0.300."),
        ([0.9, 0.32, 0.3], "RISE barely beats the control, Random map with 0.300."),
        ([0.32, 0.2, 0.3], "RISE does not beat the control, Random map with 0.300; Grad-CAM barely beats it."),
        (
            [0.1, 0.2, 0.3],
            "No method beats the control, Random map with 0.300, which knows nothing of what the model learned.",
        ),
    ],
)
def test_methods_that_do_not_beat_a_control_are_named(line: list[float], sentence: str) -> None:
    assert said(["grad-cam", "rise", "random"], INSERTION, [line]).endswith(f". {sentence}")


def test_a_control_that_leads_is_called_one_and_of_several_the_best_counts() -> None:
    found = said(["grad-cam", "rise", "random", "centre"], DELETION, [[0.5, 0.4, 0.6, 0.2]])
    assert found.startswith("Centre Gaussian (control) leads with the lowest value, 0.200, on the one image")
    assert "No method beats the best control, Centre Gaussian with 0.200" in found


def test_where_a_control_may_be_the_best_it_is_left_out() -> None:
    assert said(["grad-cam", "random", "rise"], SPARSITY, [[3.0, 9.0, 2.0]]) == (
        "Controls aside, Grad-CAM leads with the highest value, 3.000, on the one image, before RISE with 2.000."
    )
    assert said(["grad-cam", "random"], SPARSITY, [[3.0, 9.0]]) == ""


def test_only_images_count_on_which_all_have_a_value() -> None:
    """The first method's high value on an image where the other failed must not help it."""
    lines = [[0.2, 0.5], [1.0, NONE], [0.2, 0.5], [1.0, None]]
    found = said(["grad-cam", "rise"], INSERTION, lines)
    assert found.startswith(
        "RISE leads with the highest mean, 0.500, over the 2 of 4 images on which all have a value, before Grad-CAM "
        "with 0.200."
    )
    assert "on the one of 2 images on which all have a value" in said(["grad-cam", "rise"], INSERTION, lines[:2])


def test_a_method_without_any_value_is_left_out_and_named() -> None:
    lines = [[0.9, None, 0.5, NONE]]
    assert said(["grad-cam", "rise", "lime", "de-cam"], INSERTION, lines).endswith(
        "RISE and DE-CAM have no value here and are left out."
    )


@pytest.mark.parametrize("lines", [[[None, None]], [[0.5, None]], [[0.5, NONE], [NONE, 0.5]], [[NONE, NONE]]])
def test_nothing_is_said_where_no_two_methods_share_an_image(lines: list[list[float | None]]) -> None:
    assert said(["grad-cam", "rise"], INSERTION, lines) == ""


def test_an_empty_grid_one_method_and_no_metric_say_nothing() -> None:
    views = [np.zeros((2, 2, 3), np.uint8)] * 2
    assert reading(Grid.empty(compared(["grad-cam", "rise"], 2, INSERTION), views)) == ()
    assert said(["grad-cam"], INSERTION, [[0.5]]) == ""
    assert reading(filled(compared(["grad-cam", "rise"]), {})) == ()


def test_a_failed_map_is_no_value() -> None:
    grid = filled(compared(["grad-cam", "rise"], 2, INSERTION), {"insertion": [[0.9, 0.5], [0.9, 0.5]]})
    cells = {**grid.cells, CellKey(1, 0): Cell().failed("Out of memory.")}
    failed = Grid(grid.plan, grid.views, (), (), grid.predictions, cells)
    assert "on the one of 2 images" in reading(failed)[0].sentence


def test_each_metric_has_its_own_reading_in_the_plans_order() -> None:
    values = {"insertion": [[0.9, 0.5]], "deletion": [[0.9, 0.5]]}
    first, second, caveat = reading(filled(compared(["grad-cam", "rise"], 1, DELETION, INSERTION), values))
    assert (first.subject, second.subject, caveat) == ("Deletion", "Insertion", CAVEAT)
    assert first.sentence.startswith("RISE") and second.sentence.startswith("Grad-CAM")


def test_a_benchmark_counts_the_seeds_of_an_image_as_one_and_reads_each_model_alone() -> None:
    methods = [MethodChoice.default("grad-cam"), MethodChoice.default("rise")]
    pictures = [PictureChoice("a.png"), PictureChoice("b.png")]
    plan = benchmark.plan(["m", "n"], "cpu", pictures, methods, seeds=[(0, 1, 2), (0,)], metrics=[INSERTION])
    # Of m: Grad-CAM 0.9 on a (three seeds) and 0.1 on b; RISE 0.6 on both. Over the questions Grad-CAM would lead.
    of_m = [[0.8, 0.6], [0.9, 0.6], [1.0, 0.6], [0.1, 0.6]]
    of_n = [[0.9, 0.1]] * 4
    first, second, _ = reading(filled(plan, {"insertion": [*of_m, *of_n]}))
    assert first == Reading(
        "Insertion · m",
        "RISE leads with the highest mean, 0.600, over 2 images, before Grad-CAM with 0.500. "
        "It is the best on 1 of these 2.",
    )
    assert second.subject == "Insertion · n" and second.sentence.startswith("Grad-CAM leads")
