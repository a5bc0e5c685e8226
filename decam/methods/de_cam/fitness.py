"""Which rankings of a picture's pixels are good: asked at a few shares, estimated at many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.halves import half_of
from decam.methods.de_cam.surrogate import CELLS, Surrogate, places

KEPT = (0.03, 0.13, 0.33, 0.65)  # bands of shares kept alone: a generation's lies between two neighbours
REMOVED = (0.02, 0.10, 0.22, 0.45)  # and of shares removed
KEEPS = (True, False)  # what a candidate is asked about: a share of it kept alone, then one removed
PLACES = CELLS**2
MOST = 1024  # candidates that are kept when many were tried
LEAST = 16  # of which the finished map is a mean
ESTIMATED = (0.02, 0.05, 0.08, 0.12, 0.17, 0.22, 0.30, 0.40, 0.50, 0.65)


@dataclass(frozen=True)
class Shares:
    """The shares of the pixels, most salient first, that are kept alone and that are removed."""

    kept: tuple[float, ...]
    removed: tuple[float, ...]

    @classmethod
    def drawn(cls, generator: torch.Generator) -> Shares:
        """One kept and one removed, from any band of KEPT and of REMOVED with equal chances.

        Small shares lie in narrow bands. Drawn evenly from 3 to 65 % they would be rare, and the highest pixels unsure.
        """

        def within(edges: Sequence[float]) -> tuple[float]:
            chance = float(torch.rand((), generator=generator)) * (len(edges) - 1)
            low, high = edges[int(chance)], edges[int(chance) + 1]
            return (low + (high - low) * (chance % 1),)

        return cls(within(KEPT), within(REMOVED))


ALL = Shares(ESTIMATED, ESTIMATED)


class FitnessEstimator:
    """Estimates what rankings are worth from all that the model has answered; asks nothing itself.

    The worth of a ranking is its mean probability of the target with the top 2 to 65 % kept alone, minus its mean with
    them removed, at ten shares each: about the area between insertion and deletion, in [−1, 1]. Each ranking is
    queried at two randomly drawn shares, one kept and one removed: fixed shares would be overfitted, and more
    candidates teach more than more questions about each. A surrogate predicts all twenty and averages out noise.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._surrogate = Surrogate()
        self._count = 0
        self._tried = torch.empty(0)
        self._places = torch.empty(0)
        self._known = torch.empty(0)

    def observe_seed(self, masks: Tensor, answers: Tensor) -> None:
        """What the model answered (N) to masks (N×h×w of any size, visible shares or booleans)."""
        self._surrogate.add(places(masks), answers)

    def observe(self, genotypes: Tensor, shares: Shares, answers: Tensor) -> Tensor:
        """What genotypes (N×cells²) are worth (N) now that the model answered (N×2) at these shares of them."""
        self._surrogate.add(self._at(genotypes, shares), answers.flatten())
        self._surrogate.fit()
        self._count += len(genotypes)
        at = self._at(genotypes, ALL).view(len(genotypes), -1)
        kept = self._best(self._known, MOST) if len(self._tried) >= 2 * MOST else slice(None)
        self._tried = torch.cat([self._tried[kept], genotypes])
        self._places = torch.cat([self._places[kept], at])
        worth = self._worth(at)
        self._known = torch.cat([self._known[kept], worth])
        return worth

    def predict(self, genotypes: Tensor) -> Tensor:
        """What genotypes (N×cells²) are expected to be worth (N), by all answers up to the last `observe`."""
        return self._worth(self._at(genotypes, ALL))

    def kept(self, genotype: Tensor, share: float) -> float:
        """The probability expected with this share of a genotype (cells²) kept alone."""
        expected = self._surrogate.predict(self._at(genotype.unsqueeze(0), Shares((share,), ())))
        return float(expected.clamp(0, 1))

    def best(self, again: bool = False) -> Tensor:
        """Mean of the best tenth, but of 16 to 1024, of all genotypes ever observed, each at unit deviation.

        Their worth is what was estimated when they were observed, or, with `again`, what all answers since then say.
        """
        if again:
            self._known = self._worth(self._places)
        return standardised(self._tried[self._best(self._known, self._most())]).mean(0)

    def half(self, generator: torch.Generator) -> Tensor:
        """What `best(again=True)` would be with a random half of the latest answers and of the candidates tried."""
        kept = half_of(len(self._tried), generator)
        worth = self._worth(self._places[kept], self._surrogate.half(generator))
        best = self._best(worth, -(-self._most() // 2))
        return standardised(self._tried[kept][best]).mean(0)

    def _most(self) -> int:
        """How many of the best candidates the map is a mean of: no more than are sure to have been kept."""
        return min(max(LEAST, self._count // 10), MOST)

    @staticmethod
    def _best(worth: Tensor, count: int) -> Tensor:
        """Indices of the highest, highest first."""
        return worth.argsort(descending=True, stable=True)[:count]

    def _at(self, genotypes: Tensor, shares: Shares) -> Tensor:
        """Where the masks of genotypes lie for the surrogate, in the order of the genotypes."""
        maps = self._encoding.sketches(genotypes)
        return places(rank_masks(maps, shares.kept, shares.removed).flatten(0, 1))

    def _worth(self, at: Tensor, by: Surrogate | None = None) -> Tensor:
        """Of so many genotypes' places at all shares of ESTIMATED, by this surrogate or by that of all answers."""
        expected = (by or self._surrogate).predict(at.reshape(-1, PLACES)).view(-1, 2, len(ESTIMATED)).mean(2)
        return expected[:, 0] - expected[:, 1]


def standardised(genotypes: Tensor) -> Tensor:
    """Each row at zero mean and unit deviation, so that genotypes of the same ranking style can be averaged."""
    centred = genotypes - genotypes.mean(1, keepdim=True)
    return centred / centred.std(1, correction=0, keepdim=True).clamp_min(1e-12)
