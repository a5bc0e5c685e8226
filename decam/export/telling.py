"""Long work told while it goes on: the events of a plan in words, and a bar for notebooks and terminals."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol, TypeVar

from decam import shares
from decam.classifier.certainty import decimal
from decam.durations import duration
from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Progressed, Spent
from decam.experiments.execute import Models, execute
from decam.experiments.grid import Grid
from decam.experiments.status import CellState
from decam.explanation import Progress
from decam.export.standing import share_of, unbroken
from decam.numerals import several

Result = TypeVar("Result")
FORMAT = "{desc} {percentage:3.0f} % {bar} {elapsed}{postfix}"


class Teller(Protocol):
    """What is told to: `show` may be overwritten by what follows, `note` stays where there is room."""

    def show(self, text: str) -> None:
        """Tell what is going on."""

    def note(self, text: str) -> None:
        """Tell what has ended."""


def tell(event: Event, grid: Grid, teller: Teller) -> None:
    """An event of a plan in words; `grid` has it already."""
    plan = grid.plan
    if isinstance(event, Spent):
        return
    if isinstance(event, Measured):
        teller.show(f"{plan.metric_titles()[event.metric]} measured")
        return
    if isinstance(event, Predicted):
        top = int(event.probabilities.argmax())
        teller.note(f"{grid.subject_of(event.question)}: {grid.labels[top]} ({decimal(event.probabilities[top])})")
        return
    subject = grid.subject_of(event.cell.question)
    name = f"{subject} · {plan.titles()[event.cell.method]}"
    count = f"{made(grid)} of {len(grid.cells)} maps"
    if isinstance(event, Progressed):
        done = shares.done(event.progress.step, event.progress.total)
        if event.stage is CellState.MEASURING:
            teller.show(f"{count} · {subject} · measuring {done}")
        else:
            teller.show(f"{count} · {name} {done} · {event.progress.evaluations} evaluations")
    elif isinstance(event, Explained):
        explanation = event.explanation
        teller.note(f"{name}: {explanation.evaluations} evaluations in {duration(explanation.seconds)}")
        for note in explanation.notes:
            teller.note(f"Note: {name}: {note}")
    elif isinstance(event, Failed):
        teller.note(f"{name} failed: {event.sentence}")


def made(grid: Grid) -> int:
    """How many maps are finished."""
    return sum(cell.explanation is not None for cell in grid.cells.values())


class Bar:
    """A bar of tqdm in a notebook or on a terminal, or nothing at all; what is told stands behind it."""

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar

    def show(self, text: str) -> None:
        """Replace what stands behind the bar; a file's name may hold characters that move the cursor."""
        if self._bar is not None:
            self._bar.set_postfix_str(unbroken(text), refresh=False)

    def note(self, text: str) -> None:
        """As `show`: a bar has one line."""
        self.show(text)

    def reach(self, share: float) -> None:
        """Move the bar forward to a share of the work, in [0, 1]."""
        if self._bar is not None:
            self._bar.update(max(0.0, min(1.0, share) - self._bar.n))


@contextmanager
def bar(title: str, shown: bool | None = None) -> Iterator[Bar]:
    """A bar that is gone from the screen's last line when the block ends.

    Without `shown` it is drawn where standard error is a terminal, and in a notebook.
    """
    if not (sys.stderr.isatty() or in_notebook() if shown is None else shown):
        yield Bar()
        return
    from tqdm.auto import tqdm

    with tqdm(total=1.0, desc=title, bar_format=FORMAT, leave=True, file=sys.stderr) as drawn:
        yield Bar(drawn)


def in_notebook() -> bool:
    """True in a kernel of Jupyter."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def watched(steps: Generator[Progress, None, Result], title: str, shown: bool | None = None) -> Result:
    """What work returns at its end, with a bar meanwhile."""
    with bar(title, shown) as drawn, closing(steps):
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                drawn.reach(1.0)
                result: Result = end.value
                return result
            drawn.show(f"{progress.evaluations:,} evaluations")
            drawn.reach(progress.step / progress.total if progress.total else 0.0)


def computed(grid: Grid, models: Models, shown: bool | None = None) -> Grid:
    """A grid with all that it was missing, with a bar meanwhile."""
    with bar(several(len(grid.cells), "map"), shown) as drawn:
        with closing(execute(grid, models)) as events:
            for event in events:
                grid = grid.after(event)
                tell(event, grid, drawn)
                drawn.reach(share_of(grid.cells))
        drawn.reach(1.0)
    return grid.settled()
