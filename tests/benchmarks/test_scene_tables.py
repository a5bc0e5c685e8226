"""The tables of the benchmark of scenes against numbers found by hand, SciPy, and the plain bootstrap."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from benchmarks.paired import bootstrap
from benchmarks.scene_file import Journal, Judged
from benchmarks.scene_rows import Place, Row, known, places
from benchmarks.scene_tables import (
    Grid,
    complete,
    grid,
    means,
    means_table,
    of_means,
    spearman,
    tables,
    within,
)
from decam.methods import METHODS
from decam.metrics import METRICS, Metric

NAN = math.nan
DELETION, IOU = METRICS["deletion"], METRICS["iou"]


def row(name: str, model: str = "embedded") -> Row:
    return Row(name, model, name, METHODS[name].settings())


ROWS = tuple(row(name) for name in ("rise", "grad-cam", "occlusion", "random"))


def a_grid(metric: Metric, lines: list[list[float]]) -> Grid:
    values = np.array(lines, np.float64)
    return Grid(metric, values, np.ones(values.shape, bool))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
@pytest.mark.slow
def test_the_rank_correlation_is_scipys_with_ties_too(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs, np.float64).T
    (found,) = spearman(one[None], other[None])
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert math.isnan(found)
    else:
        np.testing.assert_allclose(found, spearmanr(one, other).statistic, atol=1e-12)


def test_means_leave_out_what_a_metric_says_nothing_of() -> None:
    values = np.array([[1.0, 0.25, NAN], [3.0, NAN, NAN], [5.0, 0.75, NAN]])
    first, second, nothing = means(values)
    assert first is not None and (first.mean, first.low, first.high) == (3.0, 1.0, 5.0)
    assert second is not None and (second.mean, second.low, second.high) == (0.5, 0.25, 0.75)
    assert nothing is None


def test_intervals_are_those_of_the_plain_bootstrap() -> None:
    values = np.random.default_rng(3).normal(size=60)
    (found,) = means(values[:, None])
    plain = bootstrap(values)
    assert found is not None
    np.testing.assert_allclose((found.mean, found.low, found.high), (plain.mean, plain.low, plain.high), atol=0.02)


def test_the_correlation_of_means_ranks_the_means_over_scenes() -> None:
    one = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 7.0]])  # means 3, 2, 4
    other = np.array([[2.0, 1.0, 3.0], [2.0, 1.0, 3.0]])
    found = of_means(one, other)
    assert found is not None
    assert found.mean == 1.0
    assert found.low == pytest.approx(-0.5)  # the first scene drawn twice: 3, 2, 1 against 2, 1, 3


def test_the_correlation_within_a_scene_is_the_mean_over_scenes_that_rank_at_all() -> None:
    one = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [1.0, NAN, 2.0]])
    other = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    found = within(one, other)
    assert found is not None
    assert found.mean == pytest.approx((1.0 + 0.5) / 2)


def test_fewer_than_three_methods_are_no_ranking() -> None:
    two = np.array([[1.0, 2.0], [1.0, 2.0]])
    assert of_means(two, two) is None
    assert within(two, two) is None
    assert of_means(two[:0], two[:0]) is None


def test_values_are_turned_so_that_more_is_better() -> None:
    low_is_good = a_grid(DELETION, [[0.1, 0.2, 0.3]])
    high_is_good = a_grid(IOU, [[0.9, 0.5, 0.4]])
    found = of_means(*complete(low_is_good, high_is_good))
    assert found is not None and found.mean == 1.0


def test_only_scenes_on_which_all_methods_were_judged_are_ranked() -> None:
    one = a_grid(IOU, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    other = Grid(IOU, one.values, np.array([[True, True, False], [True, False, False]]))
    first, second = complete(one, other)
    assert first.tolist() == second.tolist() == [[1.0, 2.0]]


def filled(path: Path, chosen: tuple[Place, ...]) -> Journal:
    """Deletion and IoU of four methods on two scenes, one method lacking the second scene."""
    journal = Journal(path)
    said = {
        DELETION: ([0.1, 0.2, 0.3, 0.4], [0.3, 0.2, 0.1]),
        IOU: ([0.8, 0.6, 0.4, NAN], [0.6, 0.6, 0.2]),
    }
    for metric, lines in said.items():
        for place, line in zip(chosen, lines, strict=True):
            rows = tuple(one.known for one in ROWS[: len(line)])
            journal.add(Judged(place.asked("embedded"), known(metric), rows, tuple(line)))
    return journal


def test_a_line_says_means_with_intervals_the_best_in_bold_and_controls_in_italics(tmp_path: Path) -> None:
    chosen = places(1, 1)
    journal = filled(tmp_path / "scenes.jsonl", chosen)
    grids = [grid(journal, chosen, ROWS, metric) for metric in (DELETION, IOU)]
    assert means_table(grids, ROWS).splitlines() == [
        "| method | scenes | Deletion ↓ | IoU at the best threshold ↑ |",
        "|---|---|---|---|",
        "| rise | 2 | **0.200** [0.100, 0.300] | **0.700** [0.600, 0.800] |",
        "| grad-cam | 2 | **0.200** [0.200, 0.200] | 0.600 [0.600, 0.600] |",
        "| occlusion | 2 | **0.200** [0.100, 0.300] | 0.300 [0.200, 0.400] |",
        "| *random* | 1 | 0.400 [0.400, 0.400] (1) | – |",
    ]


def test_all_tables_are_there_and_the_correlations_name_what_they_rest_on(tmp_path: Path) -> None:
    chosen = places(1, 1)
    judges = (DELETION, IOU, METRICS["consistency"])
    printed = tables(filled(tmp_path / "scenes.jsonl", chosen), chosen, ROWS, judges)
    assert "Robustness" not in printed
    assert "Faithfulness, mean [95 %]:" in printed and "Localisation, mean [95 %]:" in printed
    assert "all methods of the embedded model (4 on 1 scenes" in printed
    assert "the methods without the controls of the embedded model (3 on 2 scenes" in printed
    # Of the first scene 1, 2, 3 against 1, 2, 3; of the second 3, 2, 1 against 1.5, 1.5, 3.
    assert f"| Deletion | {(1 - math.sqrt(3) / 2) / 2:+.2f} [-0.87, +1.00] |" in printed


def test_another_models_method_names_its_model() -> None:
    assert row("rise", "abn").title == "rise (abn)"
