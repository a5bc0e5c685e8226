"""When a search may end: once its map has settled, by how it ranks the places of the picture."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F

from decam.explanation import Map
from decam.methods.de_cam.expected_drop import PLACES
from decam.metrics.similarity import spearman

EARLIEST = 5  # looks before which a map is still the first guess, which hardly changes: that would seem settled
BETWEEN = 96  # evaluations from one look to the next, at least: less hardly changes a map
RUNNING = 3  # looks one after the other that must find the map settled; one alone may be luck


class Settling:
    """Tells when a map that is searched for has settled: doubling the evaluations hardly changed its ranking.

    A look follows the one before after 96 evaluations at least. From the fifth look on the map is compared with the
    latest one of at most half as many evaluations, and no earlier one than the fifth, by Spearman's rank correlation at
    28×28 places. The map has settled once that was at least `wanted`, in (0, 1), at three looks running. With 0 a map
    never settles.
    """

    def __init__(self, wanted: float) -> None:
        self.wanted = wanted
        self.found: list[float] = []  # the correlation at each look that had something to compare with
        self._looks = 0
        self._latest = -BETWEEN
        self._seen: list[tuple[int, Map]] = []

    @property
    def settled(self) -> bool:
        """True once the map has settled."""
        latest = self.found[-RUNNING:]
        return self.wanted > 0 and len(latest) == RUNNING and all(value >= self.wanted for value in latest)

    def observe(self, evaluations: int, saliency: Map) -> bool:
        """Look at the map (H×W) after so many evaluations, where it is time for that; True if it has settled now.

        A constant map is like no other.
        """
        if evaluations - self._latest < BETWEEN:
            return False
        self._latest = evaluations
        self._looks += 1
        if not self.wanted or self._looks < EARLIEST:
            return False
        now = coarse(saliency)
        earlier = [seen for done, seen in self._seen if done <= evaluations / 2]
        if earlier:
            self.found.append(spearman(earlier[-1], now))
        self._seen.append((evaluations, now))
        return self.settled

    def in_words(self, evaluations: int, most: int) -> str:
        """Whether the map had settled when the search ended, after so many of at most `most` evaluations."""
        if not self.found:
            return (
                f"This search of {evaluations} evaluations was too short to tell whether its map had settled. "
                "Raise the budget."
            )
        latest = ", ".join(f"{value:.3f}" for value in self.found[-RUNNING:])
        rule = f"rank correlation with the map of half as many last {latest}; at least {self.wanted:g} was asked"
        if self.settled:
            return f"The map had settled after {evaluations} of at most {most} evaluations ({rule})."
        return f"The map had not settled after {evaluations} evaluations, the most it might cost ({rule})."


def looks(evaluations: Iterable[int]) -> list[int]:
    """Those of a search's counts of evaluations, in ascending order, at which `Settling` looks at its map."""
    found: list[int] = []
    for done in evaluations:
        if not found or done - found[-1] >= BETWEEN:
            found.append(done)
    return found


def coarse(saliency: Map) -> Map:
    """A map (H×W) at 28×28 places, float32: the mean of each."""
    means: Map = F.adaptive_avg_pool2d(torch.from_numpy(saliency)[None, None].float(), PLACES)[0, 0].numpy()
    return means
