"""What flows: a question, the progress of answering it, and the explanation at its end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, nan
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decam.settings import Settings

if TYPE_CHECKING:
    from decam.classifier import Classifier
    from decam.evolution.trace import Trace

Map: TypeAlias = NDArray[np.float32]
Truth: TypeAlias = NDArray[np.bool_]
Heard = TypeVar("Heard")
Told = TypeVar("Told")
Result = TypeVar("Result")


@dataclass
class Ledger:
    """What answering has cost so far, what it has moved, and what a reader must be told about it.

    `lowest` and `highest` are the ends of the target's probabilities behind all masks, infinite before the first.
    `reach` is how far the target's logit moves at most, in words and as a number, where a method looks inside.
    `rank_errors` and `fitness` are as in Explanation.
    """

    evaluations: int = 0
    notes: list[str] = field(default_factory=list)
    lowest: float = inf
    highest: float = -inf
    reach: tuple[str, float] | None = None
    rank_errors: Map | None = None
    fitness: Map | None = None

    def note(self, sentence: str) -> None:
        """Keep a sentence for the reader, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def answered(self, lowest: float, highest: float) -> None:
        """Take note of the ends of the target's probabilities behind some more masks."""
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)


def shared_out(evaluations: int, count: int) -> list[int]:
    """Evaluations shared among so many: they add up, and no two shares differ by more than one."""
    each, left = divmod(evaluations, count)
    return [each + (place < left) for place in range(count)]


@dataclass(frozen=True)
class MaskedBatch:
    """Masked pictures that a model has answered to.

    `visible` (N×1×H×W, in [0, 1]) is the share of each pixel that was left, `pictures` (N×3×H×W in [0, 1]) is what the
    model saw, and `answers` (N) are the target's probabilities.
    """

    visible: Tensor
    pictures: Tensor
    answers: Tensor


@dataclass(frozen=True)
class Question:
    """Why does this classifier give this image this class?

    `image` is 3×H×W, float32, RGB in [0, 1], at the classifier's input size and on its device. A `listener` is told of
    every batch of masked pictures once it is answered.
    """

    classifier: Classifier
    image: Tensor
    target: int
    ledger: Ledger = field(default_factory=Ledger)
    listener: Callable[[MaskedBatch], None] | None = None


@dataclass(frozen=True)
class Unit:
    """A channel of a layer, by the layer's name in the network and the channel's number from 0."""

    layer: str
    channel: int

    def __str__(self) -> str:
        return f"{self.layer}, channel {self.channel}"


Target: TypeAlias = tuple[int, ...] | Unit
"""What one map is for: a class, several classes that it raises at once, or a unit."""


@dataclass(frozen=True)
class ClassQuestion:
    """What does this classifier take these classes, or this unit, to be? No picture is asked about.

    `target` is one class, or several that one map raises at once, or a unit whose activation is raised. `seed` is where
    the question's random numbers begin. `pictures` (N×3×H×W in [0, 1], at the classifier's input size) are samples of
    the user's own, for methods whose settings ask for them.
    """

    classifier: Classifier
    target: Target
    seed: int = 0
    pictures: Tensor | None = None
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True)
class ClassMap:
    """What a class-level method found for one question.

    `pattern` is float32, 3×H×W at the classifier's input size, signed, and is added to pictures in [0, 1], which are
    then clipped to [0, 1]. `fidelity` is the target's mean probability over fresh samples with the pattern, `baseline`
    the same without it, `control` the same with a random pattern of the same L2 norm; `norm` is that norm. For a unit
    they are the share of samples on which it passes the 0.95 quantile of its activations without a pattern.
    `cost` is what the pattern costs in the method's own measure, where the method looks for the cheapest pattern; NaN
    for other methods.
    """

    pattern: Map
    fidelity: float
    baseline: float
    control: float
    norm: float
    cost: float = nan


@dataclass(frozen=True)
class Progress:
    """One event of long work.

    `step` of `total` is for a progress bar; `evaluations` counts images through the model so far. `saliency` is the
    map so far (H×W or coarser), `mask` the best mask so far in [0, 1] where a method has one, and `curves` the values
    worth plotting at this point, by the names that the method's table row lists. `trace` says how a generation of a
    search came about, for whoever wants to watch it. `pattern` is what a class-level method has so far (3×H×W).
    """

    step: int
    total: int
    evaluations: int
    saliency: Map | None = None
    mask: Map | None = None
    curves: Mapping[str, float] = field(default_factory=dict)
    trace: Trace | None = None
    pattern: Map | None = None


