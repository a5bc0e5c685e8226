"""DE-CAM's own parts against slow plain versions."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import upsample
from decam.methods import METHODS
from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.fitness import ESTIMATED
from decam.methods.de_cam.random_search import RandomSearch
from decam.methods.de_cam.seeding import LENGTH, STRENGTHS, SmoothRidge
from decam.methods.de_cam.settings import VARIANTS, DeCamSettings, Spending, shortage


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.integers(200, 5000), st.integers(6, 128), st.sampled_from(VARIANTS))
def test_the_budget_is_never_passed_and_nearly_spent(budget: int, population: int, variant: str) -> None:
    spending = Spending.of(DeCamSettings(budget=budget, population=population, variant=variant))
    assert spending.cost <= budget
    if variant == "plain":
        assert (spending.seeds, spending.population) == (0, min(population, budget // 2))
        assert budget - spending.cost < 2 * spending.population
    else:
        assert spending.cost >= budget - 1
        assert spending.seeds >= 40
        assert spending.seeds % 2 == 0


def test_plain_evolution_spends_two_evaluations_an_individual_and_none_on_seeds() -> None:
    chosen = DeCamSettings(budget=1000, population=16, variant="plain")
    spending = Spending.of(chosen)
    assert (spending.seeds, spending.generations, spending.cost) == (0, 31, 992)


def test_the_control_spends_its_budget_as_the_seeded_search_does() -> None:
    seeded, control = (Spending.of(DeCamSettings(variant=variant)) for variant in ("seeded", "random search"))
    assert seeded == control


@pytest.mark.parametrize(("budget", "seeds"), [(500, 150), (1000, 250), (2000, 300)])
def test_seeding_costs_about_what_was_found_to_suffice(budget: int, seeds: int) -> None:
    assert abs(Spending.of(DeCamSettings(budget=budget)).seeds - seeds) <= 48


def slow_gaussian_process(
    seen: np.ndarray, answers: np.ndarray, cells: int, strength: float
) -> tuple[np.ndarray, float, float]:
    """Weights of a Gaussian process seen through the masks, with its residual and its degrees of freedom."""
    places = [((i + 0.5) / cells, (j + 0.5) / cells) for i in range(cells) for j in range(cells)]
    kernel = np.array(
        [[math.exp(-((a - c) ** 2 + (b - d) ** 2) / (2 * LENGTH**2)) for c, d in places] for a, b in places]
    )
    design, centred = seen - seen.mean(0), answers - answers.mean()
    covariance = design @ kernel @ design.T
    hat = covariance @ np.linalg.inv(covariance + strength * np.eye(len(centred)))
    weights = kernel @ design.T @ np.linalg.solve(covariance + strength * np.eye(len(centred)), centred)
    return weights, float(((centred - hat @ centred) ** 2).sum()), float(np.trace(hat))


def test_the_smooth_ridge_is_a_gaussian_process_at_the_strength_of_least_cross_validation() -> None:
    rng = np.random.default_rng(0)
    seen = (rng.random((60, 16)) < 0.5).astype(float)
    answers = seen @ np.r_[np.zeros(5), 1, 1, np.zeros(2), 1, 1, np.zeros(5)] / 4 + 0.05 * rng.standard_normal(60)
    ridge = SmoothRidge(4)
    ridge.add(torch.from_numpy(seen), torch.from_numpy(answers))
    scores = []
    for strength in STRENGTHS.tolist():
        weights, residual, used = slow_gaussian_process(seen, answers, 4, strength)
        scores.append((residual / (60 - 1 - used) ** 2, weights))
    expected = min(scores, key=lambda pair: pair[0])[1]
    np.testing.assert_allclose(ridge.fit().mean.numpy(), expected, atol=1e-4)


def test_posterior_samples_scatter_about_the_mean_less_with_more_answers() -> None:
    def spread(count: int) -> float:
        generator = torch.Generator().manual_seed(0)
        seen = (torch.rand(count, 16, generator=generator) < 0.5).float()
        ridge = SmoothRidge(4)
        ridge.add(seen, seen[:, 5] + 0.1 * torch.randn(count, generator=generator))
        posterior = ridge.fit()
        drawn = posterior.draw(4000, generator)
        torch.testing.assert_close(drawn.mean(0), posterior.mean, atol=0.02, rtol=0)
        return float(drawn.std(0).mean())

    assert spread(400) < spread(60)


@pytest.mark.slow
def test_every_generation_reports_the_curves_of_its_table_row(rectangle) -> None:
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", DeCamSettings(budget=800), 1, seed=0)
    generations = [event for event in steps if event.curves]
    names = {series.name for series in METHODS["de-cam"].series}
    assert len(generations) == Spending.of(DeCamSettings(budget=800)).generations
    assert set(generations[0].curves) == names - {"weight", "rate", "accepted"}, "a first generation has no trials"
    assert all(set(event.curves) == names for event in generations[1:])
    assert all(event.mask is not None and set(np.unique(event.mask)) <= {0.0, 1.0} for event in generations)
    assert all(event.saliency is not None for event in generations)


@pytest.mark.slow
def test_what_is_known_for_certain_never_gets_worse(rectangle) -> None:
    chosen = DeCamSettings(budget=800, variant="plain")
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0)
    best = [event.curves["best"] for event in steps if event.curves]
    assert best == sorted(best) and best[-1] > best[0]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_every_variant_finds_the_rectangle_within_its_cost(rectangle, variant: str) -> None:
    chosen = DeCamSettings(budget=1200, variant=variant)
    explained = last(explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0))
    assert rectangle.mask[np.unravel_index(explained.saliency.argmax(), explained.saliency.shape)]
    assert explained.evaluations == Spending.of(chosen).cost


@pytest.mark.slow
def test_random_search_is_seeded_search_but_for_the_trial_vectors(rectangle) -> None:
    """Both begin with the same guess and the same first generation."""
    firsts = []
    for variant in ("seeded", "random search"):
        chosen = DeCamSettings(budget=800, variant=variant)
        steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=3)
        firsts.append(next(event for event in steps if event.curves))
    assert firsts[0].curves == firsts[1].curves
    np.testing.assert_array_equal(firsts[0].saliency, firsts[1].saliency)


def test_random_search_selects_place_by_place_and_never_gets_worse() -> None:
    generator = torch.Generator().manual_seed(0)
    search = RandomSearch(torch.zeros(4, 3), lambda count: torch.randn(count, 3, generator=generator))
    assert search.tell(torch.tensor([0.0, 1.0, 2.0, 3.0])).accepted.all()
    asked = search.ask()
    generation = search.tell(torch.tensor([1.0, 0.0, 2.0, -1.0]))
    assert generation.accepted.tolist() == [True, False, True, False]
    assert generation.fitness.tolist() == [1.0, 1.0, 2.0, 3.0]
    assert torch.equal(generation.population[0], asked[0]) and not generation.population[1].any()
    assert search.best == 3


def test_random_search_takes_the_draw_that_the_screen_prefers() -> None:
    generator, again = (torch.Generator().manual_seed(0) for _ in range(2))
    search = RandomSearch(torch.zeros(4, 3), lambda count: torch.randn(count, 3, generator=generator))
    search.tell(torch.zeros(4))
    drawn = torch.cat([torch.randn(4, 3, generator=again), torch.randn(8, 3, generator=again)]).view(3, 4, 3)
    asked = search.ask(lambda vectors: vectors.sum(1), candidates=3)
    for i in range(4):
        assert torch.equal(asked[i], max(drawn[:, i], key=lambda vector: float(vector.sum())))


def test_plain_fitness_is_kept_minus_removed_minus_area(rectangle) -> None:
    """With 2 individuals of known answer: the classifier says how much of the rectangle is visible."""
    chosen = DeCamSettings(budget=200, variant="plain", fill="black", cells=8, follow_edges=False)
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0)
    first = next(event for event in steps if event.curves)
    assert first.trace is not None
    grid = first.trace.population[first.trace.best].astype(np.float32)
    mask = upsample(torch.from_numpy(grid).unsqueeze(0), rectangle.mask.shape)[0, 0].numpy()
    inside = mask[rectangle.mask].mean()
    expected = inside - (1 - inside) - grid.mean()
    assert first.curves["best"] == pytest.approx(expected, abs=0.02)
    assert first.curves["probability"] == pytest.approx(inside, abs=0.02)


@pytest.mark.slow
def test_a_small_budget_with_a_large_population_still_gives_a_map(rectangle) -> None:
    chosen = DeCamSettings(budget=200, population=128)
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0)
    events = list(steps)
    assert Spending.of(chosen).generations == 0
    assert events[-1].evaluations == 200


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"budget": 200, "population": 64}, "Nothing was bred after the first population: with 64 individuals"),
        (
            {"budget": 500, "population": 128, "variant": "random search"},
            "Nothing was drawn after the first population",
        ),
        (
            {"budget": 200, "population": 128, "variant": "plain"},
            "200 evaluations pay for 100 individuals",
        ),
        ({"budget": 500}, ""),
        ({"budget": 200}, ""),
        ({"budget": 200, "population": 128, "variant": "seed only"}, ""),
        ({"budget": 300, "population": 128, "variant": "plain"}, ""),
    ],
)
def test_a_budget_too_small_to_evolve_is_said(values: dict[str, Any], complaint: str) -> None:
    said = shortage(DeCamSettings(**values))
    assert said.startswith(complaint) and bool(said) == bool(complaint)
    if "individuals that takes" in said:
        enough = int(said.rsplit(" ", 2)[1])
        assert not shortage(DeCamSettings(**values | {"budget": enough}))
        assert shortage(DeCamSettings(**values | {"budget": enough - 1}))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_the_traces_of_a_search_follow_from_each_other_and_end_in_what_the_curves_say(rectangle, variant: str) -> None:
    chosen = DeCamSettings(budget=1000, variant=variant)
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=2)
    generations = [event for event in steps if event.curves]
    assert len(generations) == Spending.of(chosen).generations
    traces = [event.trace for event in generations if event.trace is not None]
    assert len(traces) == len(generations)
    for before, after in itertools.pairwise(traces):
        np.testing.assert_array_equal(before.population, after.targets)
        if variant == "plain":  # the others' estimates are made again, with what was learned
            np.testing.assert_array_equal(before.fitness, after.before)
        assert after.accepted.tolist() == (after.after >= after.before).tolist()
    for event, trace in zip(generations, traces, strict=True):
        assert trace.fitness[trace.best] == pytest.approx(event.curves["best"], abs=1e-6)
        assert 0 <= event.curves["probability"] <= 1
        kept = [asked.probability for asked in trace.asked if asked.keeps]
        removed = [asked.probability for asked in trace.asked if not asked.keeps]
        if variant == "plain":
            area = float(trace.population[trace.best].mean(dtype=np.float64))
            assert np.mean(kept) - np.mean(removed) - area == pytest.approx(event.curves["best"], abs=1e-3)
            assert event.curves["probability"] == kept[0]
        assert (len(kept), len(removed)) == (1, 1)


@pytest.mark.parametrize("variant", ["seeded", "random search"])
@pytest.mark.slow
def test_the_fitness_that_a_search_ends_with_is_near_the_truth(rectangle, variant: str) -> None:
    """What a few shares and a surrogate tell, against the model's answers at all shares."""
    chosen = DeCamSettings(budget=1000, variant=variant, fill="black")
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=2)
    final = [event.trace for event in steps if event.trace is not None][-1]
    view = torch.from_numpy(rectangle.view).permute(2, 0, 1) / 255
    encoding = Encoding(chosen.cells, view, chosen.follow_edges)
    grids = torch.from_numpy(final.population.astype(np.float32)).flatten(1)
    shown = rank_masks(encoding.maps(grids), ESTIMATED, ESTIMATED)[:, :, rectangle.mask].float().mean(2).numpy()
    truth = shown[:, : len(ESTIMATED)].mean(1) - shown[:, len(ESTIMATED) :].mean(1)
    assert np.abs(final.fitness - truth).max() < 0.1


