"""When a search ends early: the rule against a slow plain version, on maps and in whole searches."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from decam.classifier import wrap
from decam.errors import SettingError
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, Progress, last
from decam.methods import METHODS
from decam.methods.de_cam.fitness import KEEPS
from decam.methods.de_cam.settings import AUTO_BUDGET, AUTO_SETTLED, VARIANTS, DeCamSettings, Spending
from decam.methods.de_cam.settling import BETWEEN, Settling, coarse, looks
from tests.conftest import Rectangle

SIDE = 28


def slow_rule(looks: list[tuple[int, np.ndarray]], wanted: float) -> int | None:
    """The number from 1 of the look at which the map has settled by the rule's words, None where it never has."""
    good = 0
    for number, (evaluations, saliency) in enumerate(looks, start=1):
        earlier = [one for other, one in enumerate(looks[:number], start=1) if other >= 5 and one[0] * 2 <= evaluations]
        if not earlier:
            continue
        alike = spearmanr(earlier[-1][1].ravel(), saliency.ravel()).statistic
        good = good + 1 if alike >= wanted else 0
        if good == 3:
            return number
    return None


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(96, 300), st.floats(0.02, 1.5), st.sampled_from([0.5, 0.8, 0.95]))
def test_a_map_settles_when_the_rule_in_plain_words_says_so(first: int, each: int, noise: float, wanted: float) -> None:
    rng = np.random.default_rng(first)
    true = rng.standard_normal((SIDE, SIDE))
    maps = [true + noise * rng.standard_normal((SIDE, SIDE)) / np.sqrt(number) for number in range(1, 30)]
    looks = [(300 + each * number, one.astype(np.float32)) for number, one in enumerate(maps)]
    settling, found = Settling(wanted), None
    for number, (evaluations, saliency) in enumerate(looks, start=1):
        if settling.observe(evaluations, saliency):
            found = number
            break
    assert found == slow_rule(looks, wanted)
    assert settling.settled == (found is not None)


@pytest.mark.slow
@given(st.lists(st.integers(1, 60), max_size=40))
def test_a_look_follows_the_one_before_after_enough_evaluations(steps: list[int]) -> None:
    done = np.cumsum([200, *steps]).tolist()
    settling, seen = Settling(0.5), []
    for evaluations in done:
        before = settling._looks
        settling.observe(evaluations, np.eye(28, dtype=np.float32))
        seen += [evaluations] if settling._looks > before else []
    assert seen == looks(done) and seen[0] == 200
    assert all(later - earlier >= BETWEEN for earlier, later in itertools.pairwise(seen))
    assert all(any(0 <= at - look < BETWEEN for look in seen) for at in done), "none is put off without a reason"


def test_a_map_that_stays_settles_at_once_and_one_that_is_drawn_anew_never_does() -> None:
    rng = np.random.default_rng(0)
    same = rng.random((56, 56)).astype(np.float32)
    staying, moving = Settling(0.95), Settling(0.95)
    stays = [staying.observe(100 * number, same) for number in range(1, 61)]
    moves = [moving.observe(100 * number, rng.random((56, 56)).astype(np.float32)) for number in range(1, 61)]
    assert stays.index(True) == 11, "the fifth look is the first remembered, the tenth to twelfth are like it"
    assert not any(moves) and len(moving.found) == 51


def test_a_constant_map_is_like_no_other_and_nothing_settles_at_zero() -> None:
    flat, never = Settling(0.5), Settling(0.0)
    for number in range(1, 40):
        assert not flat.observe(100 * number, np.ones((28, 28), np.float32))
        assert not never.observe(100 * number, np.arange(784, dtype=np.float32).reshape(28, 28))
    assert never.found == []


def test_places_are_means_of_blocks() -> None:
    saliency = np.random.default_rng(0).random((56, 84)).astype(np.float32)
    np.testing.assert_allclose(coarse(saliency), saliency.reshape(28, 2, 28, 3).mean(axis=(1, 3)), rtol=1e-5)


def test_the_note_says_after_how_many_evaluations_by_what_and_whether_the_map_had_settled() -> None:
    settled = Settling(0.9)
    settled.found = [0.5, 0.91234, 0.95, 1.0]
    assert settled.in_words(692, 2000) == (
        "The map had settled after 692 of at most 2000 evaluations (rank correlation with the map of half as many last "
        "0.912, 0.950, 1.000; at least 0.9 was asked)."
    )
    settled.found.append(0.7)
    assert settled.in_words(2000, 2000) == (
        "The map had not settled after 2000 evaluations, the most it might cost (rank correlation with the map of half "
        "as many last 0.950, 1.000, 0.700; at least 0.9 was asked)."
    )
    short = Settling(0.9).in_words(400, 400)
    assert short.startswith("This search of 400 evaluations was too short to tell")
    assert short.endswith("whether its map had settled. Raise the budget.")


def finish(rectangle: Rectangle, chosen: DeCamSettings, seed: int = 0) -> tuple[list[Progress], Explanation]:
    """All events of a search, and its end."""
    events = []
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=seed)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.mark.slow
def test_a_search_of_which_little_is_asked_ends_at_the_first_generation_that_the_rule_allows(rectangle) -> None:
    chosen = DeCamSettings(budget=4000, settled=0.01)
    events, made = finish(rectangle, chosen)
    spending = Spending.of(chosen)
    each = len(KEEPS) * spending.population
    assert each == 32, "a look at every third generation"
    after = [spending.seeds + each * number for number in range(1, spending.generations + 1, 3)]
    compared = [evaluations for evaluations in after if evaluations >= 2 * after[4]]
    assert made.evaluations == compared[2] < spending.cost == METHODS["de-cam"].cost(chosen, rectangle.classifier)
    assert made.notes[0].startswith(f"The map had settled after {compared[2]} of at most {spending.cost} evaluations (")
    assert (events[0].total, events[-1].step, events[-1].total) == (spending.cost, compared[2], compared[2])
    assert all(event.step <= event.total for event in events)


