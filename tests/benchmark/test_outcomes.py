"""What a store says of the runs of a benchmark without reading their files, and cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked, link_of
from decam.errors import NoSuchRunError
from decam.experiments.cells import CellKey
from decam.experiments.kinds import benchmark, comparison
from decam.experiments.kinds.benchmark import BENCHMARK
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice
from decam.experiments.status import CellState, Status
from decam.runs.store import Store
from tests.benchmark.conftest import keep

DELETION, SPARSITY = MetricChoice.default("deletion"), MetricChoice.default("sparsity")
METHODS = (MethodChoice.default("random"), MethodChoice.default("centre"))
PLAN = benchmark.plan(["net"], "cpu", [PictureChoice("p", "print")], METHODS, metrics=(DELETION, SPARSITY))
LINK = link_of(PLAN)


@pytest.mark.slow
def test_an_outline_is_the_loaded_run_without_its_arrays(store: Store) -> None:
    keep(store, PLAN, {DELETION: [0.25, 0.5], SPARSITY: [math.nan, 0.75]})
    outline, whole = store.outline(LINK), store.load(LINK)
    assert outline.plan == PLAN
    for key, cell in whole.cells.items():
        one = outline.cells[key]
        assert cell.explanation is not None
        assert (one.target, one.evaluations, one.seconds) == (cell.explanation.target, cell.evaluations, cell.seconds)
        np.testing.assert_equal(one.values, {choice: found.value for choice, found in cell.measurements.items()})
        np.testing.assert_array_equal(store.saliency(LINK, key), cell.explanation.saliency)
        alone = store.cell(LINK, key)
        assert alone.state is cell.state and alone.measurements.keys() == cell.measurements.keys()
    with pytest.raises(NoSuchRunError):
        store.outline("absent")


def test_a_cell_that_was_not_made_is_not_outlined(store: Store) -> None:
    keep(store, PLAN, {})
    grown = benchmark.plan(["net"], "cpu", [PictureChoice("p", "print")], (*METHODS, MethodChoice.default("edges")))
    store.save_plan(LINK, grown)
    assert set(store.outline(LINK).cells) == {CellKey(0, 0), CellKey(0, 1)}
    assert store.cell(LINK, CellKey(0, 2)).state is CellState.STOPPED


@pytest.mark.slow
def test_versions_are_those_of_one_kind_alone(store: Store) -> None:
    keep(store, PLAN, {})
    other = comparison.plan("net", "cpu", [PictureChoice("q", "other")], METHODS)
    keep(store, other, {})
    assert store.versions(BENCHMARK) == {LINK: store.version(LINK)}
    assert store.versions(COMPARISON) == {link_of(other): store.version(link_of(other))}
    assert store.versions(BENCHMARK)[LINK][1] is Status.DONE
    assert len(list(Outcomes(store))) == 2


@pytest.mark.slow
def test_values_of_one_question_count_whichever_run_holds_them_and_appear_when_they_come(store: Store) -> None:
    outcomes = Outcomes(store)
    asked = Asked.by(PLAN, 0)
    assert outcomes.get(asked, METHODS[0]) is None
    for metric, values in ((DELETION, [0.25, 0.5]), (SPARSITY, [0.75, 1.0])):
        part = benchmark.plan(["net"], "cpu", [PictureChoice("called otherwise", "print")], METHODS, metrics=(metric,))
        keep(store, part, {metric: values})
        outcomes.refresh()
    found = outcomes.get(asked, METHODS[1])
    assert found is not None and dict(found.values) == {DELETION.key: 0.5, SPARSITY.key: 1.0}
    assert (found.target, found.evaluations, len(found.places)) == (1, 11, 2)
    np.testing.assert_array_equal(outcomes.saliency(found), np.eye(4, dtype=np.float32))
