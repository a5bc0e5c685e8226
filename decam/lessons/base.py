"""A lesson as a document: steps of a few kinds, pictures of ready-made runs, and numbers that come from these runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from decam.evolution.differential_evolution import EvolutionSettings

Fact: TypeAlias = Callable[[], str]
"""A number or a name that a lesson says: read from a run when the lesson is shown."""

LookName: TypeAlias = Literal["picture", "overlay", "map", "top kept", "top hidden"]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture of a step: what a run's question is about, or the map of it by a method.

    `look` is how it is drawn; `share` the share of the pixels that a map ranks first, for the looks that keep or hide
    them. `caption` stands under it, `alt` is read aloud in its place, and both may name facts.
    """

    run: str
    question: int = 0
    method: str = ""
    look: LookName = "picture"
    share: float = 0.2
    caption: str = ""
    alt: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A screen: a title, a text, and a note for whoever speaks. Texts may name facts in {braces} and terms in [[…]]."""

    title: str
    text: str
    note: str
    pictures: tuple[Shown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Text(Step):
    """Something to read and to look at."""


@dataclass(frozen=True, kw_only=True)
class Point(Step):
    """A prediction: a place in a picture. `key` names it for the reveal that follows."""

    key: str
    target: Shown


@dataclass(frozen=True, kw_only=True)
class Choose(Step):
    """A prediction: one of several answers."""

    key: str
    options: tuple[str, ...]
    right: int


@dataclass(frozen=True, kw_only=True)
class Estimate(Step):
    """A prediction: a share in per cent, 0 … 100. `answer` names the fact with the true one, such as "12 %"."""

    key: str
    asks: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Reveal(Step):
    """What comes after a prediction, the guess beside it."""

    of: str


@dataclass(frozen=True, kw_only=True)
class Cover(Step):
    """Play: cover parts of a picture by hand while the model answers; a method's map covers as much beside it."""

    run: str
    question: int
    method: str
    fill: str


@dataclass(frozen=True, kw_only=True)
class Walk(Step):
    """Play: Differential Evolution on a landscape of two variables."""

    landscape: str
    settings: EvolutionSettings
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Search(Step):
    """Play: the generations of a stored search for a map."""

    run: str
    question: int
    method: str


@dataclass(frozen=True, kw_only=True)
class Curves(Step):
    """Look: the curves of one metric, some methods of a run beside each other."""

    run: str
    metric: str
    fill: str
    methods: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Question(Step):
    """The end: a question, its right answer, and why it is right."""

    options: tuple[str, ...]
    right: int
    why: str


Prediction: TypeAlias = Point | Choose | Estimate


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name in addresses, a title, what one knows afterwards, how long it takes, and its steps."""

    name: str
    title: str
    aim: str
    minutes: int
    steps: tuple[Step, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def prediction(self, key: str) -> Prediction:
        """The prediction of that key; raises KeyError where the lesson has none."""
        for step in self.steps:
            if isinstance(step, Prediction) and step.key == key:
                return step
        raise KeyError(key)


@dataclass(frozen=True)
class Stop:
    """A part of a class: minutes, what is done, and the lesson it is done with, if any."""

    minutes: int
    text: str
    lesson: str = ""
