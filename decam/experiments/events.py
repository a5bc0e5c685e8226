"""What the execution of a plan reports while it goes on."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from decam.experiments.cells import Cell, CellKey
from decam.experiments.status import CellState
from decam.explanation import Explanation, Progress
from decam.metrics.base import Measurement

T = TypeVar("T")


@dataclass(frozen=True)
class Predicted:
    """The probabilities of all classes for a question's picture, float32, in [0, 1]; it cost one evaluation."""

    question: int
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Progressed:
    """A map is being made (stage RUNNING) or measured (MEASURING), `seconds` after that began."""

    cell: CellKey
    stage: CellState
    progress: Progress
    seconds: float


@dataclass(frozen=True)
class Explained:
    """A map is finished."""

    cell: CellKey
    explanation: Explanation


@dataclass(frozen=True)
class Reused:
    """A map that an earlier run has made from the same things, with its frames and those measurements that hold."""

    cell: CellKey
    made: Cell


@dataclass(frozen=True)
class Measured:
    """A metric of the plan, by its key, has measured these maps."""

    metric: str
    measurements: Mapping[CellKey, Measurement]


@dataclass(frozen=True)
class Spent:
    """The model was asked for a question beside its prediction, its finished maps and what measured them.

    That is the image as it is once more, for a contrast or in a run that goes on, or the attempt at a map that failed.
    """

    question: int
    evaluations: int


@dataclass(frozen=True)
class Failed:
    """A map that will not be finished, and why; the others go on."""

    cell: CellKey
    sentence: str


Event: TypeAlias = Predicted | Progressed | Explained | Reused | Measured | Spent | Failed
Events: TypeAlias = Generator[Event, None, T]
