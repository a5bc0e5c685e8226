"""AISE: Gaussian windows whose places are searched for, each shown alone and hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps, last, relayed
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries
from decam.methods.support.interruptible import Checkpoint, run_in_steps
from decam.settings import Settings, parameter

WIDTHS = (0.1, 0.175, 0.25)  # standard deviations of the windows, as shares of the picture's sides
EACH = 2  # evaluations a window: shown alone, and hidden
ROUNDING = 1e-9  # sums that stay below it are all of scores that are the same
CAUTION = 0.1  # DIRECT's ε: how much better a rectangle must promise to be for the search to stay near the best


@dataclass(frozen=True)
class AiseSettings(Settings):
    """What the search may cost, and what replaces hidden pixels."""

    budget: int = parameter(1000, "Evaluations: two a window, the same for each of three widths.", low=30, high=6000)
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


class _SpentError(Exception):
    """Ends a search whose budget is spent; DIRECT itself ends only between two of its own rounds."""


class _Windows:
    """The windows asked about so far, and the map that they make."""

    def __init__(self, question: Question, settings: AiseSettings, seed: int, checkpoint: Checkpoint) -> None:
        self.queries = BudgetedQueries(question, settings.fill, seed, _cost(settings, question.classifier))
        self._checkpoint = checkpoint
        self._weighed = torch.zeros(len(WIDTHS), *self.queries.size, dtype=torch.float64)
        self._windows = torch.zeros_like(self._weighed)
        self._lowest = torch.full((len(WIDTHS),), torch.inf, dtype=torch.float64)
        self._left = 0
        self._number = 0

    def search(self, number: int, windows: int) -> None:
        """Look for the best place of a window of this width, by so many of them."""
        from scipy.optimize import Bounds, direct  # here, for only this search needs it, and it takes long to load

        self._number, self._left = number, windows
        try:
            direct(
                self._cost_of,
                Bounds([0, 0], [1, 1]),
                eps=CAUTION,
                maxfun=windows,
                maxiter=windows,
                locally_biased=False,
                vol_tol=0,
                len_tol=0,
            )
        except _SpentError:
            return

    def _cost_of(self, place: NDArray[np.float64]) -> float:
        """Minus the score of a window at a place (down and across, in [0, 1]), which is added to the map."""
        if self._left == 0:
            raise _SpentError
        self._left -= 1
        shown = window((float(place[0]), float(place[1])), WIDTHS[self._number], self.queries.size)
        answers = last(self.queries.ask(torch.stack([shown, 1 - shown]).unsqueeze(1)))
        score = float(answers[0] - answers[1])
        self._weighed[self._number] += score * shown
        self._windows[self._number] += shown
        self._lowest[self._number] = min(float(self._lowest[self._number]), score)
        self.queries.saliency = self.map()
        self._checkpoint()
        return -score

    def map(self) -> Map:
        """Σ over widths of Σ (score − lowest score) · window, each width's sum divided by its highest value."""
        lowest = torch.where(self._lowest.isfinite(), self._lowest, 0).view(-1, 1, 1)
        sums = (self._weighed - lowest * self._windows).clamp_min(0)  # below zero is rounding
        highest = sums.amax((1, 2), keepdim=True)
        found: Map = (sums / torch.where(highest > ROUNDING, highest, 1)).sum(0).numpy().astype(np.float32)
        return found


def window(place: tuple[float, float], width: float, size: tuple[int, int]) -> Tensor:
    """A Gaussian (H×W, 1 at its centre) around a place, in shares of the sides as are place and width."""
    down, across = (torch.linspace(0, 1, side) - centre for side, centre in zip(size, place, strict=True))
    return torch.exp(-(down.square().unsqueeze(1) + across.square()) / (2 * width**2))


def aise(question: Question, settings: AiseSettings, seed: int) -> Steps:
    """Windows weighed by p^c(shown) − p^c(hidden), at places that DIRECT (Jones et al. 1993) tries.

    For each of three widths DIRECT looks for the window of the highest score. All windows that it tries make the map,
    and most of them lie where the score is high. Scores count from the lowest of their width, where OpenVINO takes them
    as they are: below zero, as most are with a blur, the many windows at the best place would make it the darkest.
    """
    windows = settings.budget // (EACH * len(WIDTHS))
    searches: list[_Windows] = []

    def work(checkpoint: Checkpoint) -> Map:
        search = _Windows(question, settings, seed, checkpoint)
        searches.append(search)
        for number in range(len(WIDTHS)):
            search.search(number, windows)
        return search.map()

    return (yield from relayed(run_in_steps(work), lambda _: [searches[0].queries.progress()]))


def _cost(settings: AiseSettings, classifier: Classifier) -> int:
    """Whole windows, as many for each width."""
    del classifier
    each = EACH * len(WIDTHS)
    return settings.budget // each * each


AISE = Method(
    name="aise",
    title="AISE",
    family="perturbation",
    summary="Searches for Gaussian windows that keep the answer when shown and remove it when hidden.",
    formula=r"M_c = \sum_\sigma \frac{\sum_k (s_k - \min s) \, g_{\sigma,k}}"
    r"{\max \sum_k (s_k - \min s) \, g_{\sigma,k}}, \quad s_k = p^c(x \odot g_{\sigma,k}) "
    r"- p^c(x \odot (1 - g_{\sigma,k}))",
    reference="Adaptive Input Sampling for Explanation of Black-box Models, in OpenVINO's Explainable AI Toolkit "
    "(2024)",
    url="https://openvinotoolkit.github.io/openvino_xai/",
    strengths="Smooth maps from few evaluations, spent where the class is.",
    misleads="Round blobs, whatever the object's form; windows are asked about one after the other, which is slow.",
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=AiseSettings,
    run=aise,
    example=SHORT,
    cost=_cost,
)
