"""Where a search could have stopped: as the search that may end early says itself, and by counting looks by hand."""

from __future__ import annotations

import numpy as np
import pytest

from decam.experiments.explain import explain_view
from decam.experiments.history import History
from decam.methods.de_cam.fitness import KEEPS
from decam.methods.de_cam.settings import AUTO_SETTLED, VARIANTS, DeCamSettings, Spending
from decam.methods.de_cam.stopping import least, stopping
from tests.conftest import Rectangle

Looks = list[tuple[int, np.ndarray]]


def looks_of(settings: DeCamSettings, maps: np.ndarray | None = None) -> Looks:
    """What a search with these settings looks at, after each generation; by default always the same map."""
    spending = Spending.of(settings)
    each = spending.population * len(KEEPS)
    same = np.arange(784, dtype=np.float32).reshape(28, 28)
    return [
        (spending.seeds + each * number, same if maps is None else maps[number - 1])
        for number in range(1, spending.generations + 1)
    ]


def kept_by(rectangle: Rectangle, settings: DeCamSettings) -> tuple[Looks, int]:
    """The maps of the generations as the frames of a run keep them, and what the search cost."""
    history, steps = History(), explain_view(rectangle.classifier, rectangle.view, "de-cam", settings, 1, seed=4)
    while True:
        try:
            history.add(next(steps))
        except StopIteration as end:
            kept = [(frame.evaluations, frame.values()) for frame in history.frames() if frame.curves]
            return [(cost, saliency) for cost, saliency in kept if saliency is not None], end.value.evaluations


@pytest.mark.slow
@pytest.mark.parametrize("settled", [0.3, 0.7])
def test_the_maps_that_a_run_keeps_say_where_the_search_that_may_end_early_ends(rectangle, settled: float) -> None:
    ending = DeCamSettings(budget=2500, settled=settled)
    _, cost = kept_by(rectangle, ending)
    whole, spent = kept_by(rectangle, DeCamSettings(budget=2500))
    assert cost < spent == 2500
    assert stopping(ending, whole).evaluations == cost


def test_a_search_whose_map_stays_could_have_stopped_as_soon_as_the_rule_allows() -> None:
    settings = DeCamSettings(budget=4000)
    looks = looks_of(settings)
    every_third = [evaluations for evaluations, _ in looks][::3]  # 3 generations of 32 are 96 evaluations
    compared = [evaluations for evaluations in every_third if evaluations >= 2 * every_third[4]]
    judged = stopping(settings, looks)
    assert judged.evaluations == compared[2]
    assert judged.sentence.startswith(f"This search could have stopped after {compared[2]:,} of 4,000 evaluations:")
    assert f"Settled at {AUTO_SETTLED:g}" in judged.sentence


def test_a_search_whose_map_is_drawn_anew_would_not_have_stopped_and_its_correlations_say_why() -> None:
    settings = DeCamSettings(budget=4000)
    maps = np.random.default_rng(0).random((120, 28, 28), dtype=np.float32)
    judged = stopping(settings, looks_of(settings, maps))
    assert judged.evaluations is None
    assert judged.sentence.startswith("This search could not have stopped early:") and "was last" in judged.sentence


def test_a_usual_search_is_too_short_and_the_sentence_says_how_long_it_would_have_to_be() -> None:
    settings = DeCamSettings(budget=1000)
    judged = stopping(settings, looks_of(settings))
    assert judged.evaluations is None
    assert judged.sentence.startswith("This search of 1,000 evaluations was too short to stop early.")
    assert f"a budget of at least {least(settings):,}." in judged.sentence
    assert 1600 <= least(settings) <= 1800


@pytest.mark.parametrize("population", [6, 16, 40])
def test_the_shortest_search_that_can_be_ended_is_ended_where_its_map_stays_and_one_shorter_is_not(
    population: int,
) -> None:
    settings = DeCamSettings(budget=200, population=population)
    shortest = least(settings)
    enough = DeCamSettings(budget=shortest, population=population)
    assert stopping(enough, looks_of(enough)).evaluations is not None
    short = DeCamSettings(budget=shortest - 1, population=population)
    assert stopping(short, looks_of(short)).evaluations is None


def test_a_search_that_was_to_end_early_is_judged_by_what_it_asked() -> None:
    same = np.random.default_rng(0).random((28, 28), dtype=np.float32)
    noisy = [same + 0.3 * np.random.default_rng(seed).random((28, 28), dtype=np.float32) for seed in range(120)]
    usual, modest = DeCamSettings(budget=4000), DeCamSettings(budget=4000, settled=0.5)
    assert stopping(usual, looks_of(usual, np.stack(noisy))).evaluations is None
    judged = stopping(modest, looks_of(modest, np.stack(noisy)))
    assert judged.evaluations is not None and "Settled at 0.5" in judged.sentence


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_judged_and_without_any_map_nothing_could_have_stopped(variant: str) -> None:
    judged = stopping(DeCamSettings(variant=variant), [])
    assert judged.evaluations is None and judged.sentence.endswith(".")
