"""What a run looks like at one moment: immutable values that pages, exports and the store share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from decam.classifier import Pixels
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid, Guess
from decam.experiments.plan import Plan
from decam.experiments.status import Status
from decam.explanation import Truth
from decam.methods import described, is_method
from decam.models import catalogue

SYSTEM_OWNER = "@shared"
"""Owner of the runs that a page makes for everybody: they are in nobody's list."""
EARLIER_SYSTEM_OWNERS = ("@house",)
"""What that owner is called in the rows of earlier versions, which are read as they are."""


@dataclass(frozen=True)
class RunSnapshot:
    """A run at one moment.

    `ahead` counts the jobs before it while it is queued; `note` says in words what a reader must know (that it failed
    or is not being kept, and why). `version` grows with every change. What is known of the plan is in `grid`. `name`
    and `remark` are its owner's words, empty where there are none.
    """

    id: str
    created: datetime
    status: Status
    grid: Grid
    ahead: int = 0
    note: str = ""
    version: int = 0
    owner: str = ""
    name: str = ""
    remark: str = ""

    @property
    def title(self) -> str:
        """What the run is called: its name, or else its first picture or its model."""
        return self.name or default_name([picture.name for picture in self.plan.pictures], self.plan.model)

    @property
    def active(self) -> bool:
        """True while the run waits or is computed."""
        return self.status.active

    @property
    def plan(self) -> Plan:
        """The plan of the grid."""
        return self.grid.plan

    @property
    def views(self) -> tuple[Pixels, ...]:
        """The pictures as the model sees them, H×W×3 uint8 each."""
        return self.grid.views

    @property
    def truths(self) -> tuple[Truth | None, ...]:
        """Where the classes are in the pictures, H×W bool each or None; empty where no picture has one."""
        return self.grid.truths

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's classes, empty until the model has been loaded."""
        return self.grid.labels

    @property
    def predictions(self) -> tuple[tuple[Guess, ...] | None, ...]:
        """The five likeliest classes of each question, None before they are known."""
        return self.grid.predictions

    @property
    def cells(self) -> Mapping[CellKey, Cell]:
        """The maps."""
        return self.grid.cells


@dataclass(frozen=True)
class RunSummary:
    """A line in the list of recent runs; `thumbnail` is a PNG of at most 96×96 pixels."""

    id: str
    created: datetime
    status: Status
    kind: str
    model: str
    facts: tuple[str, ...]
    pictures: tuple[str, ...]
    methods: tuple[str, ...]
    thumbnail: bytes
    name: str = ""
    remark: str = ""

    @property
    def title(self) -> str:
        """What the run is called, as `RunSnapshot.title` says it."""
        return self.name or default_name(self.pictures, self.model)


def default_name(pictures: Sequence[str], model: str) -> str:
    """What a run without a name is called: its first picture and how many follow, or its model where it has none."""
    if not pictures:
        return catalogue.title_of(model)
    return pictures[0] if len(pictures) == 1 else f"{pictures[0]} +{len(pictures) - 1}"


def found(summary: RunSummary, search: str) -> bool:
    """True if each word of `search` occurs in the name, remark, model, methods or pictures of a run, in any case."""
    return mentions(search, (summary.name, summary.remark), summary.model, summary.methods, summary.pictures)


def mentions(search: str, said: Sequence[str], model: str, methods: Sequence[str], pictures: Sequence[str]) -> bool:
    """What `found` says, of a run of which no more than this is read; `said` are its owner's words."""
    text = "\n".join([*said, _titles(model, tuple(methods)), *pictures]).casefold()
    return all(word in text for word in search.casefold().split())


@lru_cache(maxsize=1024)
def _titles(model: str, methods: tuple[str, ...]) -> str:
    """A model and methods by their names and titles: a search asks for the same ones again and again."""
    titles = [described(method).title for method in methods if is_method(method)]
    return "\n".join([model, catalogue.title_of(model), *methods, *titles])


@dataclass(frozen=True)
class CellOutline:
    """What a finished map cost, the class it is for, and what the plan's metrics say of it, by their keys.

    A value is NaN where its metric says nothing; one that failed is left out.
    """

    target: int
    evaluations: int
    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class RunOutline:
    """A run without its arrays: the plan and its finished maps."""

    plan: Plan
    cells: Mapping[CellKey, CellOutline]
