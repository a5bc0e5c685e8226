"""Tables from a store: their numbers are those that numpy finds by hand from the values in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from decam.benchmark.candidates import Candidate, selected
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked
from decam.benchmark.statistics import of_means, within
from decam.benchmark.tables import Scores, complete, correlation_table, means_table, origin, scores
from decam.errors import SettingError
from decam.experiments.kinds import benchmark
from decam.experiments.plan import MetricChoice, PictureChoice, Plan
from decam.intervals import Interval
from decam.methods import METHODS
from decam.metrics import METRICS
from decam.runs.store import Store
from tests.benchmark.conftest import keep

NAN = math.nan
LABELS = ("rise", "grad-cam", "occlusion", "random")
CANDIDATES = tuple(Candidate.of(name, name, METHODS[name].settings()) for name in LABELS)
DELETION, IOU, CONSISTENCY = (MetricChoice.default(name) for name in ("deletion", "iou", "consistency"))
VALUES = {
    DELETION: [[0.1, 0.2, 0.3, 0.4], [0.3, 0.2, 0.1]],
    IOU: [[0.8, 0.6, 0.4, NAN], [0.6, 0.6, 0.2]],
}
"""Of four methods on two scenes, one method lacking the second scene."""


def a_plan(number: int, methods: Sequence[Candidate], metrics: Sequence[MetricChoice]) -> Plan:
    choices = [candidate.choice for candidate in methods]
    picture = PictureChoice(f"scene {number}", f"print {number}", "truth")
    return benchmark.plan(["embedded"], "cpu", [picture], choices, targets=[1], seeds=[(number,)], metrics=metrics)


def filled(store: Store) -> Outcomes:
    """The values above, in one run for the first scene and one run a metric for the second."""
    keep(store, a_plan(0, CANDIDATES, (DELETION, IOU)), {metric: lines[0] for metric, lines in VALUES.items()})
    for metric, lines in VALUES.items():
        keep(store, a_plan(1, CANDIDATES[:3], (metric,)), {metric: lines[1]})
    return Outcomes(store)


QUESTIONS = [[Asked.by(a_plan(number, CANDIDATES, ()), 0)] * len(CANDIDATES) for number in range(2)]


def a_metric(metric: MetricChoice, lines: list[list[float]]) -> Scores:
    values = np.array(lines, np.float64)
    return Scores(METRICS[metric.name], values, np.ones(values.shape, bool))


@pytest.mark.slow
def test_scores_are_the_values_of_the_store_whichever_run_holds_them(store: Store) -> None:
    outcomes = filled(store)
    for metric, lines in VALUES.items():
        found = scores(outcomes, QUESTIONS, CANDIDATES, metric)
        np.testing.assert_array_equal(found.values, np.array([lines[0], [*lines[1], NAN]]))
        np.testing.assert_array_equal(found.measured, [[True] * 4, [True] * 3 + [False]])
    assert not scores(outcomes, QUESTIONS, CANDIDATES, CONSISTENCY).measured.any()


@pytest.mark.slow
def test_a_line_says_means_with_intervals_the_best_in_bold_and_controls_in_italics(store: Store) -> None:
    outcomes = filled(store)
    found = [scores(outcomes, QUESTIONS, CANDIDATES, metric) for metric in (DELETION, IOU)]
    assert means_table(found, CANDIDATES).splitlines() == [
        "| method | scenes | Deletion ↓ | IoU at the best threshold ↑ |",
        "|---|---|---|---|",
        "| rise | 2 | **0.200** [0.100, 0.300] | **0.700** [0.600, 0.800] |",
        "| grad-cam | 2 | **0.200** [0.200, 0.200] | 0.600 [0.600, 0.600] |",
        "| occlusion | 2 | **0.200** [0.100, 0.300] | 0.300 [0.200, 0.400] |",
        "| *random* | 1 | 0.400 (1) | – |",
    ]
    for place, line in enumerate(means_table(found, CANDIDATES).splitlines()[2:5]):
        by_hand = [np.mean([lines[0][place], lines[1][place]]) for lines in VALUES.values()]
        assert [f"{mean:.3f}" for mean in by_hand] == [cell.split("[")[0].strip(" *") for cell in line.split(" | ")[2:]]


@pytest.mark.slow
def test_correlations_are_those_found_by_hand(store: Store) -> None:
    outcomes = filled(store)
    three = CANDIDATES[:3]
    asked = [line[:3] for line in QUESTIONS]
    (faithful,), (local,) = ([scores(outcomes, asked, three, metric)] for metric in (DELETION, IOU))
    # Of the first scene 1, 2, 3 against 1, 2, 3; of the second 3, 2, 1 against 1.5, 1.5, 3.
    inside = correlation_table([faithful], [local], within).splitlines()
    assert inside[0] == "| | IoU at the best threshold |"
    assert inside[2] == f"| Deletion | {(1 - math.sqrt(3) / 2) / 2:+.2f} [-0.87, +1.00] |"
    assert correlation_table([faithful], [local], of_means).splitlines()[2].startswith("| Deletion | –")


def test_values_are_turned_so_that_more_is_better() -> None:
    low_is_good, high_is_good = a_metric(DELETION, [[0.1, 0.2, 0.3]]), a_metric(IOU, [[0.9, 0.5, 0.4]])
    found = of_means(*complete(low_is_good, high_is_good))
    assert found is not None and found.value == 1.0


def test_only_scenes_on_which_all_methods_were_measured_are_ranked() -> None:
    one = a_metric(IOU, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    other = Scores(one.metric, one.values, np.array([[True, True, False], [True, False, False]]))
    first, second = complete(one, other)
    assert first.tolist() == second.tolist() == [[1.0, 2.0]]


@pytest.mark.slow
def test_what_maps_were_made_with_is_said_once(store: Store) -> None:
    assert origin(Outcomes(store)) == ""
    assert origin(filled(store)).count("torch") == 1


def test_another_models_method_names_its_model() -> None:
    assert Candidate.of("rise", "rise", METHODS["rise"].settings(), "abn").title == "rise (abn)"
    assert [one.control for one in CANDIDATES] == [False, False, False, True]


def test_a_pattern_that_fits_no_candidate_is_refused() -> None:
    assert [one.label for one in selected(CANDIDATES, ["r*", "occ*"])] == ["rise", "occlusion", "random"]
    with pytest.raises(SettingError, match="No method fits 'nothing-\\*'"):
        selected(CANDIDATES, ["rise", "nothing-*"])


def test_a_mean_that_rounds_to_nothing_has_no_sign() -> None:
    near = a_metric(DELETION, [[0.5, -0.0001, 0.4, 0.3]] * 2)
    assert "| **0.000** [0.000, 0.000] |" in means_table([near], CANDIDATES)
    assert f"{Interval(-0.0001, -0.0002, 0.0001):+z.3f}" == "+0.000 [+0.000, +0.000]"
    nothing = correlation_table([near], [near], lambda _one, _other: Interval(-0.001, -0.002, 0.001))
    assert "+0.00 [+0.00, +0.00]" in nothing
