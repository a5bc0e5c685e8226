"""Maps in the making are measured as finished maps are, each by itself, and averaged over what they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from decam.classifier import Classifier, to_tensor, wrap
from decam.errors import SettingError
from decam.experiments.evaluate import curves_view
from decam.explanation import Map, Question, last
from decam.metrics import ANYTIME, METRICS, Case, FaithfulnessSettings, Request, evaluate
from decam.metrics.anytime import AnytimeSettings, at_full_size, chosen
from decam.metrics.base import Running

SIZE = (12, 10)
VIEW = np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
KINDS = ("insertion", "deletion")


def uneven() -> Classifier:
    """Probability of the first class: brightness, where the upper half counts three times."""
    weights = torch.ones(SIZE)
    weights[: SIZE[0] // 2] = 3
    weights /= weights.sum() * 3

    def function(images: torch.Tensor) -> torch.Tensor:
        share = (images * weights).sum(dim=(1, 2, 3))
        return torch.stack([share, 1 - share], dim=1)

    return wrap(function, labels=["bright", "dark"], input_size=SIZE, batch_size=7)


def drawn(seed: int) -> Map:
    return np.random.default_rng(seed).random(SIZE, dtype=np.float32)


def a_case(*ways: Running) -> Case:
    classifier = uneven()
    question = Question(classifier, to_tensor(classifier, VIEW), 0)
    return Case(question, tuple(way[-1][1] for way in ways), running=ways)


def alone(saliency: Map, kind: str, settings: AnytimeSettings) -> float:
    """What the metric of finished maps says of a map."""
    plain = FaithfulnessSettings(steps=settings.steps, fill=settings.fill)
    (found,) = last(curves_view(uneven(), VIEW, [saliency], 0, kind, plain))
    return found.value


@pytest.mark.parametrize("kind", KINDS)
def test_each_point_is_what_the_metric_says_of_that_map_alone(kind: str) -> None:
    settings = AnytimeSettings(steps=6, fill="black", points=4)
    short = ((30, drawn(0)), (60, drawn(1)))
    long = tuple((100 * number, drawn(number)) for number in range(1, 5))
    found = last(ANYTIME[f"anytime-{kind}"].run(a_case(short, long), settings))
    for way, measured in zip((short, long), found, strict=True):
        assert measured.curve is not None
        np.testing.assert_allclose(measured.curve.shares, [cost / way[-1][0] for cost, _ in way], rtol=1e-6)
        values = [alone(saliency, kind, settings) for _, saliency in way]
        np.testing.assert_allclose(measured.curve.values, values, rtol=1e-5)
    halves = found[0].curve.values
    assert found[0].value == pytest.approx(halves.mean(), rel=1e-6), "between two points the line is straight"


def test_a_map_that_was_there_at_once_counts_by_itself() -> None:
    settings = AnytimeSettings(steps=4)
    (found,) = last(ANYTIME["anytime-insertion"].run(a_case(((50, drawn(3)),)), settings))
    assert found.value == pytest.approx(alone(drawn(3), "insertion", settings), rel=1e-5)
    assert found.curve is not None and found.curve.shares.tolist() == [1.0]


def test_a_map_that_cost_nothing_counts_by_itself_too() -> None:
    (found,) = last(ANYTIME["anytime-deletion"].run(a_case(((0, drawn(3)),)), AnytimeSettings(steps=4)))
    assert np.isfinite(found.value)


@pytest.mark.slow
@given(st.lists(st.integers(1, 400), min_size=1, max_size=40, unique=True), st.integers(2, 16), st.data())
def test_at_equal_shares_of_the_evaluations_the_latest_map_that_tells_something_is_chosen(
    costs: list[int], points: int, data: st.DataObject
) -> None:
    costs.sort()
    flat = [data.draw(st.booleans()) for _ in costs]
    way = tuple(
        (cost, np.full((2, 2), 1, np.float32) if even else np.array([[0, cost], [1, 2]], np.float32))
        for cost, even in zip(costs, flat, strict=True)
    )
    wanted = []
    for number in range(1, points):
        most = number * costs[-1] / points
        there = [cost for cost, even in zip(costs[:-1], flat[:-1], strict=True) if not even and cost <= most]
        if there and there[-1] not in wanted:
            wanted.append(there[-1])
    assert [cost for cost, _ in chosen(way, points)] == [*wanted, costs[-1]]


def test_a_coarse_map_is_interpolated_between_the_centres_of_its_cells() -> None:
    coarse = np.random.default_rng(2).random((3, 5), dtype=np.float32)
    rows = np.clip((np.arange(12) + 0.5) * 3 / 12 - 0.5, 0, 2)
    columns = np.clip((np.arange(10) + 0.5) * 5 / 10 - 0.5, 0, 4)
    wanted = map_coordinates(coarse.astype(float), np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest")
    np.testing.assert_allclose(at_full_size(coarse, SIZE), wanted, rtol=1e-5, atol=1e-6)
    whole = drawn(0)
    assert at_full_size(whole, SIZE) is whole


def test_measuring_costs_at_most_what_the_table_says_and_counts_it_apart() -> None:
    settings = AnytimeSettings(steps=5, points=3)
    case = a_case(tuple((number, drawn(number)) for number in range(1, 30)))
    last(ANYTIME["anytime-insertion"].run(case, settings))
    assert case.question.ledger.evaluations == ANYTIME["anytime-insertion"].cost(settings, 1) == 3 * 6


def test_without_the_maps_that_led_to_a_map_the_metric_says_what_it_needs() -> None:
    row = ANYTIME["anytime-insertion"]
    case = Case(a_case(((1, drawn(0)),)).question, (drawn(0),))
    with pytest.raises(SettingError, match="needs those that led to each map, as a run keeps them"):
        last(evaluate(case, [Request(row, row.settings())]))


def test_the_rows_stand_beside_the_table_of_metrics_and_are_read_together() -> None:
    assert not set(ANYTIME) & set(METRICS)
    insertion, deletion = (ANYTIME[f"anytime-{kind}"] for kind in KINDS)
    assert insertion.difference is not None and insertion.difference.less == deletion.name
    assert (insertion.direction, deletion.direction) == (1, -1)
    assert insertion.sequence is None, "its points are maps, not images with pixels hidden"
