"""What each generation was worth, judged at the end of a search by everything that was answered during it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from decam.evolution.generation import Generation
from decam.explanation import JUDGED, Map
from decam.methods.de_cam.fitness import FitnessEstimator


class Hindsight:
    """Remembers the generations of a search, whose fitness was an estimate from fewer answers while they lived."""

    def __init__(self, estimator: FitnessEstimator) -> None:
        self._estimator = estimator
        self._generations: list[Generation] = []

    def add(self, generation: Generation) -> None:
        """Remember a generation."""
        self._generations.append(generation)

    def judged(self) -> Generator[None, None, Map]:
        """The worth of each generation's fittest, the mean and the deviation over its population (G×3), as JUDGED.

        The fittest is so by all answers, though another may have led its generation by fewer. Yields once a generation.
        """
        rows = []
        for generation in self._generations:
            worth = self._estimator.predict(generation.population)
            rows.append([float(worth.max()), float(worth.mean()), float(worth.std(correction=0))])
            yield
        return np.array(rows, np.float32).reshape(-1, len(JUDGED))
