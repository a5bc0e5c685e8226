"""What a row of the table of methods says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Classifier, Need
from decam.classifier.base import called
from decam.explanation import ClassQuestion, ClassSteps, Question, Steps
from decam.settings import Parameter, Settings

if TYPE_CHECKING:
    from decam.methods.attention.prototype_matches import PrototypeMatch


Costs: TypeAlias = NDArray[np.float64]
ScoreUnit: TypeAlias = Literal["lead", "deviation"]
Value: TypeAlias = int | float | str | bool

EXAMPLE = 500
"""The most evaluations of an example."""
SHORT: Mapping[str, Value] = {"budget": EXAMPLE}
"""The settings of an example, for methods that spend a budget."""


@dataclass(frozen=True)
class Series:
    """A curve that a method reports while it runs: its name in `Progress.curves`, its title and what it tells.

    `detail` marks what only whoever tunes the search wants to see, and `share` a value in [0, 1] shown in per cent.
    """

    name: str
    title: str
    help: str
    group: str = "fitness"
    detail: bool = False
    share: bool = False


def _nothing_more(classifier: Classifier) -> str:
    del classifier
    return ""


def _as_they_are(classifier: Classifier) -> Mapping[str, Value]:
    del classifier
    return {}


@dataclass(frozen=True, kw_only=True)
class AnyMethod:
    """What the rows of all methods say, whether they ask about a picture or about a class.

    `cost(settings, classifier)` is the number of evaluations that a map will take, given the row's own settings class;
    the most that it may take where these settings end it early.
    `formula` is LaTeX; `strengths` and `misleads` are a sentence each. `requires` says why a classifier that gives all
    that is needed cannot be explained all the same. `suited` has the defaults, by the settings' names, that another
    kind of classifier than the usual one needs.
    """

    name: str
    title: str
    family: str
    summary: str
    reference: str
    url: str
    needs: frozenset[Need]
    signed: bool
    settings: type[Settings]
    cost: Callable[[Any, Classifier], int]
    series: tuple[Series, ...] = ()
    formula: str = ""
    strengths: str = ""
    misleads: str = ""
    requires: Callable[[Classifier], str] = _nothing_more
    suited: Callable[[Classifier], Mapping[str, Value]] = _as_they_are

    def settings_for(self, classifier: Classifier, given: Mapping[str, object] | None = None) -> Settings:
        """The settings given by name, and for the others what suits this classifier; raises SettingError."""
        return self.settings.from_mapping({**self.suited(classifier), **(given or {})})

    def parameters_for(self, classifier: Classifier | None) -> tuple[Parameter, ...]:
        """The parameters of the settings, with the defaults that suit this classifier."""
        suited = {} if classifier is None else self.suited(classifier)
        return tuple(
            replace(one, default=suited[one.name]) if one.name in suited else one for one in self.settings.parameters()
        )

    def obstacle(self, classifier: Classifier) -> str:
        """Why this method cannot explain this classifier, as a sentence; the empty string where it can."""
        missing = sorted(need for need in self.needs if need not in classifier.provides)
        if not missing:
            return self.requires(classifier)
        reason = f": {why}" if (why := getattr(classifier, "closed", "")) else ""
        return (
            f"{self.title} needs the model's {' and '.join(missing)}, which {called(classifier)} does not give{reason}."
        )


@dataclass(frozen=True, kw_only=True)
class Method(AnyMethod):
    """A saliency method: it says where in a picture a class is.

    `run(question, settings, seed)` is a generator of Progress that returns the raw map (float32, H×W). `default` says
    whether a first comparison shows it. `example` has the settings, by name, of the map that introduces the method
    beside all others: at most `EXAMPLE` evaluations, so that a page of all methods is soon complete. `evidence` shows
    what else a map rests on: places of the picture beside the training pictures that the model compares them to.
    `one_class` says in a sentence why the method cannot tell one class from another; it is empty where it can.
    `hides` says that all pictures it asks about are the question's with parts hidden, by `MaskedQueries`, and that its
    map rests on the answers alone: they can be made again from the seed, and shown.
    """

    run: Callable[[Question, Any, int], Steps]
    default: bool = False
    example: Mapping[str, Value] = field(default_factory=dict, hash=False)
    evidence: Callable[[Question], tuple[PrototypeMatch, ...]] | None = None
    hides: bool = False
    one_class: str = ""

    def obstacle(self, classifier: Classifier) -> str:
        """Why this method cannot explain this classifier, or its contrast of two classes; empty where it can."""
        return super().obstacle(classifier) or (self.one_class if getattr(classifier, "contrast", None) else "")


@dataclass(frozen=True, kw_only=True)
class ClassMethod(AnyMethod):
    """A method that says what a model takes a class to be; no picture is given.

    `run(questions, settings)` answers several questions about one classifier together: a generator of each question's
    place with its Progress and, last, its ClassMap. A question's map depends on the question alone, not on those beside
    it. `instead` names the method that is offered where this one has an obstacle. `scores(settings, costs)` says how
    odd the cost of each class is, None for a method whose maps have no cost; scores of one `unit` can be compared.
    `odd` says what is odd about the class `{label}` of a high score, and what it is compared with. `once` says that one
    search makes the maps of all questions of a seed that are asked together: `cost` is then that of all of them.
    """

    run: Callable[[Sequence[ClassQuestion], Any], ClassSteps]
    instead: str = ""
    scores: Callable[[Any, Costs], Costs] | None = None
    unit: ScoreUnit = "lead"
    odd: str = "A pattern for “{label}” is oddly cheap beside those of all other classes"
    once: bool = False

    def total(self, settings: Settings, classifier: Classifier, targets: int, seeds: int) -> int:
        """The most evaluations that maps of so many targets take, asked together with each of so many seeds."""
        return self.cost(settings, classifier) * seeds * (1 if self.once else targets)
