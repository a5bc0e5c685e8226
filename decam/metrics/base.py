"""What a row of the table of metrics says, what it judges, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decam.explanation import Map, Progress, Question, Steps, shared_out
from decam.masking import FILLS as FILLS
from decam.masking import fill
from decam.metrics.scales import Values, cleaned, scaled
from decam.numerals import bounds
from decam.settings import Settings, parameter

T = TypeVar("T")
Family: TypeAlias = Literal["faithfulness", "localisation", "robustness", "complexity", "randomisation"]
Requirement: TypeAlias = Literal["truth", "explain", "reference", "controls", "running"]
Running: TypeAlias = tuple[tuple[int, Map], ...]
"""The maps so far of a map in the making (h×w each, of any size), each with the evaluations it had cost, ascending.

The last one is the finished map.
"""
Sequencing: TypeAlias = Literal["deletion", "insertion"]

BROKEN = "The map holds values that are not finite; they count as its lowest value, +∞ as its highest."


@dataclass(frozen=True)
class FaithfulnessSettings(Settings):
    """How a curve is drawn: in how many steps, and what replaces hidden pixels."""

    steps: int = parameter(
        50, "How many equal shares of the image are hidden or shown, one evaluation each.", low=2, high=500
    )
    fill: str = parameter("mean", "What replaces a hidden pixel.", choices=FILLS)


@dataclass(frozen=True)
class NoSettings(Settings):
    """Of a metric that leaves nothing to choose."""


@dataclass(frozen=True)
class Axes:
    """What a metric's curve shows: `x` and `y` name its axes; the y axis reaches from `low` to `high`.

    `percent` marks values that are shown in per cent.
    """

    x: str
    y: str
    low: float = 0.0
    high: float = 1.0
    percent: bool = False


@dataclass(frozen=True)
class Curve:
    """What a metric saw on the way to its value, P points.

    `shares` is a share of the picture's pixels, or of the evaluations that the map cost, in [0, 1], ascending, and
    `values` what belongs to it, as the metric's `axes` say. `top` is the class then predicted and `top_values` its
    probability; None where nobody looked at it.
    """

    shares: NDArray[np.float32]
    values: NDArray[np.float32]
    top: NDArray[np.int64] | None = None
    top_values: NDArray[np.float32] | None = None

    @property
    def area(self) -> float:
        """The area under `values` by the trapezoid rule."""
        return float(np.trapezoid(self.values.astype(np.float64), self.shares.astype(np.float64)))


@dataclass(frozen=True)
class Measurement:
    """The value of a metric for one map, with the curve it was read from where there is one.

    `value` is NaN where the metric says nothing about this map, and `note` then says why. `parts` are the named values
    that a joined metric is made of. `failed` says that the metric ended with an error, which may not come back.
    `evaluations` are the images that the model was asked about for it: none where an earlier metric of the same case
    had asked already, and a share where several maps were measured together. A `reused` measurement is an earlier
    run's: `evaluations` is what it cost then, and this run spent none.
    """

    metric: str
    value: float
    curve: Curve | None = None
    note: str = ""
    parts: tuple[tuple[str, float], ...] = ()
    failed: bool = False
    evaluations: int = 0
    reused: bool = False

    @property
    def spent(self) -> int:
        """Images through the model for this measurement in this run: none for one that an earlier run has made."""
        return 0 if self.reused else self.evaluations


def charged(measurements: Sequence[Measurement], evaluations: int) -> tuple[Measurement, ...]:
    """Measurements of the maps of one case with so many evaluations more, shared among them."""
    parts = zip(measurements, shared_out(evaluations, len(measurements)), strict=True) if measurements else ()
    return tuple(replace(one, evaluations=one.evaluations + share) for one, share in parts)


@dataclass(frozen=True)
class Difference:
    """A value that two metrics give together: a metric's own less that of the metric named `less`, under a title."""

    less: str
    title: str


Measuring: TypeAlias = Generator[Progress, None, tuple[Measurement, ...]]


@dataclass(frozen=True)
class Origin:
    """How a map came about: `make(question, seed)` makes it again, of another image or from another seed.

    `cost` is what that takes in evaluations, for the progress bar.
    """

    make: Callable[[Question, int], Steps]
    seed: int
    cost: int = 0


