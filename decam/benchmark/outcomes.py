"""What the benchmarks of a store have found, by what was asked: maps of one question count whichever run made them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from decam.benchmark.shards import Asked
from decam.classifier import Execution
from decam.experiments.cells import CellKey
from decam.experiments.kinds.benchmark import BENCHMARK
from decam.experiments.plan import MethodChoice, Versions
from decam.experiments.status import Status
from decam.explanation import Map
from decam.runs.snapshots import CellOutline
from decam.runs.store import Store

Place: TypeAlias = tuple[str, CellKey]
"""A run's link, and a cell of it."""


@dataclass(frozen=True)
class Outcome:
    """A finished map: the class it is for, what it cost, and what metrics say of it, by their keys.

    `places` are the cells that hold it.
    """

    asked: Asked
    method: MethodChoice
    target: int
    evaluations: int
    values: Mapping[str, float]
    places: tuple[Place, ...]

    def and_also(self, cell: CellOutline, place: Place) -> Outcome:
        """The same map with what another run's metrics say of it."""
        values = {**cell.values, **self.values}
        return dataclasses.replace(self, values=values, places=tuple(dict.fromkeys((*self.places, place))))


class Outcomes:
    """The finished maps of all runs of kind benchmark; raises StoreError where the store cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, tuple[int, Status]] = {}
        self._found: dict[tuple[Asked, MethodChoice], Outcome] = {}
        self.versions: set[Versions] = set()
        self.executions: set[Execution] = set()
        self.refresh()

    def get(self, asked: Asked, method: MethodChoice) -> Outcome | None:
        """The map of a question by a method; None where there is none yet."""
        return self._found.get((asked, method))

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._found.values())

    def saliency(self, outcome: Outcome) -> Map:
        """The map itself, H×W float32; raises StoreError where its file is missing or damaged."""
        return self._store.saliency(*outcome.places[0])

    def refresh(self) -> None:
        """Take in what has changed; of a run that is still computed, what it has so far."""
        for link, version in self._store.versions(BENCHMARK).items():
            if self._read.get(link) != version:
                self._take(link)
                self._read[link] = version

    def _take(self, link: str) -> None:
        outline = self._store.outline(link)
        plan = outline.plan
        if outline.cells:
            self.versions.add(plan.versions)
        if outline.cells and plan.execution is not None:
            self.executions.add(plan.execution)
        for key, cell in outline.cells.items():
            place, method = (link, key), plan.methods[key.method]
            name = Asked.by(plan, key.question), method
            outcome = self._found.get(name)
            self._found[name] = (
                Outcome(name[0], method, cell.target, cell.evaluations, dict(cell.values), (place,))
                if outcome is None
                else outcome.and_also(cell, place)
            )
