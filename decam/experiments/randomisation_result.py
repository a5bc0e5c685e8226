"""What a sanity check tells while it runs, and what all of it adds up to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from decam.explanation import Explanation, Progress


@dataclass(frozen=True)
class Likeness:
    """How alike two maps are by each measure of `decam.similarity`, by the measures' names; nan where one is flat.

    `plain` compares the maps as they are, `absolute` their absolute values.
    """

    plain: Mapping[str, float]
    absolute: Mapping[str, float]


@dataclass(frozen=True)
class Variant:
    """A model that the original is set against: its name and the share of its weights that are not the original's."""

    name: str
    share: float


@dataclass(frozen=True)
class Begun:
    """What is going to be compared: titles of the methods, the variants in their order, and the class asked about."""

    methods: tuple[str, ...]
    variants: tuple[Variant, ...]
    target: int
    label: str


@dataclass(frozen=True)
class Working:
    """A map is being made, for a variant's index or, where that is None, from the original model.

    `done` of `total` maps are finished.
    """

    method: int
    variant: int | None
    done: int
    total: int
    progress: Progress


@dataclass(frozen=True)
class Floor:
    """How alike a map and a control's map are: what "alike" is worth for this map. Of the random map a mean of five."""

    control: str
    likeness: Likeness


@dataclass(frozen=True)
class Original:
    """A method's map from the model as it is, and how alike it is with maps that know nothing of the model."""

    method: int
    explanation: Explanation
    floor: tuple[Floor, ...]


@dataclass(frozen=True)
class Compared:
    """A method's map from a variant of the model, beside its map from the original.

    The explanation's probability is what the variant answers for the class asked about.
    """

    method: int
    variant: int
    explanation: Explanation
    likeness: Likeness


@dataclass(frozen=True)
class Failed:
    """A map that could not be made, and why; `variant` is None for the original's. The others go on."""

    method: int
    variant: int | None
    sentence: str


Event: TypeAlias = Begun | Working | Original | Compared | Failed


@dataclass(frozen=True)
class Row:
    """One line of a table: a variant's name or that of a control, and one similarity with the original map.

    `values` is "signed" or "absolute": what was compared. `probability` is nan for a control.
    """

    method: str
    stage: str
    share: float
    probability: float
    measure: str
    values: str
    similarity: float


@dataclass(frozen=True)
class Sanity:
    """All that a sanity check found: what was compared and every finished or failed map, in the order of their making.

    Built event by event with `after`, so that a check that was stopped still has what it found.
    """

    methods: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    target: int = 0
    label: str = ""
    originals: tuple[Original, ...] = ()
    compared: tuple[Compared, ...] = ()
    failures: tuple[Failed, ...] = ()

    def after(self, event: Event) -> Sanity:
        """What is known once this event has come."""
        if isinstance(event, Begun):
            return Sanity(event.methods, event.variants, event.target, event.label)
        if isinstance(event, Original):
            return replace(self, originals=(*self.originals, event))
        if isinstance(event, Compared):
            return replace(self, compared=(*self.compared, event))
        if isinstance(event, Failed):
            return replace(self, failures=(*self.failures, event))
        return self

    def to_rows(self) -> list[Row]:
        """One row a method, variant, measure and way of comparing; rows of the controls come before the variants'."""
        rows: list[Row] = []
        for original in self.originals:
            for floor in original.floor:
                title = self.methods[original.method]
                rows += _rows(title, floor.control, math.nan, math.nan, floor.likeness)
        for one in self.compared:
            variant = self.variants[one.variant]
            title, probability = self.methods[one.method], one.explanation.probability
            rows += _rows(title, variant.name, variant.share, probability, one.likeness)
        return rows


def _rows(method: str, stage: str, share: float, probability: float, likeness: Likeness) -> list[Row]:
    return [
        Row(method, stage, share, probability, measure, values, similarity)
        for values, similarities in (("signed", likeness.plain), ("absolute", likeness.absolute))
        for measure, similarity in similarities.items()
    ]
