"""All that is known of one map: how it stands, the way to it, the explanation and how it measures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from decam.experiments.history import Frame, History
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, Explanation, Map, Progress
from decam.metrics.base import Measurement

RATE_SECONDS = 10.0


@dataclass(frozen=True, order=True)
class CellKey:
    """The place of a map in the grid: an index into the plan's questions and one into its methods."""

    question: int
    method: int


@dataclass(frozen=True)
class Cell:
    """One map at one moment.

    `step` of `total` is for a progress bar, `seconds_left` an estimate or None. `saliency` is the map so far (H×W or
    coarser) or the final one; `explanation` is there once it is final. `measurements` go by the keys of the plan's
    metrics. `frames` are the moments that led to the map; while it is made, they are in `history`. `error` says why a
    cell failed. A `reused` map is an earlier run's: `evaluations` and `seconds` are what it cost then, and this run
    spent none.
    """

    state: CellState = CellState.WAITING
    step: int = 0
    total: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    saliency: Map | None = None
    pattern: Map | None = None
    explanation: Explanation | None = None
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    error: str = ""
    reused: bool = False
    history: History | None = field(default=None, repr=False, compare=False)
    marks: tuple[tuple[float, int], ...] = field(default=(), repr=False, compare=False)

    def answers(self, keys: Iterable[str]) -> bool:
        """True if the map is final and measured by all metrics with these keys."""
        return self.explanation is not None and all(key in self.measurements for key in keys)

    @property
    def spent(self) -> int:
        """Images through the model for this map in this run, without what measured it.

        None for a map that an earlier run has made, and none for one that failed: those are the question's, see
        `Spent`.
        """
        failed = self.state is CellState.FAILED and self.explanation is None
        return 0 if self.reused or failed else self.evaluations

    @property
    def spent_on_metrics(self) -> int:
        """Images through the model for the measurements of this map in this run."""
        return sum(one.spent for one in self.measurements.values())

    def settled(self) -> Cell:
        """The cell with the frames that its history has by now, and without the history."""
        if self.history is None:
            return self
        return replace(self, frames=self.history.frames(), history=None)

    def progressed(self, stage: CellState, progress: Progress, seconds: float) -> Cell:
        """The cell after a progress event of its stage, `seconds` after the stage began."""
        marks, seconds_left = _estimate(self.marks if self.state is stage else (), progress, seconds)
        moved = replace(
            self,
            state=stage,
            step=progress.step,
            total=progress.total,
            marks=marks,
            seconds_left=seconds_left,
        )
        if stage is not CellState.RUNNING:
            return moved
        history = self.history or History()
        history.add(progress)
        saliency = self.saliency if progress.saliency is None else np.array(progress.saliency, dtype=np.float32)
        pattern = self.pattern if progress.pattern is None else np.array(progress.pattern, dtype=np.float32)
        return replace(
            moved,
            evaluations=progress.evaluations,
            seconds=seconds,
            saliency=saliency,
            pattern=pattern,
            history=history,
            error="",
        )

    def explained(self, explanation: Explanation) -> Cell:
        """The cell with its final map, which is still to be measured."""
        return Cell(
            state=CellState.MEASURING,
            evaluations=explanation.evaluations,
            seconds=explanation.seconds,
            saliency=explanation.saliency,
            pattern=explanation.map if isinstance(explanation, ClassExplanation) else None,
            explanation=explanation,
            frames=self.settled().frames,
        )

    def taken(self, made: Cell) -> Cell:
        """The cell with the map of an earlier run, and what was measured of it."""
        return replace(
            made,
            state=CellState.MEASURING,
            frames=made.settled().frames,
            measurements={key: replace(one, reused=True) for key, one in made.measurements.items()},
            error="",
            reused=True,
            history=None,
            marks=(),
        )

    def failed(self, error: str) -> Cell:
        """The cell that will not be finished, and why."""
        return replace(self.settled(), state=CellState.FAILED, error=error, seconds_left=None, marks=())

    def evaluated(self, keys: Iterable[str]) -> Cell:
        """The cell as it stands after an event that may have been its last, given the metrics that it needs."""
        if not self.answers(keys):
            return replace(self, state=CellState.MEASURING)
        return replace(self, state=CellState.DONE, step=1, total=1, seconds_left=None, marks=())

    def without(self, lost: Collection[str], keys: Iterable[str]) -> Cell:
        """The cell without measurements of these keys, as it stands then, given all that it needs."""
        if self.explanation is None:
            return self
        kept = {key: one for key, one in self.measurements.items() if key not in lost}
        return replace(self, measurements=kept).evaluated(keys)

    def waiting(self, keys: Iterable[str], *, again: bool) -> Cell:
        """The cell at the start of another run over the grid; with `again`, metrics that failed are asked anew."""
        if self.explanation is None:
            return Cell()
        measurements = {key: one for key, one in self.measurements.items() if not (again and one.failed)}
        return replace(
            self, measurements=measurements, step=0, total=0, seconds_left=None, error="", marks=()
        ).evaluated(keys)

    def ended(self, error: str) -> Cell:
        """The cell after its run has ended: what was pending has failed with this error, or was stopped."""
        if not self.state.pending:
            return self.settled()
        if error:
            return self.failed(error)
        return replace(self.settled(), state=CellState.STOPPED, seconds_left=None, marks=())


def _estimate(
    marks: tuple[tuple[float, int], ...], progress: Progress, now: float
) -> tuple[tuple[tuple[float, int], ...], float | None]:
    """The marks of the last ten seconds, and the seconds left by their rate; None while there is none."""
    recent = (*marks, (now, progress.step))
    while len(recent) > 2 and recent[1][0] < now - RATE_SECONDS:
        recent = recent[1:]
    since, first = recent[0]
    if progress.step <= first or now <= since:
        return recent, None
    return recent, max(0.0, (progress.total - progress.step) * (now - since) / (progress.step - first))
