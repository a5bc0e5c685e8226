"""One table names every method; all of them run, cost what they say, repeat, stop, and find what is there to find."""

import re

import numpy as np
import pytest
import torch

from decam import methods
from decam.classifier import TorchClassifier
from decam.errors import MethodError
from decam.experiments.explain import explain_view
from decam.explanation import Progress, last
from decam.masking import FILLS
from decam.methods import METHODS, ClassMethod, get
from decam.methods.base import EXAMPLE, Method
from decam.methods.table import CLASS_METHODS
from decam.settings import Settings
from tests.tools.networks import small_classifier
from tests.tools.rows import made_in

QUICK: dict[str, dict[str, int | float | str | bool]] = {
    "de-cam": {"budget": 400},
    "cma-es": {"budget": 400},
    "integrated-gradients": {"steps": 8},
    "extremal-perturbation": {"steps": 4},
    "rise": {"budget": 300},
    "lime": {"budget": 200},
    "kernel-shap": {"budget": 200},
}


# Attention models have tests of their own: one network does not attend in every way.
ON_ANY_NETWORK = [name for name, row in METHODS.items() if "attention" not in row.needs]


def quick(name: str) -> Settings:
    return METHODS[name].settings.from_mapping(QUICK.get(name, {}))


@pytest.fixture(scope="module")
def small() -> TorchClassifier:
    """An untrained network with everything a method may ask for."""
    return small_classifier()


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def test_every_row_that_a_module_makes_is_in_a_table_once_and_complete() -> None:
    rows = [*METHODS.values(), *CLASS_METHODS.values()]
    assert {id(row) for row in made_in(methods, Method, ClassMethod)} == {id(row) for row in rows}
    assert len({row.name for row in rows}) == len(rows)
    for table in (METHODS, CLASS_METHODS):
        assert all(row.name == name and row.summary.endswith(".") and row.reference for name, row in table.items())


@pytest.mark.parametrize("name", METHODS)
def test_a_row_says_how_it_works_what_it_is_good_for_and_when_it_misleads(name: str) -> None:
    row = METHODS[name]
    assert row.formula and row.url.startswith("http")
    assert row.strengths.endswith(".") and row.misleads.endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_ANY_NETWORK)
def test_every_method_gives_a_sound_map_at_the_cost_it_names(
    name: str, small: TorchClassifier, view: np.ndarray
) -> None:
    settings = quick(name)
    events: list[Progress] = []
    steps = explain_view(small, view, name, settings, target=2, seed=0)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            explanation = end.value
            break
    assert explanation.saliency.shape == (40, 40)
    assert explanation.saliency.dtype == np.float32
    assert np.isfinite(explanation.saliency).all()
    assert explanation.target == 2
    assert explanation.label == "c"
    assert explanation.evaluations == METHODS[name].cost(settings, small)
    assert explanation.saliency.min() >= 0 or METHODS[name].signed
    assert [event.evaluations for event in events] == sorted(event.evaluations for event in events)
    assert all(0 <= event.step <= event.total for event in events)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_ANY_NETWORK)
def test_the_same_seed_gives_the_same_map_bit_for_bit(name: str, small: TorchClassifier, view: np.ndarray) -> None:
    one, two = (last(explain_view(small, view, name, quick(name), 1, seed=7)).saliency for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["de-cam", "rise", "random"])
def test_another_seed_gives_another_map(name: str, small: TorchClassifier, view: np.ndarray) -> None:
    one, two = (last(explain_view(small, view, name, quick(name), 1, seed=seed)).saliency for seed in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("name", [name for name in ON_ANY_NETWORK if METHODS[name].needs])
def test_closing_stops_between_two_batches(name: str, small: TorchClassifier, view: np.ndarray) -> None:
    asked = 0
    answer = small.answer

    def counted(normalised: torch.Tensor) -> torch.Tensor:
        nonlocal asked
        asked += 1
        return answer(normalised)

    small.answer = counted  # type: ignore[method-assign]  # counts the batches that are asked after the stop
    try:
        steps = explain_view(small, view, name, quick(name), 1, seed=0)
        for _ in zip(range(2), steps, strict=False):
            pass
        before = asked
        steps.close()
        assert asked == before
    finally:
        del small.answer  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_a_black_box_is_explained_or_refused_with_a_sentence(name: str, rectangle) -> None:
    row = METHODS[name]
    steps = explain_view(rectangle.classifier, rectangle.view, name, quick(name), rectangle.target, seed=0)
    if row.needs <= {"output"}:
        assert row.obstacle(rectangle.classifier) == ""
        assert last(steps).saliency.shape == rectangle.mask.shape
        return
    with pytest.raises(
        MethodError, match=f"{re.escape(row.title)} needs the model's .*, which rectangle does not give"
    ):
        next(steps)


BUDGETED = [
    name
    for name, row in METHODS.items()
    if row.needs == {"output"} and "budget" in {one.name for one in row.settings.parameters()}
]
BY_GEOMETRY = {"occlusion", "feature-ablation", "feature-permutation"}  # what they cost follows from places or regions


def test_black_boxes_name_what_they_may_cost_and_what_hides_pixels_alike() -> None:
    asking = {name for name, row in METHODS.items() if row.needs == {"output"}}
    assert asking == set(BUDGETED) | BY_GEOMETRY
    for name in BUDGETED:
        described = {one.name: one for one in METHODS[name].settings.parameters()}
        assert not described.keys() & {"masks", "samples", "evaluations"}
        assert name == "mc-rise" or described["fill"].choices == FILLS  # MC-RISE hides with colours


@pytest.mark.parametrize("name", BUDGETED)
def test_a_black_box_has_a_map_before_half_of_its_budget_is_spent(
    name: str, small: TorchClassifier, view: np.ndarray
) -> None:
    settings = quick(name)
    for event in explain_view(small, view, name, settings, 1, seed=0):
        if event.saliency is not None:
            assert event.evaluations <= METHODS[name].cost(settings, small) / 2
            assert event.saliency.ndim == 2 and np.isfinite(event.saliency).all()
            return
    pytest.fail("there was no map on the way")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["occlusion", *BUDGETED])
def test_black_box_methods_find_the_rectangle_that_the_answer_depends_on(name: str, rectangle) -> None:
    row = METHODS[name]
    given = {"fill": "black"} if "fill" in {one.name for one in row.settings.parameters()} else {}
    settings = row.settings.from_mapping(given)
    found = last(explain_view(rectangle.classifier, rectangle.view, name, settings, rectangle.target, seed=0)).saliency
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert rectangle.mask[row, column]
    inside = int(rectangle.mask.sum())
    brightest = found >= np.sort(found.reshape(-1))[-inside]
    assert (brightest & rectangle.mask).sum() / (brightest | rectangle.mask).sum() > 0.5
    if name != "greedy-regions":  # whose map is of ranks, as many high ones as low ones
        assert found[rectangle.mask].mean() > found[~rectangle.mask].mean() + 2 * found[~rectangle.mask].std()


def test_an_example_costs_little_and_as_much_for_all_that_spend_a_budget(embedded: TorchClassifier) -> None:
    for name, row in METHODS.items():
        settings = row.settings.from_mapping(row.example)
        assert row.obstacle(embedded) or row.cost(settings, embedded) <= EXAMPLE, name
        assert name not in BUDGETED or settings.to_mapping()["budget"] == EXAMPLE, name


def test_an_unknown_method_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(MethodError, match=r"There is no method 'gradcam'.*Did you mean 'grad-cam'"):
        get("gradcam")