@pytest.mark.slow
def test_diversity_does_not_depend_on_the_scale_of_rankings(rectangle) -> None:
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", DeCamSettings(budget=1000), 1, seed=0)
    events = [event for event in steps if event.trace is not None]
    grids = events[-1].trace.population.astype(np.float32).reshape(16, -1)
    assert grids.std(axis=1).max() > 1.2, "individuals are no longer at unit deviation"
    unit = (grids - grids.mean(axis=1, keepdims=True)) / grids.std(axis=1, keepdims=True)
    expected = np.linalg.norm(unit - unit.mean(axis=0), axis=1).mean()
    assert events[-1].curves["diversity"] == pytest.approx(expected, rel=1e-2)


def test_random_search_takes_nan_for_the_worst() -> None:
    search = RandomSearch(torch.arange(8.0).view(4, 2), lambda count: torch.ones(count, 2))
    search.tell(torch.tensor([0.1, 0.2, math.nan, 0.4]))
    assert search.best == 3
    search.ask()
    search.tell(torch.tensor([math.nan, math.nan, 0.9, 0.1]))
    assert search.best == 2
    assert search.fitness.tolist() == pytest.approx([0.1, 0.2, 0.9, 0.4])


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_maps_begin_at_zero(rectangle, variant: str) -> None:
    chosen = DeCamSettings(budget=400, variant=variant)
    found = last(explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0)).saliency
    assert found.min() == 0 < found.max()


@pytest.mark.slow
def test_trials_drawn_anew_have_no_parents(rectangle) -> None:
    chosen = DeCamSettings(budget=800, variant="random search")
    steps = explain_view(rectangle.classifier, rectangle.view, "de-cam", chosen, 1, seed=0)
    second = [event.trace for event in steps if event.trace is not None][1]
    assert second.recipe == () and second.parents.shape == (0, 16)
    assert np.isnan(second.weights).all() and np.isnan(second.rates).all()
    assert second.crossed.mean() > 0.9, "a trial is new but where it happens to equal its target"
