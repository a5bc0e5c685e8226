"""Whether a method stays with its map: the same picture slightly changed, flipped, shifted, or another seed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from captum.metrics import sensitivity_max
from torch import Tensor
from torch.nn.functional import pad

from decam.metrics.base import Case, Measuring, Metric
from decam.metrics.reruns import Remaker
from decam.metrics.scales import CONSTANT, Values, spearman
from decam.settings import Settings, parameter

EMPTY = "The map is zero everywhere, so there is nothing that a change could be compared with."
_PLAIN = "A map was constant, and so has no order to agree with."


@dataclass(frozen=True)
class SensitivitySettings(Settings):
    """How often and how far the picture is changed."""

    samples: int = parameter(10, "Changed images, for each of which every map is made again.", low=1, high=200)
    radius: float = parameter(
        0.02, "Largest change of a pixel's colour, where black is 0 and white is 1.", low=0.001, high=0.5, step=0.01
    )


@dataclass(frozen=True)
class SeedSettings(Settings):
    """How many other seeds are tried."""

    seeds: int = parameter(3, "Further seeds, for each of which every map is made again.", low=1, high=50)


@dataclass(frozen=True)
class ConsistencySettings(Settings):
    """How far the picture is shifted."""

    shift: float = parameter(
        0.03, "How far the image is shifted each way, as a share of its side.", low=0.01, high=0.25, step=0.01
    )


def max_sensitivity(case: Case, settings: SensitivitySettings) -> Measuring:
    """Largest relative change of the map under small random changes of the picture.

    Yeh et al. (2019), by Captum's `sensitivity_max`: the Frobenius norm of the difference over that of
    the map, signed values as they are; changes are uniform in [−radius, radius] for each colour of each pixel and the
    picture stays in [0, 1]. All maps get the same changed pictures, and a method that draws at random its own seed. At
    least 0, lower is better; NaN for a map of zeros, where Captum would give the norm of the difference alone.
    """
    image = case.question.image
    generator = torch.Generator().manual_seed(case.seed)
    changed = []
    for _ in range(settings.samples):
        noise = (torch.rand(image.shape, generator=generator) * 2 - 1) * settings.radius
        changed.append((image + noise.to(image)).clamp(0, 1))
    remaker = Remaker(case, len(case.maps) * settings.samples)
    values, notes = [], []
    for place in range(len(case.maps)):
        made = []
        for one in changed:
            made.append((yield from remaker.map(place, one)))  # noqa: PERF401 - a comprehension cannot yield from
        empty = not case.values[place].any()
        values.append(float("nan") if empty else _captums(image, changed, case.values[place], made))
        notes.append(EMPTY if empty else CONSTANT if case.constant[place] else "")
    return case.measured("max-sensitivity", values, notes)


def _captums(image: Tensor, changed: Sequence[Tensor], saliency: Values, made: Sequence[Values]) -> float:
    """Captum's sensitivity_max of pictures and maps that are there already."""
    map_of_picture = torch.from_numpy(saliency)[None]
    again = torch.from_numpy(np.stack(made))

    def maps(pictures: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        # Captum hands over the picture as it is in a tuple and wants its map in one; the changed ones are a tensor.
        return (map_of_picture,) if isinstance(pictures, tuple) else again

    def pictures(repeated: Tensor) -> Tensor:
        del repeated
        return torch.stack(list(changed))

    return float(sensitivity_max(maps, image[None], pictures, n_perturb_samples=len(changed)))


def seed_agreement(case: Case, settings: SeedSettings) -> Measuring:
    """Mean Spearman correlation of the maps of a method from several seeds, over all pairs.

    The given map and `seeds` others, made from the seeds that follow its own; signed values are ranked. In [−1, 1],
    higher is better: 1 for a method that draws nothing at random, NaN where a map is constant.
    """
    remaker = Remaker(case, len(case.maps) * settings.seeds)
    values = []
    for place in range(len(case.maps)):
        made = [case.values[place]]
        for shift in range(1, settings.seeds + 1):
            made.append((yield from remaker.map(place, shift=shift)))  # noqa: PERF401
        values.append(_mean([spearman(one, other) for one, other in itertools.combinations(made, 2)]))
    return case.measured("seed-agreement", values, [_PLAIN if np.isnan(value) else "" for value in values])


def consistency(case: Case, settings: ConsistencySettings) -> Measuring:
    """Mean Spearman correlation of the map and those of the picture mirrored and shifted, moved back.

    One mirrored left to right, and four shifted to the left, right, top and bottom, with the edge repeated; compared
    where both show the same, signed values ranked. In [−1, 1], higher is better; NaN where a map is constant.
    """
    image = case.question.image
    remaker = Remaker(case, len(case.maps) * MOVED)
    values = []
    for place, known in enumerate(case.values):
        made = [(yield from remaker.map(place, image.flip(-1)))]
        for move in _moves(case, settings):
            made.append((yield from remaker.map(place, shifted(image, *move))))  # noqa: PERF401
        parts = moved_back(case, known, made, settings)
        values.append(_mean([spearman(before, after) for before, after in parts]))
    return case.measured("consistency", values, [_PLAIN if np.isnan(value) else "" for value in values])


MOVED = 5


def moved_back(
    case: Case, known: Values, made: Sequence[Values], settings: ConsistencySettings
) -> list[tuple[Values, Values]]:
    """What is compared: parts of the map and of each of the five made again, which show the same places."""
    mirrored, *others = made
    parts = [(known, mirrored[:, ::-1])]
    for move, other in zip(_moves(case, settings), others, strict=True):
        parts.append((overlap(known, -move[0], -move[1]), overlap(other, *move)))
    return parts


def _moves(case: Case, settings: ConsistencySettings) -> tuple[tuple[int, int], ...]:
    """How far down and right the picture is shifted, in pixels: right, left, down and up."""
    height, width = case.question.image.shape[-2:]
    shift = max(1, min(round(settings.shift * max(height, width)), min(height, width) - 2))
    return ((0, shift), (0, -shift), (shift, 0), (-shift, 0))


def shifted(image: Tensor, down: int, right: int) -> Tensor:
    """The image (3×H×W) moved by whole pixels, its edge repeated where it has left."""
    height, width = image.shape[-2:]
    reach = max(abs(down), abs(right))
    wide = pad(image[None], (reach,) * 4, mode="replicate")[0]
    return wide[:, reach - down : reach - down + height, reach - right : reach - right + width].contiguous()


def overlap(values: Values, down: int, right: int) -> Values:
    """Crop the map of a moved picture to what both pictures show; negative offsets crop the original map alike."""
    height, width = values.shape
    return values[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _again(settings: SensitivitySettings) -> int:
    return settings.samples


def _seeds(settings: SeedSettings) -> int:
    return settings.seeds


def _moved(settings: Settings) -> int:
    del settings
    return MOVED


MAX_SENSITIVITY = Metric(
    name="max-sensitivity",
    title="Max-sensitivity",
    family="robustness",
    summary="How far the map changes, at most, when the image is changed invisibly; lower is better.",
    reference="Yeh et al., On the (In)fidelity and Sensitivity of Explanations (2019), computed by Captum",
    url="https://arxiv.org/abs/1901.09392",
    formula=r"\max_{\|\delta\|_\infty \le r} \frac{\|S(x + \delta) - S(x)\|_F}{\|S(x)\|_F}",
    direction=-1,
    low=0.0,
    high=None,
    weaknesses="A map that ignores the image is perfectly steady, and where the model itself changes its mind an "
    "honest map must follow.",
    settings=SensitivitySettings,
    run=max_sensitivity,
    needs=frozenset({"explain"}),
    remakes=_again,
)

SEED_AGREEMENT = Metric(
    name="seed-agreement",
    title="Agreement across seeds",
    family="robustness",
    summary="How alike the maps are that the method makes from different seeds; higher is better.",
    reference="Spearman, The Proof and Measurement of Association between Two Things (1904)",
    url="https://doi.org/10.2307/1412159",
    formula=r"\frac{2}{n (n + 1)} \sum_{0 \le i < j \le n} \rho\left(S^{(i)}, S^{(j)}\right)",
    direction=1,
    low=-1.0,
    high=1.0,
    weaknesses="Tells nothing of methods without chance, which all get 1, and agreeing maps may all be wrong.",
    settings=SeedSettings,
    run=seed_agreement,
    needs=frozenset({"explain"}),
    remakes=_seeds,
)

CONSISTENCY = Metric(
    name="consistency",
    title="Consistency when moved",
    family="robustness",
    summary="How well the map follows the image when that is mirrored or shifted a little; higher is better.",
    reference="Spearman, The Proof and Measurement of Association between Two Things (1904)",
    url="https://doi.org/10.2307/1412159",
    formula=r"\frac{1}{5} \sum_{t} \rho\left(S(x),\ t^{-1} S(t\,x)\right)",
    direction=1,
    low=-1.0,
    high=1.0,
    weaknesses="Blames the map for a model that answers a moved image otherwise; a map of the edges is consistent "
    "without any model.",
    settings=ConsistencySettings,
    run=consistency,
    needs=frozenset({"explain"}),
    remakes=_moved,
)
