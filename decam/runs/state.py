"""A run in the making: events go in, immutable snapshots come out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from decam.classifier import Pixels
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Measured, Reused
from decam.experiments.grid import Grid
from decam.experiments.plan import Plan
from decam.experiments.status import Status
from decam.explanation import Truth
from decam.runs.snapshots import RunSnapshot


class RunState:
    """The state of one run; every method is cheap and must be called under the owner's lock.

    `kept` says that the disk has everything so far. `maps` says that missing maps are made, and not only measured;
    `again` that the plan has grown while the run was active, and `more_maps` that it then asks for more maps. `asker`
    is the owner whose turn in the queue the run has, where that is not its own owner; `remarked` are the places of the
    pictures whose ground truth has changed since the job took its grid, so that what it measures by it is out of date.
    """

    def __init__(self, run: RunSnapshot) -> None:
        self._run = run
        self._shown: RunSnapshot | None = None
        self._version = run.version
        self.kept = True
        self.maps = True
        self.again = False
        self.more_maps = False
        self.asker = ""
        self.remarked: set[int] = set()

    @property
    def grid(self) -> Grid:
        """The grid as it stands; histories of maps in the making still change."""
        return self._run.grid

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self._run.plan

    @property
    def id(self) -> str:
        """The run's link."""
        return self._run.id

    @property
    def owner(self) -> str:
        """Who asked for it."""
        return self._run.owner

    @property
    def status(self) -> Status:
        """How it stands."""
        return self._run.status

    @property
    def active(self) -> bool:
        """True while the run waits or is computed."""
        return self._run.active

    def snapshot(self, ahead: int = 0) -> RunSnapshot:
        """The run now; the same object as long as nothing has changed."""
        if self._shown is None or self._shown.ahead != ahead:
            self._version = max(self._version + 1, time.time_ns())
            self._shown = replace(self._run, grid=self.grid.settled(), ahead=ahead, version=self._version)
        return self._shown

    def queue(self, *, maps: bool) -> None:
        """What is missing waits, what failed or was stopped included; without `maps`, only measurements."""
        self.maps = maps
        note = "" if self.kept else self._run.note
        self._set(status=Status.QUEUED, note=note, grid=self.grid.waiting(maps=maps))

    def begin(self, plan: Plan, labels: tuple[str, ...]) -> None:
        """The run has the device."""
        self._set(status=Status.RUNNING, grid=replace(self.grid, plan=plan, labels=labels))

    def replan(self, plan: Plan) -> None:
        """The plan asks for more maps, or more of its maps."""
        grid = self.grid.with_plan(plan)
        self._set(grid=grid.waiting(maps=False) if self.active else grid)

    def mark(self, picture: int, truth: Truth | None) -> None:
        """The object of a picture is elsewhere, or not known; what was measured by where it was is dropped."""
        if self.active:
            self.remarked.add(picture)
        self._set(grid=self.grid.marked({picture: truth}))

    def current(self, event: Event) -> Event:
        """The event without what was measured by a ground truth that has changed since."""
        if not self.remarked or not self.by_truth(event):
            return event
        if isinstance(event, Measured):
            kept = {key: one for key, one in event.measurements.items() if not self._remarked(key)}
            return replace(event, measurements=kept)
        if isinstance(event, Reused) and self._remarked(event.cell):
            lost = self._keys_by_truth()
            return replace(event, made=event.made.without(lost, self.plan.metric_keys(event.cell.question)))
        return event

    def by_truth(self, event: Event) -> bool:
        """Whether the event may hold what was measured by a ground truth."""
        if isinstance(event, Measured):
            return event.metric in self._keys_by_truth()
        return isinstance(event, Reused) and bool(self._keys_by_truth())

    def _keys_by_truth(self) -> set[str]:
        return {choice.key for choice in self.plan.metrics_that_need("truth")}

    def _remarked(self, key: CellKey) -> bool:
        return self.plan.questions[key.question].picture in self.remarked

    def extend(self, plan: Plan, views: Sequence[Pixels], truths: Sequence[Truth | None]) -> RunSnapshot:
        """The plan asks more: pictures, questions, methods and metrics follow those that were there; the run then."""
        self._set(grid=self.grid.with_plan(plan, views, truths))
        return self.snapshot()

    def describe(self, name: str, remark: str) -> None:
        """Its owner calls it so, and says this of it."""
        self._set(name=name, remark=remark)

    def apply(self, event: Event) -> None:
        """Take in what the execution reports."""
        self._set(grid=self.grid.after(event))

    def ending(self, reason: Status) -> Status:
        """How the run stands when its job has ended for `reason`: done only if nothing was left out."""
        return Status.STOPPED if reason is Status.DONE and not self.grid.complete else reason

    def end(self, status: Status, note: str = "") -> None:
        """The run has ended; what it did not finish is stopped, or failed with the run."""
        error = note if status is Status.FAILED else ""
        whole = " ".join(part for part in (note, self._run.note) if part)
        self._set(status=status, note=whole, grid=self.grid.ended(error))

    def unkept(self, reason: str) -> None:
        """The run goes on in memory alone."""
        self.kept = False
        self._set(note="This run is not being kept on disk, so export what you need before the server ends. " + reason)

    def _set(self, **changes: object) -> None:
        self._shown = None
        self._run = replace(self._run, **changes)  # type: ignore[arg-type]  # names are those of RunSnapshot
