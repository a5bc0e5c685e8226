"""What a run looks like at one moment: immutable values that pages, exports and the store share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from decam.classifier import Pixels
from decam.evolution.trace import Trace
from decam.experiments.events import Cell, Judgement
from decam.experiments.plan import Fills, Plan
from decam.explanation import Explanation, Map, Truth
from decam.metrics.base import Curve

Status: TypeAlias = Literal["queued", "running", "done", "stopped", "interrupted", "failed"]
CellState: TypeAlias = Literal["waiting", "running", "measuring", "done", "failed", "stopped"]
Guess: TypeAlias = tuple[int, float]
ACTIVE: frozenset[Status] = frozenset({"queued", "running"})
HOUSE = "@house"
"""Owner of the runs that a page makes for itself: they are listed for nobody."""


class Curves(NamedTuple):
    """Deletion and insertion of one map with one pair of fills."""

    fills: Fills
    deletion: Curve
    insertion: Curve


@dataclass(frozen=True)
class Frame:
    """One moment of a map in the making, small enough to keep many.

    `mask` and `saliency` are uint8, at most 56×56, or None where the method reported none or, in a long run, where
    only the curves were kept. 0 to 255 stand for 0 to 1 in the mask and for `low` to `high` in the map. `trace` says
    how a generation came about; it is there for evenly many generations of a search.
    """

    evaluations: int
    curves: Mapping[str, float]
    mask: Pixels | None = None
    saliency: Pixels | None = None
    low: float = 0.0
    high: float = 0.0
    trace: Trace | None = None

    def values(self) -> Map | None:
        """The map in its own units, float32, to 1/255 of its range."""
        if self.saliency is None:
            return None
        step = np.float32((self.high - self.low) / 255)
        return np.float32(self.low) + self.saliency.astype(np.float32) * step


@dataclass(frozen=True)
class CellSnapshot:
    """One map at one moment.

    `step` of `total` is for a progress bar, `seconds_left` an estimate or None. `saliency` is the map so far (H×W or
    coarser) or the final one; `explanation` is there once it is final. In the state "measuring" the map is final and
    curves or `judgements` (by the metric's name) are still to come. `error` says why a cell failed.
    """

    state: CellState = "waiting"
    step: int = 0
    total: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    saliency: Map | None = None
    explanation: Explanation | None = None
    curves: tuple[Curves, ...] = ()
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    error: str = ""

    def answers(self, plan: Plan) -> bool:
        """Whether nothing is missing of what the plan asks of a map."""
        measured = {curves.fills for curves in self.curves}
        return (
            self.explanation is not None
            and all(pair in measured for pair in plan.fills)
            and all(choice.name in self.judgements for choice in plan.metrics)
        )


@dataclass(frozen=True)
class RunSnapshot:
    """A run at one moment.

    `ahead` counts the jobs before it while it is queued; `note` says in words what a reader must know (that it failed
    or is not being kept, and why). `truths` has for each picture where its class is (H×W bool) or None; it is empty
    where none has. `predictions` has the five likeliest classes of each picture with their
    probabilities, or None before they are known; `labels` is empty until the model has been loaded. `version` grows
    with every change.
    """

    id: str
    created: datetime
    status: Status
    plan: Plan
    views: tuple[Pixels, ...]
    predictions: tuple[tuple[Guess, ...] | None, ...]
    labels: tuple[str, ...] = ()
    cells: Mapping[Cell, CellSnapshot] = field(default_factory=dict)
    ahead: int = 0
    note: str = ""
    version: int = 0
    owner: str = ""
    truths: tuple[Truth | None, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ACTIVE


@dataclass(frozen=True)
class RunSummary:
    """A line in the list of recent runs; `thumbnail` is a PNG of at most 96×96 pixels."""

    id: str
    created: datetime
    model: str
    status: Status
    pictures: tuple[str, ...]
    methods: tuple[str, ...]
    thumbnail: bytes
