"""Questions down, methods across: what is known of a plan's cells, built event by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.classifier.contrast import contrast_label
from decam.experiments.cells import Cell, CellKey
from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Progressed, Reused, Spent
from decam.experiments.plan import Plan, fingerprint, label_at
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
    None before they are known. `labels` is empty until the model has been loaded. `further` has by question the
    evaluations that are neither its prediction nor a map nor a measurement that is there, as `Spent` says. Only the
    newest grid may take in events: a grid and those before it share the histories of maps in the making.
    """

    plan: Plan
    views: tuple[Pixels, ...]
    truths: tuple[Truth | None, ...] = ()
    labels: tuple[str, ...] = ()
    predictions: tuple[tuple[Guess, ...] | None, ...] = ()
    cells: Mapping[CellKey, Cell] = field(default_factory=dict)
    further: Mapping[int, int] = field(default_factory=dict)

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
        if isinstance(event, Spent):
            whole = self.further.get(event.question, 0) + event.evaluations
            return replace(self, further={**self.further, event.question: whole})
        if isinstance(event, Measured):
            changed = {key: self._measured(key, event) for key in event.measurements}
            return replace(self, cells={**self.cells, **changed})
        return replace(self, cells={**self.cells, event.cell: self._changed(event)})

    def _changed(self, event: Progressed | Explained | Reused | Failed) -> Cell:
        key, cell = event.cell, self.cells[event.cell]
        if isinstance(event, Progressed):
            return cell.progressed(event.stage, event.progress, event.seconds)
        if isinstance(event, Explained):
            return cell.explained(event.explanation).evaluated(self.plan.metric_keys(key.question))
        if isinstance(event, Reused):
            return cell.taken(event.made).evaluated(self.plan.metric_keys(key.question))
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

    def with_plan(self, plan: Plan, views: Sequence[Pixels] = (), truths: Sequence[Truth | None] = ()) -> Grid:
        """The grid of a plan that asks more: its first pictures, questions and methods are those of this one.

        `views` and `truths` are those of the pictures that are new.
        """
        if views:
            truths = (*(self.truths or (None,) * len(self.views)), *truths)
        return replace(
            self,
            plan=plan,
            views=(*self.views, *views),
            truths=tuple(truths) or self.truths,
            predictions=(*self.predictions, *(None,) * (len(plan.questions) - len(self.predictions))),
            cells={key: self.cells.get(key, Cell()) for key in plan.cells()},
        )

    def marked(self, truths: Mapping[int, Truth | None]) -> Grid:
        """The grid in which the object of some pictures, by their places, is elsewhere or not known.

        What was measured by where it was is dropped, and is to be measured again.
        """
        places = range(len(self.plan.pictures))
        now = tuple(truths.get(place, self.truths[place] if self.truths else None) for place in places)
        pictures = tuple(
            replace(picture, truth="" if truth is None else fingerprint(truth)) if place in truths else picture
            for place, (picture, truth) in enumerate(zip(self.plan.pictures, now, strict=True))
        )
        plan = replace(self.plan, pictures=pictures)
        lost = {choice.key for choice in plan.metrics_that_need("truth")}
        cells = {
            key: cell.without(lost, plan.metric_keys(key.question))
            if plan.questions[key.question].picture in truths
            else cell
            for key, cell in self.cells.items()
        }
        return replace(self, plan=plan, truths=now, cells=cells)

    @property
    def complete(self) -> bool:
        """True if no map and no measurement is missing, but for cells that failed."""
        return all(
            cell.state is CellState.FAILED or cell.answers(self.plan.metric_keys(key.question))
            for key, cell in self.cells.items()
        )

    @property
    def evaluations(self) -> int:
        """Images that the model has answered for this run so far.

        They are those of the predictions, the maps, the measurements, and `further`. Maps and measurements of earlier
        runs that were taken over cost this run nothing. Those that were dropped count no more: maps that were stopped
        half way, measurements by a ground truth that has moved since, and failed ones once they are asked anew. A batch
        that the model did not answer, as when memory ran short, is no evaluation, nor is a look at the model's layers.
        """
        predicted = sum(guesses is not None for guesses in self.predictions)
        maps = sum(cell.spent for cell in self.cells.values())
        return predicted + maps + self.metric_evaluations + sum(self.further.values())

    @property
    def metric_evaluations(self) -> int:
        """Those of `evaluations` that the measurements took."""
        return sum(cell.spent_on_metrics for cell in self.cells.values())

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

    def asked_of(self, question: int) -> str:
        """The class that a question asks about by name, or one class rather than another; empty before it is known."""
        target, against = self.target_of(question), self.plan.against_of(question)
        if target is None or against is None:
            return self.label_of(target)
        return contrast_label(self.label_of(target), self.label_of(against))

    def subject_of(self, question: int) -> str:
        """What a question is about, by name: its picture, or its class or unit."""
        return self.plan.subject_of(question, self.labels)

    def label_of(self, index: int | None) -> str:
        """A class by its name; empty for None."""
        if index is None:
            return ""
        return label_at(self.labels, index)
