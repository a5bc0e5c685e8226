"""What a comparison reports while it goes on, and what it need not do again."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from decam.experiments.plan import Fills
from decam.explanation import Explanation, Progress
from decam.metrics.base import Curve

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Cell:
    """One map of the grid: an index into the plan's pictures and one into its methods."""

    picture: int
    method: int


@dataclass(frozen=True)
class Predicted:
    """The probabilities of all classes for a picture, float32, in [0, 1]."""

    picture: int
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Explaining:
    """A map is being made."""

    cell: Cell
    progress: Progress


@dataclass(frozen=True)
class Explained:
    """A map is finished."""

    cell: Cell
    explanation: Explanation


@dataclass(frozen=True)
class Measuring:
    """The curves of a map are being drawn, for all pairs of fills together."""

    cell: Cell
    progress: Progress


@dataclass(frozen=True)
class Measured:
    """The curves of a map for one pair (fill for deletion, fill for insertion)."""

    cell: Cell
    fills: Fills
    deletion: Curve
    insertion: Curve


class Judgement(NamedTuple):
    """What a metric says of a map: its value (NaN where it has none), and what a reader must know about it."""

    value: float
    note: str = ""


@dataclass(frozen=True)
class Judged:
    """A picture's maps have been judged by a metric of the plan."""

    metric: str
    judgements: Mapping[Cell, Judgement]


@dataclass(frozen=True)
class Failed:
    """A cell that will not be finished, and why; the others go on."""

    cell: Cell
    sentence: str


Event: TypeAlias = Predicted | Explaining | Explained | Measuring | Measured | Judged | Failed
Events: TypeAlias = Generator[Event, None, T]


@dataclass(frozen=True)
class Finished:
    """What an earlier run of the same plan left: predicted classes, maps, and how far these were measured.

    `measured` names pairs of fills whose curves are there, `judged` metrics whose values are.
    """

    predictions: Mapping[int, int] = field(default_factory=dict)
    explanations: Mapping[Cell, Explanation] = field(default_factory=dict)
    measured: Mapping[Cell, Set[Fills]] = field(default_factory=dict)
    judged: Mapping[Cell, Set[str]] = field(default_factory=dict)
