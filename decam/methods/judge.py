"""Which rankings of a picture's pixels are good: asked at a few shares, judged at many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.methods.encoding import Encoding, rank_masks
from decam.methods.surrogate import Surrogate, places

KEPT = ((0.03, 0.13), (0.13, 0.33), (0.33, 0.65))
REMOVED = ((0.02, 0.10), (0.10, 0.22), (0.22, 0.45))
QUESTIONS = len(KEPT) + len(REMOVED)
JUDGED = (0.02, 0.05, 0.08, 0.12, 0.17, 0.22, 0.30, 0.40, 0.50, 0.65)


@dataclass(frozen=True)
class Shares:
    """The shares of the pixels, most salient first, that are kept alone and that are removed."""

    kept: tuple[float, ...]
    removed: tuple[float, ...]

    @classmethod
    def drawn(cls, generator: torch.Generator) -> Shares:
        """One from each range of KEPT and REMOVED."""

        def within(ranges: Sequence[tuple[float, float]]) -> tuple[float, ...]:
            places = torch.rand(len(ranges), generator=generator).tolist()
            return tuple(low + (high - low) * place for (low, high), place in zip(ranges, places, strict=True))

        return cls(within(KEPT), within(REMOVED))


class Judge:
    """Estimates what rankings are worth from all that the model has answered; asks nothing itself.

    The worth of a ranking is its mean probability of the target with the top 2 to 65 % kept alone, minus its mean with
    them removed, at ten shares each: about the area between insertion and deletion, in [−1, 1]. Only six shares of a
    ranking are ever asked, at random places, for what is always judged by the same few shares is soon good at these
    alone. The rest is left to a surrogate, which also evens out chance.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._surrogate = Surrogate()
        self._tried: list[Tensor] = []
        self._places: list[Tensor] = []

    def learn(self, masks: Tensor, answers: Tensor) -> None:
        """What the model answered (N) to masks (N×h×w of any size, visible shares or booleans)."""
        self._surrogate.add(places(masks), answers)

    def told(self, genotypes: Tensor, shares: Shares, answers: Tensor) -> None:
        """What the model answered (N×6) when these shares of genotypes (N×cells²) were kept or removed."""
        self._surrogate.add(self._at(genotypes, shares), answers.flatten())
        self._surrogate.fit()
        self._tried.append(genotypes)
        self._places.append(self._at(genotypes, ALL))

    def expected(self, genotypes: Tensor) -> Tensor:
        """What genotypes (N×cells²) are expected to be worth (N), by all answers up to the last `told`."""
        return self._worth(self._at(genotypes, ALL))

    def best(self, least: int = 1) -> Tensor:
        """Mean of the best tenth, and of so many at `least`, of all genotypes ever told, each at unit deviation."""
        tried, worth = torch.cat(self._tried), self._worth(torch.cat(self._places))
        chosen = worth.argsort(descending=True, stable=True)[: max(least, len(tried) // 10)]
        return standardised(tried[chosen]).mean(0)

    def _at(self, genotypes: Tensor, shares: Shares) -> Tensor:
        """Where the masks of genotypes lie for the surrogate, in the order of the genotypes."""
        maps = self._encoding.sketches(genotypes)
        return places(rank_masks(maps, shares.kept, shares.removed).flatten(0, 1))

    def _worth(self, at: Tensor) -> Tensor:
        expected = self._surrogate.predict(at).view(-1, 2, len(JUDGED)).mean(2)
        return expected[:, 0] - expected[:, 1]


ALL = Shares(JUDGED, JUDGED)


def standardised(genotypes: Tensor) -> Tensor:
    """Each row at zero mean and unit deviation, so that genotypes of the same ranking style can be averaged."""
    centred = genotypes - genotypes.mean(1, keepdim=True)
    return centred / centred.std(1, correction=0, keepdim=True).clamp_min(1e-12)