@dataclass(frozen=True, eq=False)
class Case:
    """The maps (H×W each) of one question that are judged together, and what is known beside them.

    `truth` (H×W) is True where the object lies. `origins` has one entry a map, None for a map that cannot be made
    again; empty, it says so of all. `seed` is where a metric's own random numbers begin. `references` has for each map
    the one it is compared with, and is empty where there are none; `controls` has maps that know nothing of the model,
    by the control's title. `running` has for each map the way to it, and is empty where nobody kept it. What one metric
    has asked the model is kept for the others.
    """

    question: Question
    maps: tuple[Map, ...]
    truth: NDArray[np.bool_] | None = None
    origins: tuple[Origin | None, ...] = ()
    seed: int = 0
    references: tuple[Map | None, ...] = ()
    controls: Mapping[str, tuple[Map, ...]] = field(default_factory=dict)
    running: tuple[Running, ...] = ()
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, work: Callable[[], Generator[Progress, None, T]]) -> Generator[Progress, None, T]:
        """What `work()` returns, run for the first who asks for this key."""
        if key not in self._known:
            self._known[key] = yield from work()
        result: T = self._known[key]
        return result

    def filling(self, name: str) -> Tensor:
        """What replaces hidden pixels (3×H×W in [0, 1]) by the fill of that name, from the case's own seed."""
        return fill(name, self.question.image, self.question.classifier.mean, self.seed)

    @cached_property
    def values(self) -> Values:
        """The maps, N×H×W float64, what is not finite replaced by the lowest finite value."""
        return np.stack([cleaned(saliency) for saliency in self.maps])

    @cached_property
    def scaled(self) -> Values:
        """`values` from 0 to 1, each map by itself; a constant map keeps its value, cut to [0, 1]."""
        return np.stack([scaled(saliency) for saliency in self.values])

    @cached_property
    def constant(self) -> NDArray[np.bool_]:
        """Which maps (N) hold one value alone."""
        flat = self.values.reshape(len(self.maps), -1)
        constant: NDArray[np.bool_] = flat.min(axis=1) == flat.max(axis=1)
        return constant

    def measured(
        self,
        metric: str,
        values: Sequence[float],
        notes: Sequence[str] = (),
        *,
        curves: Sequence[Curve] = (),
        parts: Sequence[tuple[tuple[str, float], ...]] = (),
    ) -> tuple[Measurement, ...]:
        """One Measurement a map, with a note on maps that are not finite."""
        measurements = []
        for place, value in enumerate(values):
            sentences = [notes[place]] if notes and notes[place] else []
            if not np.isfinite(self.maps[place]).all():
                sentences.append(BROKEN)
            curve = curves[place] if curves else None
            measurements.append(
                Measurement(metric, float(value), curve, " ".join(sentences), parts[place] if parts else ()),
            )
        return tuple(measurements)


def _none(settings: Any, maps: int) -> int:
    del settings, maps
    return 0


def _never(settings: Any) -> int:
    del settings
    return 0


_MISSING: dict[Requirement, str] = {
    "truth": "needs the ground truth: a boolean mask of the object, H×W at the model's input size",
    "explain": "makes each map again, and needs to know the method that made it",
    "reference": "compares each map with another one, which must be given",
    "controls": "compares each map with those of controls, which must be given",
    "running": "measures maps in the making, and needs those that led to each map, as a run keeps them",
}


ARROWS = {1: "↑", -1: "↓"}
BETTER = {1: "higher is better", -1: "lower is better"}


@dataclass(frozen=True)
class Metric:
    """A way to judge saliency maps.

    `run(case, settings)` is a generator of Progress that returns one Measurement a map; it asks the model through the
    case's question alone, whose ledger counts, and is called by `measured`. `direction` is +1 where higher is better,
    −1 where lower is; `low` and `high` bound the value, None where nothing does. `formula` is LaTeX;
    `weaknesses` is a sentence. `evaluations(settings, maps)` counts what so many maps cost, `remakes(settings)` how
    often each is made again; both take the row's own settings class, whose defaults are the metric's own. `axes` says
    what the curves show, None where there are none. `sequence` says that each point of a curve belongs to a picture,
    in which the most salient pixels are hidden or shown (`decam.masking.step_picture`). `difference` names the metric
    that is subtracted from this one where a run has both, None where there is none.
    """

    name: str
    title: str
    family: Family
    summary: str
    reference: str
    url: str
    formula: str
    direction: int
    low: float | None
    high: float | None
    weaknesses: str
    settings: type[Settings]
    run: Callable[[Case, Any], Measuring]
    needs: frozenset[Requirement] = frozenset()
    evaluations: Callable[[Any, int], int] = _none
    axes: Axes | None = None
    sequence: Sequencing | None = None
    remakes: Callable[[Any], int] = _never
    difference: Difference | None = None

    @property
    def arrow(self) -> str:
        """↑ where higher is better, ↓ where lower is."""
        return ARROWS[self.direction]

    @property
    def better(self) -> str:
        """The same in words."""
        return BETTER[self.direction]

    @property
    def range(self) -> str:
        """What the value lies between, in words."""
        return bounds(self.low, self.high)

    def measured(self, case: Case, settings: Settings) -> Measuring:
        """What `run` gives, each measurement with its share of what the ledger of the case's question has counted."""
        ledger = case.question.ledger
        before = ledger.evaluations
        found = yield from self.run(case, settings)
        return charged(found, ledger.evaluations - before)

    def cost(self, settings: Settings, maps: int = 1, map_cost: int = 0) -> int:
        """Evaluations for so many maps, where making one of them costs `map_cost`.

        What another metric of the same case has asked already is asked no more, and comes off.
        """
        return self.evaluations(settings, maps) + maps * self.remakes(settings) * map_cost

    def obstacle(self, case: Case) -> str:
        """Why this metric cannot judge this case, as a sentence; the empty string where it can."""
        available = {
            "truth": case.truth is not None,
            "explain": bool(case.origins) and None not in case.origins,
            "reference": bool(case.references) and all(one is not None for one in case.references),
            "controls": bool(case.controls),
            "running": bool(case.running),
        }
        missing = [_MISSING[need] for need in sorted(self.needs) if not available[need]]
        return f"{self.title} {' and '.join(missing)}." if missing else ""
