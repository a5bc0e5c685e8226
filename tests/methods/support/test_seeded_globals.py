"""A seed alone decides a map: not other threads, not other explanations in turn, not what else was drawn."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from decam.classifier import TorchClassifier
from decam.experiments.explain import explain_view
from decam.explanation import Map, Steps, last
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.methods.support.seeded_globals import Noise, generator_of, normals
from decam.models import load_classifier

# The cheapest each may be, or nearly; other searches have few evaluations, and every other method is asked as it is.
FEW = 250
SMALL: dict[str, dict[str, int | float | str | bool]] = {
    "de-cam": {"budget": 200},
    "cma-es": {"budget": 200},
    "rise": {"budget": 100},
    "occlusion": {"stride": 0.2},
    "feature-ablation": {"regions": 8},
    "feature-permutation": {"regions": 8},
    "lime": {"budget": 50, "regions": 8},
    "kernel-shap": {"budget": 50, "regions": 8},
    "smooth-grad-cam++": {"samples": 2},
    "ss-cam": {"samples": 1},
    "is-cam": {"samples": 1},
    "integrated-gradients": {"steps": 4},
    "extremal-perturbation": {"steps": 4},
    "smoothgrad": {"samples": 4},
    "vargrad": {"samples": 4},
    "gradient-shap": {"samples": 4},
}
ATTENDING = {"attention-branch": "abn", "bilinear-attention": "bcnn", "prototypes": "prototypes"}
THREADS = 6


@pytest.fixture(scope="module")
def models() -> Callable[[str], TorchClassifier]:
    """The classifier that each method is tried on: the embedded one, or one that attends."""
    loaded: dict[str, TorchClassifier] = {}

    def model(method: str) -> TorchClassifier:
        name = "embedded"
        if "attention" in METHODS[method].needs:
            name = ATTENDING.get(method, "small-vit")
        if name not in loaded:
            loaded[name] = load_classifier(name, device="cpu", exact=True)
        return loaded[name]

    return model


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return scene(6_100_000).image


def steps(model: TorchClassifier, view: np.ndarray, method: str, seed: int) -> Steps:
    row = METHODS[method].settings
    small = SMALL.get(method) or {one.name: FEW for one in row.parameters() if one.name == "budget"}
    settings = row.from_mapping(small)
    explanation = yield from explain_view(model, view, method, settings, 3, seed)
    return explanation.saliency


@pytest.fixture(scope="module")
def stochastic(models: Callable[[str], TorchClassifier], view: np.ndarray) -> dict[str, Map]:
    """Every method of which two seeds give two maps, with its map of seed 1 made alone."""
    found = {}
    for method in METHODS:
        one, two = (last(steps(models(method), view, method, seed)) for seed in (1, 2))
        if not np.array_equal(one, two):
            found[method] = one
    return found


def states() -> tuple[object, ...]:
    """Of the generators that the whole process shares."""
    kind, key, *rest = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), kind, key.tobytes(), rest, random.getstate()


@pytest.mark.slow
def test_methods_that_draw_are_found(stochastic: dict[str, Map]) -> None:
    assert {
        *("de-cam", "rise", "lime", "kernel-shap", "feature-permutation"),
        *("smooth-grad-cam++", "ss-cam", "smoothgrad", "vargrad", "gradient-shap", "random", "untrained"),
    } <= set(stochastic)


@pytest.mark.slow
def test_six_threads_give_the_maps_that_each_method_makes_alone(
    stochastic: dict[str, Map], models: Callable[[str], TorchClassifier], view: np.ndarray
) -> None:
    """Every thread begins with another method and draws numbers of its own in between."""
    names, start = list(stochastic), threading.Barrier(THREADS)
    made: list[tuple[str, Map]] = []

    def visit(first: int) -> None:
        start.wait()
        for name in names[first:] + names[:first]:
            torch.rand(1), np.random.random(1), random.random()
            made.append((name, last(steps(models(name), view, name, 1))))

    before = states()
    threads = [threading.Thread(target=visit, args=(place * len(names) // THREADS,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == THREADS * len(names)
    assert {name for name, saliency in made if not np.array_equal(saliency, stochastic[name])} == set()
    assert states() != before  # by the threads' own numbers


@pytest.mark.slow
def test_generators_in_turn_give_the_maps_that_each_makes_alone(
    stochastic: dict[str, Map], models: Callable[[str], TorchClassifier], view: np.ndarray
) -> None:
    """Two of every method, of the seeds 1 and 2, take one step after the other in one thread."""
    before = states()
    going = {(name, seed): steps(models(name), view, name, seed) for name in stochastic for seed in (1, 2)}
    made: dict[tuple[str, int], Map] = {}
    while going:
        for key, one in list(going.items()):
            try:
                next(one)
            except StopIteration as end:
                made[key] = end.value
                del going[key]
    assert {name for name, alone in stochastic.items() if not np.array_equal(made[name, 1], alone)} == set()
    assert states() == before


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_the_generators_of_the_process_are_left_as_they_were(
    method: str, models: Callable[[str], TorchClassifier], view: np.ndarray
) -> None:
    """At every step, not only at the end: whoever draws in between gets their own numbers."""
    model, before = models(method), states()
    for _ in steps(model, view, method, 5):
        assert states() == before
    assert states() == before


def test_a_longer_row_of_noise_begins_like_a_shorter_one() -> None:
    like = torch.zeros(3, 5, 7)
    whole = normals(4, like, generator_of(3))
    generator = generator_of(3)
    assert torch.equal(whole, torch.cat([normals(1, like, generator), normals(3, like, generator)]))
    assert whole.shape == (4, 3, 5, 7)


def test_noise_for_an_extractor_has_the_deviation_asked_for() -> None:
    drawn = Noise(0.3, 7).sample(torch.Size([1, 3, 100, 100]))
    assert drawn.shape == (1, 3, 100, 100)
    assert float(drawn.std()) == pytest.approx(0.3, rel=0.02) and abs(float(drawn.mean())) < 0.01
    assert torch.equal(drawn, Noise(0.3, 7).sample((1, 3, 100, 100)))
