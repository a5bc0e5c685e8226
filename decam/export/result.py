"""What there is to export: the finished part of a comparison, and how its files are named."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from decam.classifier import Pixels
from decam.experiments.events import Cell, Event, Explained, Failed, Judged, Judgement, Measured
from decam.experiments.plan import Plan
from decam.explanation import Explanation, Truth
from decam.runs.snapshots import Curves, RunSnapshot


@dataclass(frozen=True)
class Look:
    """How overlays are drawn: colour map of unsigned maps, opacity in [0, 1], one scale a method or one a map.

    The top 1 % of a map's values lie beyond the ends of its colours, none with `extremes`.
    """

    colours: str = "cividis"
    opacity: float = 0.6
    shared: bool = False
    extremes: bool = False


@dataclass(frozen=True)
class Result:
    """What there is to export of a plan: views (H×W×3 uint8), finished maps, how they measure, why others failed.

    `truths` has a mask (H×W bool) or None for each picture, or is empty; `judgements` go by the metric's name.
    """

    plan: Plan
    labels: tuple[str, ...]
    views: tuple[Pixels, ...]
    explanations: Mapping[Cell, Explanation] = field(default_factory=dict)
    curves: Mapping[Cell, tuple[Curves, ...]] = field(default_factory=dict)
    judgements: Mapping[Cell, Mapping[str, Judgement]] = field(default_factory=dict)
    failures: Mapping[Cell, str] = field(default_factory=dict)
    created: str = ""
    truths: tuple[Truth | None, ...] = ()

    @classmethod
    def of_snapshot(cls, snapshot: RunSnapshot) -> Result:
        """What is finished of a run; cells still under way are left out."""
        cells = sorted(snapshot.cells.items())
        return cls(
            plan=snapshot.plan,
            labels=snapshot.labels,
            views=snapshot.views,
            explanations={cell: seen.explanation for cell, seen in cells if seen.explanation is not None},
            curves={cell: seen.curves for cell, seen in cells if seen.explanation is not None},
            judgements={cell: seen.judgements for cell, seen in cells if seen.explanation is not None},
            failures={cell: seen.error for cell, seen in cells if seen.error},
            truths=snapshot.truths,
            created=snapshot.created.isoformat(timespec="seconds"),
        )

    def after(self, event: Event) -> Result:
        """The result once this event of a comparison has happened; events that finish nothing change nothing."""
        if isinstance(event, Explained):
            return dataclasses.replace(self, explanations={**self.explanations, event.cell: event.explanation})
        if isinstance(event, Measured):
            measured = Curves(event.fills, event.deletion, event.insertion)
            kept = (*self.curves.get(event.cell, ()), measured)
            return dataclasses.replace(self, curves={**self.curves, event.cell: kept})
        if isinstance(event, Judged):
            judged = {
                cell: {**self.judgements.get(cell, {}), event.metric: judgement}
                for cell, judgement in event.judgements.items()
            }
            return dataclasses.replace(self, judgements={**self.judgements, **judged})
        if isinstance(event, Failed):
            return dataclasses.replace(self, failures={**self.failures, event.cell: event.sentence})
        return self


def slug(name: str, longest: int = 48) -> str:
    """A name as part of a file name on any system: ASCII letters, digits, dots, dashes and underscores.

    Accents are dropped, everything else becomes a dash; "picture" where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain)[:longest].strip("-._") or "picture"


def picture_names(plan: Plan) -> tuple[str, ...]:
    """For each picture its number from 01 and its name without folders and extension: never twice the same."""
    stems = [PurePath(choice.name.replace("\\", "/")).stem for choice in plan.pictures]
    return tuple(f"{number:02d}_{slug(stem)}" for number, stem in enumerate(stems, start=1))


def method_names(plan: Plan) -> tuple[str, ...]:
    """For each method its name, with a number from the second time on that the plan has it."""
    names = [choice.name for choice in plan.methods]
    seen = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return tuple(name if count == 1 else f"{name}-{count}" for name, count in zip(names, seen, strict=True))