Steps: TypeAlias = Generator[Progress, None, Map]
ClassSteps: TypeAlias = Generator[tuple[int, Progress | ClassMap], None, None]
"""Events of several class questions answered together, each with its question's place; its ClassMap ends a question."""


@dataclass(frozen=True)
class Explanation:
    """A finished saliency map with all that is needed to judge it and to make it again.

    `saliency` is the raw map, float32, H×W at the classifier's input size, never rescaled; `probability` is the
    target's on the unmasked image, in [0, 1]; `notes` say in words what is wrong with the map or was special.
    `silent` says that the map holds rounding or chance alone, as a note says in words: it is drawn flat.
    `against` is the class that the target is told from, where the question was why it is the one rather than the other;
    `probability` is then the target's if it is one of the two.
    `rank_errors` (h×w, coarser than the map) is the standard error of each place's rank as a share of all places, in
    [0, 1], where a method says how sure its map is. `fitness` (G×3) is what the G generations of a search are worth by
    all its answers, where it was only estimated before: of the fittest, and mean and deviation over the population.
    """

    method: str
    saliency: Map
    target: int
    label: str
    probability: float
    settings: Settings
    seed: int
    evaluations: int
    seconds: float
    notes: tuple[str, ...] = ()
    silent: bool = False
    rank_errors: Map | None = None
    fitness: Map | None = None
    against: int | None = None

    @property
    def values(self) -> Map:
        """What was made, whole: the raw map."""
        return self.saliency


@dataclass(frozen=True, kw_only=True)
class ClassExplanation(Explanation):
    """What a model takes a class to be: a map that belongs to no picture.

    `map` is the pattern, float32, 3×H×W, signed, in the picture's units: it is added to pictures in [0, 1], which are
    then clipped. `saliency` is its magnitude, the L2 norm over the colours, H×W. `probability`, or `fidelity`, is the
    target's mean probability over fresh samples with the map; `baseline` is that without it and `control` that with a
    random map of the same L2 norm, which is `norm`. Of several classes at once `target` is the first, and their
    probabilities are added. For a unit, `target` is its channel, `label` names it, and probabilities are the share of
    samples on which it passes the 0.95 quantile of its activations without a map. `cost` is what the map costs in the
    measure of a method that looks for the cheapest one, and NaN for other methods.
    """

    map: Map
    baseline: float
    control: float
    norm: float
    cost: float = nan

    @property
    def fidelity(self) -> float:
        """The target's mean probability over fresh samples with the map."""
        return self.probability

    @property
    def values(self) -> Map:
        """What was made, whole: the pattern with its signs and colours."""
        return self.map


JUDGED = ("best", "mean", "spread")
"""The curves of a search that are judged again at its end, in the order of the columns of `Explanation.fitness`."""
SOME_ARRAYS = ("rank_errors", "fitness")
"""The arrays that some maps of searches have, by the names of their fields."""
CLASS_VALUES = ("baseline", "control", "norm", "cost")
"""The numbers of a class's map that other maps do not have, by the names of their fields."""


def further_arrays(explanation: Explanation) -> dict[str, NDArray[Any]]:
    """What belongs to some maps alone, as named arrays for a file: those of a search, and what a class's map has."""
    some = {name: array for name in SOME_ARRAYS if (array := getattr(explanation, name)) is not None}
    if not isinstance(explanation, ClassExplanation):
        return some
    values = {name: np.array(getattr(explanation, name)) for name in CLASS_VALUES}
    return {**some, "map": explanation.map, **values}


def class_values(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any] | None:
    """The fields of ClassExplanation that `further_arrays` wrote; None where there are none."""
    if "map" not in arrays:
        return None
    return {"map": arrays["map"], **{name: float(arrays[name]) for name in CLASS_VALUES if name in arrays}}


def magnitude(pattern: Map) -> Map:
    """The L2 norm over the colours of a pattern: 3×H×W to H×W, float32."""
    norms: Map = np.sqrt((pattern.astype(np.float64) ** 2).sum(axis=0)).astype(np.float32)
    return norms


def relayed(
    steps: Generator[Heard, None, Result], report: Callable[[Heard], Iterable[Told]]
) -> Generator[Told, None, Result]:
    """Run `steps` and tell what `report` makes of each event; closing this generator closes them too."""
    try:
        while True:
            try:
                event = next(steps)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield from report(event)
    finally:
        steps.close()


def last(steps: Generator[object, None, Result]) -> Result:
    """What a generator of events returns at its end; the events are passed over."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
