"""What a row of the table of methods says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from decam.classifier import Classifier, Need
from decam.explanation import Question, Steps
from decam.settings import Settings

if TYPE_CHECKING:
    from decam.methods.attention.prototype_matches import PrototypeMatch


@dataclass(frozen=True)
class Series:
    """A curve that a method reports while it runs: its name in `Progress.curves`, its title and what it tells.

    `detail` marks what only whoever tunes the search wants to see.
    """

    name: str
    title: str
    help: str
    group: str = "fitness"
    detail: bool = False


def _nothing_more(classifier: Classifier) -> str:
    del classifier
    return ""


@dataclass(frozen=True)
class Method:
    """A saliency method.

    `run(question, settings, seed)` is a generator of Progress that returns the raw map (float32, H×W).
    `cost(settings, classifier)` is the number of evaluations it will take; both take the row's own settings class.
    `default` says whether a first comparison shows it. `formula` is LaTeX; `strengths` and `misleads` are a sentence
    each. `requires` says why a classifier that gives all that is needed cannot be explained all the same. `evidence`
    shows what else a map rests on: places of the picture beside the training pictures that the model compares them to.
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
    run: Callable[[Question, Any, int], Steps]
    cost: Callable[[Any, Classifier], int]
    series: tuple[Series, ...] = ()
    default: bool = False
    formula: str = ""
    strengths: str = ""
    misleads: str = ""
    requires: Callable[[Classifier], str] = _nothing_more
    evidence: Callable[[Question], tuple[PrototypeMatch, ...]] | None = None

    def obstacle(self, classifier: Classifier) -> str:
        """Why this method cannot explain this classifier, as a sentence; the empty string where it can."""
        missing = sorted(need for need in self.needs if need not in classifier.provides)
        if not missing:
            return self.requires(classifier)
        reason = f": {why}" if (why := getattr(classifier, "closed", "")) else ""
        return f"{self.title} needs the model's {' and '.join(missing)}, which {classifier.name} does not give{reason}."
