"""Questions down, methods across: what is known of a plan's cells, built event by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.experiments.cells import Cell, CellKey
from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Progressed
from decam.experiments.plan import Plan, label_at
from decam.experiments.status import CellState
from decam.explanation import Truth

Guess: TypeAlias = tuple[int, float]
TOP = 5


def top_guesses(probabilities: NDArray[np.float32]) -> tuple[Guess, ...]:
    """The five likeliest classes with their probabilities, likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    return tuple((int(index), float(probabilities[index])) for index in order)


@dataclass(frozen=True)
class Grid:
    """A plan with all that has been found out: the one accumulator of events.

    `views` are the plan's pictures as the model sees them (H×W×3 uint8); `truths` say where the classes are (H×W bool
    or None), and are empty where no picture has one. `predictions` has the five likeliest classes of each question,
    None before they are known. `labels` is empty until the model has been loaded. Only the newest grid may take in
    events: a grid and those before it share the histories of maps in the making.
    """

    plan: Plan
    views: tuple[Pixels, ...]
    truths: tuple[Truth | None, ...] = ()
    labels: tuple[str, ...] = ()
    predictions: tuple[tuple[Guess, ...] | None, ...] = ()
    cells: Mapping[CellKey, Cell] = field(default_factory=dict)

    @classmethod
    def empty(
        cls,
        plan: Plan,
        views: Sequence[Pixels],
        truths: Sequence[Truth | None] = (),
        labels: Sequence[str] = (),
    ) -> Grid:
        """A grid whose cells all wait."""
        cells = {key: Cell() for key in plan.cells()}
        return cls(plan, tuple(views), tuple(truths), tuple(labels), (None,) * len(plan.questions), cells)

    def after(self, event: Event) -> Grid:
        """The grid once this event has happened."""
        if isinstance(event, Predicted):
            guesses = [*self.predictions]
            guesses[event.question] = top_guesses(event.probabilities)
            return replace(self, predictions=tuple(guesses))
        if isinstance(event, Measured):
            changed = {key: self._measured(key, event) for key in event.measurements}
            return replace(self, cells={**self.cells, **changed})
        return replace(self, cells={**self.cells, event.cell: self._changed(event)})

    def _changed(self, event: Progressed | Explained | Failed) -> Cell:
        key, cell = event.cell, self.cells[event.cell]
        if isinstance(event, Progressed):
            return cell.progressed(event.stage, event.progress, event.seconds)
        if isinstance(event, Explained):
            return cell.explained(event.explanation).evaluated(self.plan.metric_keys(key.question))
        return cell.failed(event.sentence)

    def _measured(self, key: CellKey, event: Measured) -> Cell:
        cell = self.cells[key]
        measurements = {**cell.measurements, event.metric: event.measurements[key]}
        return replace(cell, measurements=measurements).evaluated(self.plan.metric_keys(key.question))

    def settled(self) -> Grid:
        """The grid with the frames of maps in the making as they are now; nothing changes it afterwards."""
        return replace(self, cells={key: cell.settled() for key, cell in self.cells.items()})

    def waiting(self, *, maps: bool) -> Grid:
        """The grid before another run: what is missing waits; without `maps`, only measurements of maps there are."""
        cells = {
            key: cell.waiting(self.plan.metric_keys(key.question), again=maps)
            if maps or cell.explanation is not None
            else cell
            for key, cell in self.cells.items()
        }
        return replace(self, cells=cells)

    def ended(self, error: str = "") -> Grid:
        """The grid after its run has ended, with an error or without one."""
        return replace(self, cells={key: cell.ended(error) for key, cell in self.cells.items()})

    def with_plan(self, plan: Plan) -> Grid:
        """The grid of a plan that asks more of the same maps."""
        return replace(self, plan=plan)

    @property
    def complete(self) -> bool:
        """True if no map and no measurement is missing, but for cells that failed."""
        return all(
            cell.state is CellState.FAILED or cell.answers(self.plan.metric_keys(key.question))
            for key, cell in self.cells.items()
        )

    @property
    def evaluations(self) -> int:
        """Images through the model so far: the predictions and the maps."""
        predicted = sum(guesses is not None for guesses in self.predictions)
        return predicted + sum(cell.evaluations for cell in self.cells.values())

    def view_of(self, question: int) -> Pixels:
        """The picture that a question asks about, H×W×3 uint8; raises SettingError for a question about a class."""
        return self.views[self.plan.place_of(question)]

    def truth_of(self, question: int) -> Truth | None:
        """Where the class of a question's picture is, H×W, None where that is not known."""
        return self.truths[self.plan.place_of(question)] if self.truths else None

    def target_of(self, question: int) -> int | None:
        """The class a question asks about: the one given, or its reference's, or the one predicted, if known."""
        spec = self.plan.questions[question]
        if spec.target is not None:
            return spec.target
        if spec.reference is not None:
            return self.target_of(spec.reference)
        guesses = self.predictions[question]
        return guesses[0][0] if guesses else None

    def subject_of(self, question: int) -> str:
        """What a question is about, by name: its picture, or its class or unit."""
        return self.plan.subject_of(question, self.labels)

    def label_of(self, index: int | None) -> str:
        """A class by its name; empty for None."""
        if index is None:
            return ""
        return label_at(self.labels, index)
