"""A question without a picture, and the map that answers it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decam.classifier import Classifier, Need
from decam.errors import SettingError
from decam.explanation import Ledger, Map, Progress
from decam.methods.base import Series
from decam.settings import Settings

Colours: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Unit:
    """One channel of a layer, as a target: its mean activation over all places is raised."""

    layer: str
    channel: int


Target: TypeAlias = tuple[int, ...] | Unit
"""What one map is for: a class, several classes at once, or a unit."""


@dataclass(frozen=True)
class ClassQuestion:
    """What does this classifier take these classes, or this unit, to be?

    `targets` is one class, or several that one map raises at once, or a unit. `pictures` (N×3×H×W in [0, 1], at the
    input size) are the user's own samples, where a method's settings ask for them. Raises SettingError for a class
    that does not exist.
    """

    classifier: Classifier
    targets: Target
    ledger: Ledger = field(default_factory=Ledger)
    pictures: Tensor | None = None

    def __post_init__(self) -> None:
        check_target(self.classifier, self.targets)


@dataclass(frozen=True)
class ClassMap:
    """A map of a class, with what it does to the model.

    `map` (3×H×W float32, signed) is in the picture's units: it is added to pictures in [0, 1], and the sum is clipped
    to [0, 1]. `saliency` (H×W) is its L2 norm over the colours. `norm` is its L2 norm over all values.
    `fidelity` is the target's mean probability over `fresh` samples with the map, `baseline` without it, and
    `control` with Gaussian noise of the same norm. For a unit it is the share of samples at which the unit passes the
    0.95 quantile of its activations on other samples without the map. `history` is the fidelity after each iteration,
    on the samples of that iteration. `converged` says whether the goal was reached within the budget.
    """

    target: Target
    map: Colours
    saliency: Map
    fidelity: float
    baseline: float
    control: float
    norm: float
    fresh: int
    iterations: int
    history: tuple[float, ...]
    converged: bool
    notes: tuple[str, ...] = ()


ClassSteps: TypeAlias = Generator[Progress, None, ClassMap]
ClassMapsSteps: TypeAlias = Generator[Progress, None, tuple[ClassMap, ...]]


@dataclass(frozen=True)
class ClassMethod:
    """A method that explains classes.

    `run(question, settings, seed)` is a generator of Progress that returns a ClassMap. `together`, where there is one,
    is given several questions of one classifier and returns their maps, at less cost than one after another. `instead`
    is a sentence for classifiers that do not give what the method needs. `units` says whether it takes a unit.
    """

    name: str
    title: str
    summary: str
    reference: str
    url: str
    needs: frozenset[Need]
    settings: type[Settings]
    run: Callable[[ClassQuestion, Any, int], ClassSteps]
    together: Callable[[tuple[ClassQuestion, ...], Any, int], ClassMapsSteps] | None = None
    instead: str = ""

    def obstacle(self, classifier: Classifier) -> str:
        """Why this method cannot explain this classifier, as a sentence; the empty string where it can."""
        missing = sorted(need for need in self.needs if need not in classifier.provides)
        if not missing:
            return ""
        sentence = f"{self.title} needs the model's {' and '.join(missing)}, which {classifier.name} does not give."
        return f"{sentence} {self.instead}".rstrip()


SERIES = (
    Series("fidelity", "Fidelity", "The target's mean probability with the map so far, over the samples drawn last."),
    Series("norm", "Norm", "L2 norm of the map so far, in the units of pictures in [0, 1].", "Norm"),
)


def check_target(classifier: Classifier, target: Target) -> None:
    """Raise SettingError for a class that does not exist or is named twice, no class, or a channel below 0."""
    if isinstance(target, Unit):
        if target.channel < 0:
            raise SettingError(f"The channel is {target.channel}, but must be 0 or more.")
        return
    count = len(classifier.labels)
    if not target:
        raise SettingError("No class was named: a map needs at least one.")
    for label in target:
        if not 0 <= label < count:
            raise SettingError(f"Class {label} does not exist: {classifier.name} knows 0 to {count - 1}.")
    if len(set(target)) < len(target):
        raise SettingError(f"A class is named twice in {target}: name each once.")
