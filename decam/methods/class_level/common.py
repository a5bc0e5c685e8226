"""What maps of classes are made of: the space in which steps are taken, moments, projection, transforms, measuring."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.explanation import ClassMap, Unit
from decam.methods.class_level.asking import Road
from decam.methods.class_level.samples import Sampler, Size, radial_frequency
from decam.methods.support.seeded_globals import generator_of
from decam.shares import percent

CLIPPING_LIMIT = 0.5  # of a map's energy: a reader is told where clipping takes more
QUANTILE = 0.95  # of a unit's activations without the map, beyond which the unit counts as raised
MEASURED = 4  # times at most that fresh samples are asked: with the map, without, a control, a unit's quantile
BETAS = (0.9, 0.999)


class Basis:
    """A linear map P from steps to pictures: colours, spectrum and window.

    A gradient g by the picture becomes Pᵀg before its moments are taken, and a step s becomes Ps. `colour` is the
    weight of what differs between the three colours beside their mean: below 1 a step is mostly lightness, as what
    differs between natural pictures is. The spectrum is f^−`slope`, times a Gaussian
    of `cutoff` cycles a picture unless that is 0. `window` is the radius, in shares of the side, beyond which a
    window exp(−(r/window)⁴) lets nothing pass; 0 is no window. All three are this project's own.
    """

    def __init__(self, size: Size, colour: float, slope: float, cutoff: float, window: float) -> None:
        self._size = size
        self._mixing = colour * torch.eye(3) + (1 - colour) / 3
        cycles = radial_frequency(size) * max(size)
        spectrum = cycles.clamp_min(1) ** -slope
        if cutoff:
            spectrum = spectrum * torch.exp(-0.5 * (cycles / cutoff) ** 2)
        self._spectrum = spectrum
        self._window = window_of(size, window)

    def picture(self, steps: Tensor) -> Tensor:
        """P: K×3×H×W to K×3×H×W."""
        return self._window * self._filtered(self._mixed(steps))

    def step(self, slopes: Tensor) -> Tensor:
        """Pᵀ: K×3×H×W to K×3×H×W."""
        return self._mixed(self._filtered(self._window * slopes))

    def _mixed(self, values: Tensor) -> Tensor:
        return torch.einsum("ij,kjhw->kihw", self._mixing, values)

    def _filtered(self, values: Tensor) -> Tensor:
        filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(values) * self._spectrum, s=self._size)
        return filtered


def window_of(size: Size, radius: float) -> Tensor:
    """H×W in [0, 1]: exp(−(r/radius)⁴) for r sides from the middle; ones for a radius of 0."""
    if not radius:
        return torch.ones(size)
    rows, columns = (((torch.arange(side) + 0.5) / side - 0.5) for side in size)
    distance = torch.sqrt(rows[:, None] ** 2 + columns[None] ** 2)
    return torch.exp(-((distance / radius) ** 4))


@dataclass
class Moments:
    """Bias-corrected first and second moments of gradients (Kingma and Ba 2015), one set a map.

    With `each` the second moment is of each value, as in the paper (Akhtar and Jalwana 2023, after their "Attack to
    explain", 2020); without, it is the mean over a map, so that the map keeps the gradient's shape (ours).
    """

    each: bool
    first: Tensor = field(default_factory=lambda: torch.zeros(()))
    second: Tensor = field(default_factory=lambda: torch.zeros(()))
    count: int = 0

    def step(self, slopes: Tensor) -> Tensor:
        """Take in gradients (K×…) and give the direction m̂ / √v̂ (K×…)."""
        self.count += 1
        keep, keep_squares = BETAS
        self.first = keep * self.first + (1 - keep) * slopes
        self.second = keep_squares * self.second + (1 - keep_squares) * slopes.square()
        mean = self.first / (1 - keep**self.count)
        squares = self.second / (1 - keep_squares**self.count)
        if not self.each:
            squares = squares.flatten(1).mean(1).view(-1, *[1] * (slopes.ndim - 1))
        return mean / squares.sqrt().clamp_min(torch.finfo(torch.float32).tiny)

    def keep(self, rows: Tensor) -> None:
        """Forget the maps that are not in `rows`."""
        if self.first.ndim:
            self.first, self.second = self.first[rows], self.second[rows]


def stage_seed(seed: int, *stage: int) -> int:
    """A seed for one stage of a question, which depends on nothing that other questions or stages draw."""
    return int(np.random.SeedSequence([seed, *stage]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def norms(maps: Tensor) -> Tensor:
    """L2 norm of each map (K×… to K)."""
    lengths: Tensor = maps.flatten(1).norm(dim=1)
    return lengths


def unit_length(maps: Tensor) -> Tensor:
    """Each map at an L2 norm of 1; zero stays zero."""
    lengths = norms(maps).clamp_min(torch.finfo(torch.float32).tiny)
    return maps / lengths.view(-1, *[1] * (maps.ndim - 1))


def project(maps: Tensor, radius: float) -> Tensor:
    """Each map (K×…) moved to the nearest point of the L2 ball of that radius."""
    shrink = (radius / norms(maps).clamp_min(torch.finfo(torch.float32).tiny)).clamp_max(1)
    return maps * shrink.view(-1, *[1] * (maps.ndim - 1))


def radius_of(share: float, size: Size) -> float:
    """The L2 norm of a map whose values have a root mean square of `share`: share · √(3·H·W)."""
    return share * math.sqrt(3 * size[0] * size[1])


@dataclass(frozen=True)
class Jitter:
    """Random moves of a map before it is added to a sample, so that the map holds at other places too.

    `shift` is the largest shift in shares of the side, `turn` the largest turn in degrees, and `zoom` the largest
    logarithm of the scale. What comes in at the edges is zero.
    """

    shift: float = 0.0
    turn: float = 0.0
    zoom: float = 0.0

    def drawn(self, count: int, size: Size, generator: torch.Generator, share: float = 1.0) -> Tensor | None:
        """Affine maps of places (N×2×3), with that share of the moves; None where nothing moves.

        Both sides of a map reach from −1 to 1, so that a turn of a map that is not square weighs them by their ratio.
        """
        if not (self.shift or self.turn or self.zoom):
            return None
        chances = (torch.rand(count, 4, generator=generator) * 2 - 1) * share
        angles, scales = torch.deg2rad(chances[:, 0] * self.turn), torch.exp(-chances[:, 1] * self.zoom)
        cosine, sine, shifts = scales * angles.cos(), scales * angles.sin(), 2 * self.shift * chances[:, 2:]
        high = size[0] / size[1]
        across = torch.stack([cosine, -sine * high, shifts[:, 0]], 1)
        down = torch.stack([sine / high, cosine, shifts[:, 1]], 1)
        return torch.stack([across, down], 1)


def moved(maps: Tensor, affine: Tensor | None) -> Tensor:
    """Maps (N×3×H×W) at the places that `affine` says; gradients flow."""
    if affine is None:
        return maps
    grid = F.affine_grid(affine, list(maps.shape), align_corners=False)
    return F.grid_sample(maps, grid, align_corners=False)


def moved_each(maps: Tensor, affine: Tensor | None, count: int) -> Tensor:
    """Each map (K×3×H×W) at `count` places, those of `affine` for all maps: (K·count)×3×H×W; gradients flow.

    The same values as `moved` gives, but how a place reads its neighbours is worked out once for all maps.
    """
    if affine is None:
        return maps.repeat_interleave(count, 0)
    number, channels, *size = maps.shape
    stacked = maps.reshape(1, number * channels, *size).expand(count, -1, -1, -1)
    placed = moved(stacked, affine).view(count, number, channels, *size)
    return placed.transpose(0, 1).reshape(number * count, channels, *size)


def raised(values: Tensor, thresholds: Tensor) -> Tensor:
    """Values of classes (in [0, 1]) as they are; of units 1 where they pass their threshold. NaN marks a class."""
    return torch.where(thresholds.isnan(), values, (values > thresholds).float())


def unit_thresholds(road: Road, draw: Sampler, generator: torch.Generator, count: int) -> Tensor:
    """For each target the `QUANTILE` of a unit's activations over samples without a map; NaN for classes."""
    found = torch.full((len(road.targets),), math.nan)
    numbers = [number for number, target in enumerate(road.targets) if isinstance(target, Unit)]
    if numbers:
        samples = draw(count, road.classifier.input_size, generator)
        for number in numbers:
            values = road.values(samples, torch.full((count,), number))
            found[number] = values.quantile(QUANTILE)
    return found


@dataclass(frozen=True, eq=False)
class FreshSamples:
    """What finished maps are measured on: samples (N×3×H×W), and noise of unit length (3×H×W) for the control."""

    samples: Tensor
    noise: Tensor

    @classmethod
    def drawn(cls, draw: Sampler, size: Size, seed: int, count: int) -> FreshSamples:
        """Samples and noise that a seed decides, the same for all targets."""
        generator = generator_of(seed)
        samples = draw(count, size, generator)
        return cls(samples, unit_length(torch.randn(1, 3, *size, generator=generator))[0])


def measured(road: Road, number: int, pattern: Tensor, threshold: Tensor, fresh: FreshSamples) -> ClassMap:
    """A finished pattern (3×H×W) for target `number`: its fidelity, what there is without it, and a control.

    The control is the noise at the pattern's norm. Where clipping takes more than half of the pattern's energy, the
    target's ledger says so.
    """
    samples, norm = fresh.samples, float(pattern.norm())
    rows = torch.full((len(samples),), number)
    with_pattern, without, control = (
        float(raised(road.values(samples + one, rows), threshold.expand(len(samples))).mean())
        for one in (pattern, torch.zeros_like(pattern), fresh.noise * norm)
    )
    energy = len(samples) * pattern.square().sum().clamp_min(torch.finfo(torch.float32).tiny)
    clipped = float(1 - ((samples + pattern).clamp(0, 1) - samples).square().sum() / energy)
    if clipped > CLIPPING_LIMIT:
        road.ledgers[number].note(
            f"Clipping to [0, 1] takes {percent(clipped, 0)} of the map's energy, so its norm saturates the images: "
            "choose a smaller one."
        )
    return ClassMap(pattern.numpy().astype(np.float32), with_pattern, without, control, norm)


def fallen_short(fidelity: float, goal: float) -> str:
    """What a reader is told of a map that did not reach its goal within the budget."""
    return (
        f"The budget ended at a fidelity of {fidelity:.2f}, below the goal of {goal:.2f}: give more budget or, "
        "unless it saturates, a larger norm."
    )
