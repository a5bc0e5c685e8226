"""What a row of the table of metrics says, and the curves that faithfulness metrics return."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.explanation import Map, Progress, Question
from decam.masking import FILLS as FILLS
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class FaithfulnessSettings(Settings):
    """How a curve is drawn: in how many steps, and what replaces hidden pixels."""

    steps: int = parameter(
        50, "How many equal shares of the picture are hidden or shown, one evaluation each.", low=2, high=500
    )
    fill: str = parameter("mean", "What replaces a hidden pixel.", choices=FILLS)


@dataclass(frozen=True)
class Curve:
    """What the model answers while pixels are hidden or shown in the order of a map.

    All arrays have one entry a step, the first before any pixel has changed: `shares` is the share of pixels
    changed, in [0, 1]; `probabilities` the target's; `top` the class then predicted and `top_probabilities` its
    probability. `auc` is the area under `probabilities` by the trapezoid rule, in [0, 1].
    """

    metric: str
    fill: str
    shares: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    top: NDArray[np.int64]
    top_probabilities: NDArray[np.float32]
    auc: float


@dataclass(frozen=True)
class Measurement:
    """The value of a metric for one map, with the curve it was read from where there is one."""

    metric: str
    value: float
    curve: Curve | None = None


Measuring: TypeAlias = Generator[Progress, None, tuple[Measurement, ...]]


@dataclass(frozen=True)
class Metric:
    """A way to judge saliency maps.

    `run(question, maps, settings)` is a generator of Progress that returns one Measurement a map.
    `direction` is +1 where higher is better, −1 where lower is. `cost(settings)` counts evaluations a map; both
    take the row's own settings class.
    `fill` is the fill that the metric's authors use.
    """

    name: str
    title: str
    summary: str
    reference: str
    url: str
    direction: int
    settings: type[Settings]
    run: Callable[[Question, Sequence[Map], Any], Measuring]
    cost: Callable[[Any], int]
    fill: str
