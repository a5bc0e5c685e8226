"""A cover judged as a search judges its candidates: against the same written out, picture by picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from decam.classifier import probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments import by_hand
from decam.experiments.evaluate import question_of
from decam.experiments.history import Frame, frame_of
from decam.explanation import Explanation, Map, Progress, last
from decam.lessons.runs import exact, load
from decam.masking import fill
from decam.methods.de_cam.fitness import ESTIMATED
from decam.methods.de_cam.settings import DeCamSettings

RANKED, PLAIN = DeCamSettings(), DeCamSettings(variant="plain")
SIZE = 128
SEED = 4


def rectangle() -> np.ndarray:
    cover = np.zeros((SIZE, SIZE), np.bool_)
    cover[40:90, 30:100] = True
    return cover


def judged(settings: DeCamSettings, candidate: Map) -> tuple[float, int]:
    """The fitness, and what it cost."""
    classifier, view = exact("embedded"), load("star").views[0]
    question = question_of(classifier, view, 3)
    return last(by_hand.measured(question, settings, SEED, candidate)), question.ledger.evaluations


def answer(settings: DeCamSettings, visible: np.ndarray) -> float:
    """The model's answer to one picture of which this share of each pixel is visible."""
    classifier, view = exact("embedded"), load("star").views[0]
    image = to_tensor(classifier, view)
    hidden = fill(settings.fill, image, classifier.mean, SEED)
    share = torch.from_numpy(visible.astype(np.float32))
    return float(probabilities(classifier, (share * image + (1 - share) * hidden).unsqueeze(0))[0, 3])


@pytest.mark.slow
@given(hnp.arrays(np.bool_, st.tuples(st.integers(2, 8), st.integers(2, 8))))
def test_a_cover_is_the_top_of_its_ranking_and_what_lies_deeper_comes_first(cover: np.ndarray) -> None:
    if cover.all() or not cover.any():
        with pytest.raises(SettingError, match="neither nothing nor all of it"):
            by_hand.candidate_of(cover, RANKED)
        return
    candidate = by_hand.candidate_of(cover, RANKED)
    order = sorted(np.ndindex(cover.shape), key=lambda place: -candidate[place])
    assert {place for place in np.ndindex(cover.shape) if cover[place]} == set(order[: cover.sum()])

    def depth(place: tuple[int, ...]) -> float:
        others = [other for other in np.ndindex(cover.shape) if cover[other] != cover[place]]
        nearest = min(math.dist(place, other) for other in others)
        return nearest if cover[place] else -nearest

    depths = [(round(-depth(place), 5), place) for place in order]
    assert depths == sorted(depths), "equal ones in the order of reading"


@pytest.mark.slow
def test_the_fitness_of_a_ranking_is_its_mean_kept_minus_its_mean_removed() -> None:
    candidate = by_hand.candidate_of(rectangle(), RANKED)
    order = sorted(np.ndindex(candidate.shape), key=lambda place: -candidate[place])
    kept = removed = 0.0
    for share in ESTIMATED:
        top = np.zeros(candidate.shape)
        for place in order[: round(share * len(order))]:
            top[place] = 1
        kept += answer(RANKED, top) / len(ESTIMATED)
        removed += answer(RANKED, 1 - top) / len(ESTIMATED)
    value, cost = judged(RANKED, candidate)
    assert value == pytest.approx(kept - removed, abs=1e-4)
    assert cost == by_hand.cost_of(RANKED) == 20


@pytest.mark.slow
def test_the_fitness_of_a_plain_mask_is_kept_minus_removed_minus_its_area() -> None:
    candidate = by_hand.candidate_of(rectangle(), PLAIN)
    assert np.array_equal(candidate, rectangle())
    soft = candidate * 0.75
    value, cost = judged(PLAIN, soft)
    assert value == pytest.approx(answer(PLAIN, soft) - answer(PLAIN, 1 - soft) - soft.mean(), abs=1e-4)
    assert cost == by_hand.cost_of(PLAIN) == 2


def frame(evaluations: int, values: Map, **curves: float) -> Frame:
    return frame_of(Progress(1, 2, evaluations, values, curves=curves))


def test_a_search_is_compared_at_as_many_evaluations_and_before_its_first_map_not_at_all() -> None:
    rng = np.random.default_rng(0)
    maps = [rng.random((4, 4)).astype(np.float32) for _ in range(3)]
    flat = np.zeros((4, 4), np.float32)
    frames = [frame(32, flat), frame(64, maps[0]), frame(128, maps[1], best=0.25), frame(160, maps[2], best=0.5)]
    assert by_hand.reached(frames, 63, (4, 4)) is None
    for spent, evaluations, values, best in (
        (64, 64, maps[0], None),
        (127, 64, maps[0], None),
        (159, 128, maps[1], 0.25),
        (9999, 160, maps[2], 0.5),
    ):
        found = by_hand.reached(frames, spent, (4, 4))
        assert found is not None
        assert (found.evaluations, found.fitness) == (evaluations, best)
        assert np.allclose(found.candidate, values, atol=1 / 255)
    large = by_hand.reached(frames, 64, (8, 12))
    assert large is not None and large.candidate.shape == (8, 12)


def test_a_search_for_rankings_ends_with_its_finished_map_and_plain_evolution_with_its_last_mask() -> None:
    rng = np.random.default_rng(1)
    way, whole = rng.random((4, 4)).astype(np.float32), rng.random((8, 8)).astype(np.float32)
    frames = [frame(64, way), frame(128, way, best=0.5)]
    made = Explanation("de-cam", whole, 3, "star", 0.9, RANKED, SEED, 130, 1.0)
    ranked = by_hand.ended(frames, made, RANKED)
    plain = by_hand.ended(frames, made, PLAIN)
    assert ranked is not None and plain is not None
    assert (ranked.evaluations, ranked.fitness, ranked.candidate is whole) == (130, 0.5, True)
    assert (plain.evaluations, plain.fitness, plain.candidate.shape) == (128, 0.5, (8, 8))
    assert by_hand.ended([], made, RANKED) is None
