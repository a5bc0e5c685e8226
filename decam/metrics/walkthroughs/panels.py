"""What is shown of a metric at work: pictures and charts as plain data, drawn by whoever shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.explanation import Truth
from decam.masking import to_pixels
from decam.metrics.base import Case, Measurement
from decam.metrics.scales import Limits, Values, shared_limits


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture (H×W×3 uint8), with what is drawn on it.

    `saliency` (H×W) is laid over it in colour between `limits`; `truth` is outlined; where `kept` is given, all other
    pixels are dimmed; `mark` is a pixel (row, column) with a cross. `probability` is the target's on this very picture.
    """

    caption: str
    pixels: Pixels
    saliency: Values | None = None
    limits: Limits = (0.0, 1.0)
    truth: Truth | None = None
    kept: Truth | None = None
    mark: tuple[int, int] | None = None
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart, or its points alone; `filled` shades what lies below it, `quiet` is for orientation only."""

    name: str
    x: Values
    y: Values
    points: bool = False
    filled: bool = False
    quiet: bool = False


@dataclass(frozen=True, eq=False)
class Chart:
    """Lines over one pair of axes; `x_range` and `y_range` are None where the data decide."""

    caption: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    x_range: Limits | None = None
    y_range: Limits | None = None


@dataclass(frozen=True, eq=False)
class Bars:
    """Named values side by side; `low` and `high` are the ends of the scale."""

    caption: str
    names: tuple[str, ...]
    values: Values
    low: float = 0.0
    high: float | None = None


Panel: TypeAlias = Picture | Chart | Bars


@dataclass(frozen=True, eq=False)
class Remade:
    """A map that was made again for a metric, of which picture (H×W×3 uint8)."""

    pixels: Pixels
    saliency: Values


@dataclass(frozen=True, eq=False)
class Work:
    """A metric's work on the first map of a case, when it is done: what came of it, and the maps it has made again."""

    case: Case
    settings: Any
    measurement: Measurement
    remade: tuple[Remade, ...]

    @property
    def pixels(self) -> Pixels:
        """The picture as the model sees it."""
        return to_pixels(self.case.question.image)

    @property
    def saliency(self) -> Values:
        """The map that is judged, finite."""
        values: Values = self.case.values[0]
        return values

    @property
    def limits(self) -> Limits:
        """What the two ends of the colours stand for."""
        return limits(self.saliency)

    def judged(self, caption: str = "The map") -> Picture:
        """The map over the picture."""
        return Picture(caption, self.pixels, self.saliency, self.limits)


@dataclass(frozen=True, eq=False)
class Shown:
    """How a metric came to its value for the first map of a case, in `words` too; one measurement a map."""

    metric: str
    panels: tuple[Panel, ...]
    words: str
    measurements: tuple[Measurement, ...]


Show: TypeAlias = Callable[[Work], tuple[tuple[Panel, ...], str]]


def limits(*maps: Values) -> Limits:
    """The ends of a scale for these maps together; the same distance from zero where one of them has a sign."""
    return shared_limits(maps, signed=any(bool(one.min() < 0) for one in maps))


def array(values: NDArray[Any] | list[float]) -> Values:
    """As float64."""
    return np.asarray(values, np.float64)
