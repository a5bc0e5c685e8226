"""Robustness with methods whose maps are known: what is moved, what is drawn, and Captum's own call."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max
from scipy.stats import spearmanr

from decam.errors import SettingError
from decam.explanation import Progress, Question, Steps
from decam.metrics import Case, Origin
from decam.metrics.robustness import overlap, shifted
from tests.tools.cases import SIZE, case, constant, run, saliency, values, view, weighted

NAMES = ("max-sensitivity", "seed-agreement", "consistency")


def method(make: Callable[[torch.Tensor, int], torch.Tensor], seed: int = 0) -> Origin:
    """A method that makes its map from the image and the seed alone."""

    def steps(question: Question, again: int) -> Steps:
        yield Progress(1, 2, 0)
        return make(question.image, again).numpy().astype(np.float32)

    return Origin(steps, seed)


def brightness(image: torch.Tensor, seed: int) -> torch.Tensor:
    del seed
    return image.mean(0)


def drawn(image: torch.Tensor, seed: int) -> torch.Tensor:
    return torch.rand(image.shape[1:], generator=torch.Generator().manual_seed(seed))


def fixed(image: torch.Tensor, seed: int) -> torch.Tensor:
    del seed
    return torch.from_numpy(saliency(7, tuple(image.shape[1:])))


def judged(make: Callable[[torch.Tensor, int], torch.Tensor], seed: int = 0, size: tuple[int, int] = SIZE) -> Case:
    picture = view(size=size)
    image = torch.from_numpy(picture).permute(2, 0, 1) / 255
    first = make(image, seed).numpy().astype(np.float32)
    return case(weighted(size=size), picture, [first], origins=[method(make, seed)])


def test_max_sensitivity_is_captums_own() -> None:
    found = judged(brightness)
    changed = []

    def keep(images: torch.Tensor) -> torch.Tensor:
        chance = torch.Generator().manual_seed(0)
        noise = torch.stack([torch.rand(images.shape[1:], generator=chance) for _ in images]) * 2 - 1
        changed.append((images + 0.1 * noise).clamp(0, 1))
        return changed[-1]

    expected = sensitivity_max(lambda given: _bright(given), found.question.image[None], keep, n_perturb_samples=6)
    assert values(found, "max-sensitivity", samples=6, radius=0.1) == pytest.approx([float(expected)], rel=1e-5)
    known = found.maps[0]
    slow = max(float(np.linalg.norm(one.mean(0).numpy() - known) / np.linalg.norm(known)) for one in changed[-1])
    assert float(expected) == pytest.approx(slow, rel=1e-5)


def _bright(given: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor | tuple[torch.Tensor, ...]:
    return (given[0].mean(1),) if isinstance(given, tuple) else given.mean(1)


def test_a_map_that_ignores_the_picture_is_perfectly_steady() -> None:
    assert values(judged(fixed), "max-sensitivity") == [0.0]
    assert values(judged(fixed), "seed-agreement") == pytest.approx([1.0])
    assert values(judged(fixed), "consistency")[0] < 0.5


def test_a_larger_radius_changes_more() -> None:
    small, large = (values(judged(brightness), "max-sensitivity", radius=radius)[0] for radius in (0.01, 0.2))
    assert 0 < small < large


def test_seeds_that_agree_get_one_and_seeds_that_do_not_get_their_mean_correlation() -> None:
    assert values(judged(brightness), "seed-agreement") == pytest.approx([1.0])
    maps = [drawn(torch.zeros(3, *SIZE), seed).numpy().ravel() for seed in (4, 5, 6)]
    expected = np.mean([spearmanr(maps[i], maps[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))])
    assert values(judged(drawn, seed=4), "seed-agreement", seeds=2) == pytest.approx([expected], abs=1e-6)


def test_seeds_start_again_after_the_last() -> None:
    assert len(values(judged(drawn, seed=2**63 - 1), "seed-agreement", seeds=2)) == 1


def test_a_map_that_follows_the_picture_is_consistent() -> None:
    assert values(judged(brightness), "consistency", shift=0.2) == pytest.approx([1.0])


def test_consistency_compares_what_both_maps_show() -> None:
    found = judged(fixed)
    known = found.maps[0]
    pairs = [
        (known, known[:, ::-1]),
        (known[:, :-2], known[:, 2:]),
        (known[:, 2:], known[:, :-2]),
        (known[:-2], known[2:]),
        (known[2:], known[:-2]),
    ]
    expected = np.mean([spearmanr(one.ravel(), other.ravel()).statistic for one, other in pairs])
    assert values(found, "consistency", shift=0.17) == pytest.approx([expected], abs=1e-6)


@pytest.mark.parametrize("move", [(0, 3), (0, -3), (2, 0), (-2, 0), (1, -2)])
def test_a_picture_is_moved_by_whole_pixels_and_its_edge_repeated(move: tuple[int, int]) -> None:
    image = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0))
    moved = shifted(image, *move)
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            source = (min(max(y - move[0], 0), SIZE[0] - 1), min(max(x - move[1], 0), SIZE[1] - 1))
            assert torch.equal(moved[:, y, x], image[:, *source])
    before, after = overlap(image[0].numpy(), -move[0], -move[1]), overlap(moved[0].numpy(), *move)
    np.testing.assert_array_equal(before, after)


def test_a_constant_map_agrees_with_none() -> None:
    flat = judged(lambda image, seed: torch.ones(image.shape[1:]) + 0 * seed)
    for name in ("seed-agreement", "consistency"):
        (found,) = run(flat, name)
        assert math.isnan(found.value)
        assert "constant" in found.note
    (found,) = run(flat, "max-sensitivity")
    assert found.value == 0
    assert "constant" in found.note


@pytest.mark.parametrize("name", NAMES)
def test_a_map_of_unknown_origin_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="not known which method made it"):
        run(case(constant(0.5), view(), [saliency()]), name)


@pytest.mark.parametrize("name", NAMES)
def test_several_maps_are_judged_as_each_alone(name: str) -> None:
    maps, origins = [], []
    for make in (brightness, drawn, fixed):
        one = judged(make)
        maps.append(one.maps[0])
        origins.append(one.origins[0])
    together = values(case(weighted(), view(), maps, origins=origins), name)
    assert together == [values(judged(make), name)[0] for make in (brightness, drawn, fixed)]


def test_a_map_of_zeros_has_no_norm_that_a_change_could_be_compared_with() -> None:
    picture = torch.from_numpy(view()).permute(2, 0, 1) / 255
    silent = judged(lambda image, seed: image.mean(0) * float(seed < 0 or not torch.equal(image, picture)))
    (found,) = run(silent, "max-sensitivity")
    assert math.isnan(found.value) and "zero everywhere" in found.note