@pytest.mark.slow
def test_a_search_that_settles_is_the_longer_one_up_to_its_end_and_the_same_seed_ends_the_same(rectangle) -> None:
    short = DeCamSettings(budget=2000, settled=0.3)
    (events, first), (_, again) = finish(rectangle, short, seed=4), finish(rectangle, short, seed=4)
    longer, _ = finish(rectangle, DeCamSettings(budget=2000), seed=4)
    assert first.evaluations == again.evaluations < 2000 and first.notes == again.notes
    np.testing.assert_array_equal(first.saliency, again.saliency)
    np.testing.assert_array_equal(first.rank_errors, again.rank_errors)
    curves = [event.curves for event in events if event.curves]
    assert curves == [event.curves for event in longer if event.curves][: len(curves)]


@pytest.mark.slow
def test_a_search_that_does_not_settle_costs_and_shows_what_it_would_without(rectangle) -> None:
    """The answers to masks are noise drawn anew for each, so no ranking of the places is better than another."""
    generator = torch.Generator().manual_seed(0)

    def noise(images: torch.Tensor) -> torch.Tensor:
        return torch.rand(len(images), 2, generator=generator)

    def chosen_of(settled: float) -> DeCamSettings:
        return DeCamSettings(budget=1500, settled=settled)

    size = rectangle.classifier.input_size
    found = []
    for settled in (0.999, 0.0):
        generator.manual_seed(0)
        classifier = wrap(noise, labels=["a", "b"], input_size=size, mean=(0.0, 0.0, 0.0), name="noise")
        found.append(last(explain_view(classifier, rectangle.view, "de-cam", chosen_of(settled), 1, seed=0)))
    asked, plain = found
    assert asked.evaluations == plain.evaluations == Spending.of(DeCamSettings(budget=1500)).cost
    np.testing.assert_array_equal(asked.saliency, plain.saliency)
    assert any(note.startswith("The map had not settled after 1500 evaluations") for note in asked.notes)
    assert plain.rank_errors is None and not any("settled" in note for note in plain.notes)
    # The rectangle is a tenth of the picture: where the answer is clear, its places have the first tenth of the ranks
    # by every half of the answers, and cannot depart further. By noise places depart further on average, there too.
    _, clear = finish(rectangle, chosen_of(0.999))
    inside, tenth = coarse(rectangle.mask.astype(np.float32)) > 0.5, 0.1
    assert rectangle.mask.mean() < tenth and clear.rank_errors is not None and asked.rank_errors is not None
    assert clear.rank_errors[inside].max() < tenth < min(asked.rank_errors.mean(), asked.rank_errors[inside].mean())


@pytest.mark.parametrize(("variant", "answer"), [("seeded", 0.25), ("seed only", 0.25), ("seeded", 1e-9)])
@pytest.mark.slow
def test_a_map_of_chance_neither_settles_nor_is_sure_of_its_ranks(rectangle, variant: str, answer: float) -> None:
    """The answer never moves, so the map is a mean of chance: averaged, it moves less and less."""

    def still(images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1 - answer, answer]).expand(len(images), 2)

    size = rectangle.classifier.input_size
    classifier = wrap(still, labels=["a", "b"], input_size=size, mean=(0.0, 0.0, 0.0), name="still")
    chosen = DeCamSettings(budget=1500, variant=variant, settled=0.05)
    made = last(explain_view(classifier, rectangle.view, "de-cam", chosen, 1, seed=0))
    assert made.silent and made.evaluations == Spending.of(chosen).cost
    assert made.rank_errors is None and not any("settled" in note or "rank" in note for note in made.notes)
    assert len(made.notes) == 1, "why it is silent"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_every_variant_ends_early_and_all_but_plain_say_how_sure_they_are(rectangle, variant: str) -> None:
    chosen = DeCamSettings(budget=4000, variant=variant, settled=0.05)
    _, made = finish(rectangle, chosen)
    assert made.evaluations < Spending.of(chosen).cost
    assert (made.rank_errors is None) == (variant == "plain")
    assert any(note.startswith("A place's rank is known to ±") for note in made.notes) == (variant != "plain")


def test_an_automatic_budget_is_a_most_and_a_threshold_unless_one_is_given() -> None:
    assert DeCamSettings.from_mapping({"budget": "auto"}) == DeCamSettings(budget=AUTO_BUDGET, settled=AUTO_SETTLED)
    assert DeCamSettings.from_mapping({"budget": "auto", "settled": 0.8}).settled == 0.8
    assert DeCamSettings.from_mapping({"budget": "auto", "cells": 8}).cells == 8
    assert DeCamSettings(settled=0.5).ends_early and not DeCamSettings().ends_early


@pytest.mark.parametrize("values", [{"budget": "automatic"}, {"settled": 1.0}, {"settled": -0.1}, {"settled": "auto"}])
def test_bad_thresholds_and_budgets_are_refused_in_words(values: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="must"):
        DeCamSettings.from_mapping(values)
