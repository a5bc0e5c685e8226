"""What a screen of a study is made of: each element is shown by the participant's page and checks its own answer.

Tasks, questionnaires, consent: all of them are screens of these elements. The page draws an element from what
`visible` says and nothing else, so whatever a participant must not know stays on the server.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeAlias, TypeGuard

import numpy as np

from decam.errors import DecamError

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class AnswerError(DecamError):
    """An answer that its element could not have given."""


@dataclass(frozen=True)
class Picture:
    """A picture on a screen: the digest of its PNG, its size in pixels, and what a screen reader says instead."""

    image: str
    width: int
    height: int
    alternative: str

    def visible(self) -> dict[str, Json]:
        """As the page gets it."""
        return {"image": self.image, "width": self.width, "height": self.height, "alternative": self.alternative}


@dataclass(frozen=True)
class Option:
    """One of several answers: the value that is stored, a label, and where it is a picture, that picture."""

    value: str
    label: str
    picture: Picture | None = None

    def visible(self) -> dict[str, Json]:
        """As the page gets it."""
        picture = {} if self.picture is None else {"picture": self.picture.visible()}
        return {"value": self.value, "label": self.label, **picture}


@dataclass(frozen=True)
class Element(ABC):
    """Part of a screen. `name` is the answer's name on that screen, and empty where nothing is asked."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The name of the answer; elements that ask nothing have none."""
        return ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures that the page loads before the screen is shown."""
        return ()

    @abstractmethod
    def visible(self) -> dict[str, Json]:
        """As the page gets it; `kind` says how it is drawn."""


@dataclass(frozen=True)
class Prose(Element):
    """Paragraphs, which an empty line separates; markup in them is shown as it is written. `heading` may be empty."""

    kind = "prose"
    text: str
    heading: str = ""

    def visible(self) -> dict[str, Json]:
        return {"kind": self.kind, "text": self.text, "heading": self.heading}


@dataclass(frozen=True)
class Shown(Element):
    """Pictures beside each other, each with a caption."""

    kind = "pictures"
    shown: tuple[tuple[Picture, str], ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(picture for picture, _ in self.shown)

    def visible(self) -> dict[str, Json]:
        shown: list[Json] = [{**picture.visible(), "caption": caption} for picture, caption in self.shown]
        return {"kind": self.kind, "shown": shown}


@dataclass(frozen=True)
class Pause(Element):
    """A break: the participant goes on when ready, at the earliest after `seconds`."""

    kind = "pause"
    seconds: int = 0

    def visible(self) -> dict[str, Json]:
        return {"kind": self.kind, "seconds": self.seconds}


@dataclass(frozen=True)
class Question(Element):
    """Part of a screen that asks something; an `optional` one may be left out, which is stored as None."""

    answer: str
    prompt: str
    optional: bool = dataclasses.field(default=False, kw_only=True)

    @property
    def name(self) -> str:
        return self.answer

    def visible(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "name": self.answer,
            "prompt": self.prompt,
            "optional": self.optional,
            **self._details(),
        }

    def check(self, value: Json) -> Json:
        """The answer as it is stored; raises AnswerError, with one sentence, for what this element cannot give."""
        if value is None or value == "" or value == []:
            if self.optional:
                return None
            raise AnswerError(f"{self.answer} is not answered, but an answer is needed.")
        return self._checked(value)

    @abstractmethod
    def random(self, rng: np.random.Generator) -> Json:
        """An answer that says nothing, as somebody gives who does not look."""

    @abstractmethod
    def first(self) -> Json:
        """The answer that stands first, or on the left."""

    @abstractmethod
    def _details(self) -> dict[str, Json]: ...

    @abstractmethod
    def _checked(self, value: Json) -> Json: ...

    def _refused(self, value: Json, expected: str) -> AnswerError:
        return AnswerError(f"{self.answer} is {str(value)[:60]!r}, but must be {expected}.")


@dataclass(frozen=True)
class Choice(Question):
    """One of several options, as buttons or as pictures to choose from."""

    kind = "choice"
    options: tuple[Option, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(option.picture for option in self.options if option.picture is not None)

    @property
    def values(self) -> tuple[str, ...]:
        """All values, in the order shown."""
        return tuple(option.value for option in self.options)

    def random(self, rng: np.random.Generator) -> Json:
        return self.values[int(rng.integers(len(self.options)))]

    def first(self) -> Json:
        return self.values[0]

    def _details(self) -> dict[str, Json]:
        return {"options": [option.visible() for option in self.options]}

    def _checked(self, value: Json) -> Json:
        if value not in self.values:
            raise self._refused(value, f"one of: {', '.join(self.values)}")
        return value


@dataclass(frozen=True)
class Several(Choice):
    """Any number of several options; stored in the order shown."""

    kind = "several"

    def random(self, rng: np.random.Generator) -> Json:
        return [value for value in self.values if rng.random() < 0.5] or [self.values[0]]

    def first(self) -> Json:
        return [self.values[0]]

    def _checked(self, value: Json) -> Json:
        if not isinstance(value, list) or not all(one in self.values for one in value):
            raise self._refused(value, f"a list of some of: {', '.join(self.values)}")
        return [one for one in self.values if one in value]


@dataclass(frozen=True)
class Ranking(Choice):
    """All options in order, the best first."""

    kind = "ranking"

    def random(self, rng: np.random.Generator) -> Json:
        return [self.values[place] for place in rng.permutation(len(self.values))]

    def first(self) -> Json:
        return list(self.values)

    def _checked(self, value: Json) -> Json:
        if not isinstance(value, list) or sorted(map(str, value)) != sorted(self.values):
            raise self._refused(value, f"a list with each of these once: {', '.join(self.values)}")
        return value


@dataclass(frozen=True)
class Rating(Question):
    """A point of a scale, from 1 to `points`; `low` and `high` say what its ends mean."""

    kind = "rating"
    points: int
    low: str
    high: str

    def random(self, rng: np.random.Generator) -> Json:
        return int(rng.integers(1, self.points + 1))

    def first(self) -> Json:
        return 1

    def _details(self) -> dict[str, Json]:
        return {"points": self.points, "low": self.low, "high": self.high}

    def _checked(self, value: Json) -> Json:
        if not _whole(value) or not 1 <= value <= self.points:
            raise self._refused(value, f"a whole number from 1 to {self.points}")
        return value


@dataclass(frozen=True)
class Slider(Question):
    """A number between `least` and `most`, in steps; nothing is chosen before the participant moves it."""

    kind = "slider"
    least: int
    most: int
    step: int
    low: str
    high: str

    def random(self, rng: np.random.Generator) -> Json:
        return self.least + self.step * int(rng.integers((self.most - self.least) // self.step + 1))

    def first(self) -> Json:
        return self.least

    def _details(self) -> dict[str, Json]:
        return {"least": self.least, "most": self.most, "step": self.step, "low": self.low, "high": self.high}

    def _checked(self, value: Json) -> Json:
        if not _whole(value) or not self.least <= value <= self.most or (value - self.least) % self.step:
            raise self._refused(value, f"a number from {self.least} to {self.most} in steps of {self.step}")
        return value


UNBOUNDED = 1e9  # as far as a number may go that has no bound
USUAL = 100.0  # how far apart numbers lie that simulated participants type where there is no bound


@dataclass(frozen=True)
class Number(Question):
    """A number that is typed, from `least` to `most`; −UNBOUNDED and UNBOUNDED stand for no bound."""

    kind = "number"
    least: float
    most: float

    def random(self, rng: np.random.Generator) -> Json:
        low, high = self._usual()
        if math.ceil(low) <= math.floor(high):
            return int(rng.integers(math.ceil(low), math.floor(high), endpoint=True))
        return float(rng.uniform(low, high))

    def first(self) -> Json:
        return self._usual()[0]

    def _usual(self) -> tuple[float, float]:
        """The bounds, and in place of one that is not there what people may type: a number from 0 to 100, or so."""
        low, high = self.least, self.most
        if low <= -UNBOUNDED:
            low = 0.0 if high > 0 else high - USUAL
        return low, max(low, 0.0) + USUAL if high >= UNBOUNDED else high

    def _details(self) -> dict[str, Json]:
        return {"least": self.least, "most": self.most}

    def _checked(self, value: Json) -> Json:
        if not _finite(value):
            raise self._refused(value, "a number")
        if not self.least <= value <= self.most:
            raise self._refused(value, f"a number from {self.least:g} to {self.most:g}")
        return value


@dataclass(frozen=True)
class Entry(Question):
    """A text that is typed, of at most `most` characters."""

    kind = "entry"
    most: int = 500
    long: bool = True

    def random(self, rng: np.random.Generator) -> Json:
        words = ("edges", "head", "the whole object", "background", "nothing in particular")
        return words[int(rng.integers(len(words)))]

    def first(self) -> Json:
        return "-"

    def _details(self) -> dict[str, Json]:
        return {"most": self.most, "long": self.long}

    def _checked(self, value: Json) -> Json:
        if not isinstance(value, str) or len(value) > self.most:
            raise self._refused(value, f"a text of at most {self.most} characters")
        # A null character cannot be kept in every database.
        return value.replace("\x00", "")


@dataclass(frozen=True)
class Pointing(Question):
    """Places in a picture: points, or boxes, in the picture's own pixels, the origin at the top left.

    A point is {x, y, ms} and a box {x, y, width, height, ms}; `ms` counts from the frame that showed the picture.
    """

    kind = "pointing"
    picture: Picture
    shape: str
    least: int
    most: int

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.picture,)

    def random(self, rng: np.random.Generator) -> Json:
        return [self.at(rng.random(), rng.random(), ms) for ms in range(300, 300 + max(self.least, 1))]

    def first(self) -> Json:
        return [self.at(0.0, 0.0, 300 + ms) for ms in range(max(self.least, 1))]

    def at(self, x: float, y: float, ms: int = 0) -> dict[str, Json]:
        """A point, or the corner of a small box, at a place given in shares of the picture's width and height."""
        share = 0.1 if self.shape == "boxes" else 0.0
        left, top = (min(max(place, 0.0), 1.0 - share) for place in (x, y))
        width, height = self.picture.width, self.picture.height
        place: dict[str, Json] = {"x": math.floor(left * width), "y": math.floor(top * height), "ms": ms}
        if self.shape == "boxes":
            place |= {"width": math.floor(share * width), "height": math.floor(share * height)}
        return place

    def _details(self) -> dict[str, Json]:
        return {"picture": self.picture.visible(), "shape": self.shape, "least": self.least, "most": self.most}

    def _checked(self, value: Json) -> Json:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise self._refused(value, f"a list of {self.least} to {self.most} {self.shape}")
        return [self._checked_place(place) for place in value]

    def _checked_place(self, place: Json) -> Json:
        names = ("x", "y", "width", "height", "ms") if self.shape == "boxes" else ("x", "y", "ms")
        if not isinstance(place, dict) or set(place) != set(names) or not all(_finite(place[name]) for name in names):
            raise self._refused(place, f"a place with the numbers {', '.join(names)}")
        numbers = {name: float(place[name]) for name in names}  # type: ignore[arg-type]  # all finite numbers
        right, bottom = numbers["x"] + numbers.get("width", 0.0), numbers["y"] + numbers.get("height", 0.0)
        inside = 0 <= numbers["x"] <= right <= self.picture.width and 0 <= numbers["y"] <= bottom <= self.picture.height
        if not inside or not 0 <= numbers["ms"] <= 1e9:
            raise self._refused(place, f"inside the image of {self.picture.width}×{self.picture.height} pixels")
        return dict(numbers)


def _whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _finite(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
