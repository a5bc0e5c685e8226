"""Generations judged at the end: beside the estimator asked one by one, and in whole searches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from decam.evolution.generation import Generation
from decam.experiments.explain import explain_view
from decam.experiments.history import Frame, in_hindsight
from decam.explanation import Explanation, last
from decam.methods import METHODS
from decam.methods.de_cam.encoding import Encoding
from decam.methods.de_cam.fitness import FitnessEstimator, Shares
from decam.methods.de_cam.hindsight import Hindsight
from tests.conftest import Rectangle


def test_all_generations_are_judged_by_the_last_answers() -> None:
    generator = torch.Generator().manual_seed(0)
    estimator = FitnessEstimator(Encoding(5, torch.rand(3, 28, 28, generator=generator), False))
    past, generations = Hindsight(estimator), []
    for _ in range(3):
        population = torch.randn(8, 25, generator=generator)
        worth = estimator.observe(population, Shares.drawn(generator), torch.rand(8, 2, generator=generator))
        generations.append(Generation(torch.ones(8, dtype=torch.bool), population, worth))
        past.add(generations[-1])
    judged = last(past.judged())
    assert judged.shape == (3, 3) and judged.dtype == np.float32
    for found, generation in zip(judged, generations, strict=True):
        one_by_one = np.array([float(estimator.predict(each.unsqueeze(0))) for each in generation.population])
        np.testing.assert_allclose(found, [one_by_one.max(), one_by_one.mean(), one_by_one.std()], atol=1e-4)
    assert abs(judged[0, 0] - float(generations[0].fitness.max())) > 1e-3, "the first estimates came from few answers"


def made(variant: str, rectangle: Rectangle) -> Explanation:
    """A short search for the rectangle that a model looks at."""
    settings = METHODS["de-cam"].settings.from_mapping({"variant": variant, "budget": 500, "population": 8})
    return last(explain_view(rectangle.classifier, rectangle.view, "de-cam", settings, rectangle.target, 0))


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["seeded", "random search", "plain", "seed only"])
def test_searches_that_estimate_say_in_the_end_what_their_generations_were_worth(
    variant: str, rectangle: Rectangle
) -> None:
    explanation = made(variant, rectangle)
    if variant in ("plain", "seed only"):  # what is measured needs no second judgement, and without generations is none
        assert explanation.fitness is None or not len(explanation.fitness)
        return
    assert explanation.fitness is not None
    best, mean, spread = explanation.fitness.T
    assert len(best) > 2 and (best >= mean).all() and (spread >= 0).all()
    if variant == "seeded":
        assert mean[-1] > mean[0] and best[-1] > best[0]


def test_curves_take_up_the_last_judgement_and_keep_what_was_not_judged_again() -> None:
    frames = [Frame(10 * n, {"best": 0.5, "mean": 0.4, "spread": 0.1, "diversity": float(n)}) for n in (1, 2)]
    fitness = np.array([[0.25, 0.125, 0.0], [0.5, 0.25, 0.0]], np.float32)
    again = in_hindsight(frames, fitness)
    assert [frame.curves["best"] for frame in again] == [0.25, 0.5]
    assert [frame.curves["diversity"] for frame in again] == [1.0, 2.0]
    assert [dataclasses.replace(frame, curves={}) for frame in again] == [
        dataclasses.replace(frame, curves={}) for frame in frames
    ]
    assert in_hindsight(frames, None) == tuple(frames) == in_hindsight(frames, fitness[:1])
