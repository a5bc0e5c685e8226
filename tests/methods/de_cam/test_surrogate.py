"""The surrogate against a Gaussian process written out, and against a model of known answers."""

import math

import numpy as np
import pytest
import torch

from decam.methods.de_cam import surrogate
from decam.methods.de_cam.seeding import LENGTH
from decam.methods.de_cam.surrogate import CELLS, FLOOR, LINEAR, NOISE, REACH, Surrogate, places


def at(masks: np.ndarray) -> torch.Tensor:
    return places(torch.from_numpy(masks))


def shares(masks: np.ndarray) -> np.ndarray:
    side = masks.shape[1] // CELLS
    return masks.reshape(len(masks), CELLS, side, CELLS, side).mean((2, 4)).reshape(len(masks), -1)


def slow(masks: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Predictions by the textbook formula, with kernels in loops."""
    centres = [((i + 0.5) / CELLS, (j + 0.5) / CELLS) for i in range(CELLS) for j in range(CELLS)]
    smooth = np.array(
        [[math.exp(-((a - c) ** 2 + (b - d) ** 2) / (2 * LENGTH**2)) for c, d in centres] for a, b in centres]
    )
    seen = shares(masks)
    centre = seen.mean(0)
    seen, new = seen - centre, shares(asked) - centre
    odds = np.log((answers + FLOOR) / (1 + FLOOR - answers))
    level, scale = odds.mean(), odds.std()
    wanted = (odds - level) / scale

    def squared(a: np.ndarray, b: np.ndarray) -> float:
        return float((a - b) @ smooth @ (a - b))

    # The lower of the two middle values where their number is even, as torch has it.
    between = sorted(squared(a, b) for a in seen for b in seen)
    middle = between[(len(between) - 1) // 2]
    power = np.mean([a @ smooth @ a for a in seen])

    def covariance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.array(
            [
                [LINEAR * (a @ smooth @ b) / power + math.exp(-squared(a, b) / (2 * REACH**2 * middle)) for b in right]
                for a in left
            ]
        )

    own, best = covariance(seen, seen), (-math.inf, 0.0)
    for noise in NOISE:
        noisy = own + noise * np.eye(len(own))
        misfit = wanted @ np.linalg.solve(noisy, wanted) / len(wanted)
        best = max(best, (-0.5 * len(wanted) * math.log(misfit) - 0.5 * np.linalg.slogdet(noisy)[1], noise))
    odds = covariance(new, seen) @ np.linalg.solve(own + best[1] * np.eye(len(own)), wanted) * scale + level
    return ((1 + FLOOR) * np.exp(odds) - FLOOR) / (1 + np.exp(odds))


def drawn(count: int, seed: int) -> np.ndarray:
    grids = np.random.default_rng(seed).random((count, CELLS, CELLS)) < 0.5
    return np.kron(grids, np.ones((2, 2), bool))


def test_it_is_a_gaussian_process() -> None:
    masks, asked = drawn(40, 0), drawn(9, 1)
    answers = np.random.default_rng(2).random(40) * 0.2 + 0.6 * shares(masks)[:, 10]
    fitted = Surrogate()
    fitted.add(at(masks[:25]), torch.from_numpy(answers[:25]))
    fitted.add(at(masks[25:]), torch.from_numpy(answers[25:]))
    fitted.fit()
    got = fitted.predict(at(asked)).numpy()
    # The smooth kernel is kept positive by 1e-6 on its diagonal.
    np.testing.assert_allclose(got, slow(masks, answers, asked), atol=1e-3)


def test_it_learns_what_decides() -> None:
    """A model that needs two cells together: no linear regression could say so."""
    masks, asked = drawn(600, 3), drawn(200, 4)

    def answer(masks: np.ndarray) -> np.ndarray:
        seen = shares(masks)
        return 0.05 + 0.9 * seen[:, 16:19].mean(1) * seen[:, 30:33].mean(1)

    fitted = Surrogate()
    fitted.add(at(masks), torch.from_numpy(answer(masks)))
    fitted.fit()
    predicted = fitted.predict(at(asked)).numpy()
    assert np.corrcoef(predicted, answer(asked))[0, 1] > 0.9
    assert (predicted > 0).all() and (predicted < 1).all()


def test_only_the_latest_answers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogate, "LATEST", 30)
    long, short = Surrogate(), Surrogate()
    old, new = at(drawn(20, 5)), at(drawn(30, 6))
    answers = torch.rand(30, generator=torch.Generator().manual_seed(0))
    long.add(old, torch.rand(20, generator=torch.Generator().manual_seed(1)))
    for one in (long, short):
        one.add(new, answers)
        one.fit()
    assert torch.equal(long.predict(old), short.predict(old))


def test_all_answers_of_the_last_time_count_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    many, few = Surrogate(), Surrogate()
    new, answers = at(drawn(50, 6)), torch.rand(50, generator=torch.Generator().manual_seed(0))
    few.add(new, answers)
    few.fit()
    monkeypatch.setattr(surrogate, "LATEST", 30)
    many.add(at(drawn(20, 5)), torch.rand(20, generator=torch.Generator().manual_seed(1)))
    many.add(new, answers)
    many.fit()
    assert torch.equal(many.predict(new), few.predict(new))


def test_a_model_that_always_answers_the_same_is_predicted_to_do_so() -> None:
    fitted = Surrogate()
    fitted.add(at(drawn(50, 7)), torch.full((50,), 0.3))
    fitted.fit()
    torch.testing.assert_close(fitted.predict(at(drawn(5, 8))), torch.full((5,), 0.3), atol=1e-3, rtol=0)
