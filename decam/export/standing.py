"""How a run stands, in words and as a share: the same for pages that draw it and for streams that send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.status import CellState, Status
from decam.explanation import Progress
from decam.models import catalogue
from decam.numerals import several
from decam.runs.snapshots import RunSnapshot


@dataclass(frozen=True)
class Title:
    """A word and an icon of Material Symbols; as text it is Markdown that shows both, with the `reason` if any."""

    title: str
    icon: str
    reason: str = ""

    def __str__(self) -> str:
        return f":material/{self.icon}: {self.words}"

    @property
    def words(self) -> str:
        """The title, with the reason where there is one."""
        return self.title + (f": {self.reason}" if self.reason else "")


STATUS: dict[Status, Title] = {
    Status.QUEUED: Title("Waiting", "hourglass_empty"),
    Status.RUNNING: Title("Running", "progress_activity"),
    Status.DONE: Title("Finished", "check_circle"),
    Status.STOPPED: Title("Stopped", "stop_circle"),
    Status.INTERRUPTED: Title("Interrupted", "pause_circle", "the server ended before the run did"),
    Status.FAILED: Title("Failed", "error"),
}
CELLS: dict[CellState, Title] = {
    CellState.WAITING: Title("Waiting", "hourglass_empty"),
    CellState.RUNNING: Title("Running", "progress_activity"),
    CellState.MEASURING: Title("Measuring", "straighten"),
    CellState.DONE: Title("Finished", "check_circle"),
    CellState.FAILED: Title("Failed", "error"),
    CellState.STOPPED: Title("Stopped", "stop_circle"),
}
ABSENT = {CellState.WAITING: "waits for its turn", CellState.STOPPED: "stopped before its turn"}
"""Of a map that is not there, in the place where it would be."""


@dataclass(frozen=True)
class Standing:
    """One line on a run: an icon, a title, and facts; and the share of the work that is done, in [0, 1]."""

    icon: str
    title: str
    facts: tuple[str, ...]
    share: float


def standing(snapshot: RunSnapshot) -> Standing:
    """How a run stands, with the facts that a reader needs to tell it from others."""
    plan, count = snapshot.plan, len(snapshot.cells)
    finished = sum(cell.explanation is not None for cell in snapshot.cells.values())
    facts = []
    if snapshot.status is Status.QUEUED and snapshot.ahead:
        facts.append(f"{several(snapshot.ahead, 'run')} ahead of yours")
    facts.append(f"{finished} of {several(count, 'map')}" if finished < count else several(count, "map"))
    if reused := sum(cell.reused for cell in snapshot.cells.values()):
        facts.append(f"{reused:,} from earlier runs")
    facts.append(catalogue.title_of(plan.model))
    if plan.execution is not None:
        facts.append(f"{plan.device}, {plan.execution.precision}")
    facts += [f"seed {plan.seed}", when(snapshot.created)]
    title = STATUS[snapshot.status]
    return Standing(title.icon, title.words, tuple(facts), share(snapshot))


def awaiting(ahead: int, progress: Progress | None) -> Standing:
    """How work stands that is no run: behind `ahead` jobs, or as far as its last progress says."""
    step, total, evaluations = (progress.step, progress.total, progress.evaluations) if progress else (0, 0, 0)
    status = STATUS[Status.QUEUED if ahead else Status.RUNNING]
    facts = [f"{several(ahead, 'job')} ahead"] if ahead else []
    if evaluations:
        facts.append(several(evaluations, "evaluation"))
    return Standing(status.icon, status.words, tuple(facts), min(1.0, step / total) if total else 0.0)


def share(snapshot: RunSnapshot) -> float:
    """How much of the run is done, each map with its measurements counting the same."""
    return share_of(snapshot.cells)


def share_of(cells: Mapping[CellKey, Cell]) -> float:
    """How much of these maps is done, each with its measurements counting the same; 0 where there are none."""
    if not cells:
        return 0.0
    shares = []
    for cell in cells.values():
        step = min(1.0, cell.step / cell.total) if cell.total else 0.0
        begun = {CellState.WAITING: 0.0, CellState.RUNNING: 0.5 * step, CellState.MEASURING: 0.5 + 0.5 * step}
        shares.append(begun.get(cell.state, 1.0))
    return min(1.0, sum(shares) / len(shares))


def unbroken(text: str) -> str:
    """A text on one line: names of files may hold characters that move the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def spending(grid: Grid) -> str:
    """What a run has cost so far: 1,204 evaluations, 804 of them for metrics."""
    whole = several(grid.evaluations, "evaluation")
    return f"{whole}, {grid.metric_evaluations:,} of them for metrics" if grid.metric_evaluations else whole


def when(moment: datetime) -> str:
    """A moment in the server's own time zone: today by its time, else by its day."""
    local = moment.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if today else f"{local:%d %b %H:%M}".lstrip("0")
