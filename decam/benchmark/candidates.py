"""What a benchmark compares: methods with their settings, each under a label."""

from __future__ import annotations

import bisect
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice
from decam.methods import Method
from decam.methods import get as get_method
from decam.methods.base import Value
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.models import EMBEDDED
from decam.settings import Parameter, Settings

BUDGET = "budget"
"""The setting that says what a map may cost, where a method has one of that name."""


@dataclass(frozen=True)
class Candidate:
    """A line of a benchmark's tables: a method with its settings, asked about a model's answers.

    `seeded` says whether its map depends on the seed.
    """

    label: str
    choice: MethodChoice
    model: str = EMBEDDED
    seeded: bool = True

    @classmethod
    def of(
        cls, label: str, method: str, settings: Settings, model: str = EMBEDDED, *, seeded: bool = True
    ) -> Candidate:
        """The candidate of a method by its name; raises MethodError and SettingError as MethodChoice does."""
        return cls(label, MethodChoice(method, settings), model, seeded)

    @property
    def control(self) -> bool:
        """True for a control, which is there to be beaten."""
        return get_method(self.choice.name).family == CONTROLS

    @property
    def title(self) -> str:
        """The label, with the model where that is another than the embedded one."""
        return self.label if self.model == EMBEDDED else f"{self.label} ({self.model})"


def selected(candidates: Sequence[Candidate], patterns: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates whose labels fit one of the patterns (`rise-*`).

    Raises SettingError for a pattern that fits none.
    """
    labels = fitting([candidate.label for candidate in candidates], patterns, "method")
    return tuple(candidate for candidate in candidates if candidate.label in labels)


def fitting(names: Sequence[str], patterns: Sequence[str], what: str) -> set[str]:
    """The names that fit one of the patterns; raises SettingError for a pattern that fits none."""
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise SettingError(f"No {what} fits {pattern!r}; there are: {', '.join(dict.fromkeys(names))}.")
    return {name for pattern in patterns for name in fnmatch.filter(names, pattern)}


def within_budget(
    method: Method, budget: int, classifier: Classifier, given: Mapping[str, Value] | None = None
) -> Settings | None:
    """The settings at which a map costs as much of a budget as the method can spend; None where every map costs more.

    All is as usual or as `given` by name, but for one number. A setting named `budget` is the budget. Where there is
    none it is the number that can make a map dearest, with which the cost must rise or fall.
    """
    start = method.settings_for(classifier, given)
    numbers = [one for one in start.parameters() if one.low is not None and one.name not in (given or {})]
    if own := next((one for one in numbers if one.name == BUDGET), None):
        low, high = _ends(own)
        settings = _with(start, own, int(min(max(low, budget), high)))
        return settings if method.cost(settings, classifier) <= budget else None

    def cost(one: Parameter, value: float) -> int:
        return method.cost(_with(start, one, value), classifier)

    def dearest(one: Parameter) -> int:
        return max(cost(one, end) for end in _ends(one))

    spending = max(numbers, key=dearest, default=None)
    if spending is None:
        return start if method.cost(start, classifier) <= budget else None
    values = _values(spending)
    if cost(spending, values[0]) > cost(spending, values[-1]):
        values = values[::-1]
    affordable = bisect.bisect_right(values, budget, key=lambda value: cost(spending, value))
    return _with(start, spending, values[affordable - 1]) if affordable else None


def _with(start: Settings, one: Parameter, value: float) -> Settings:
    return start.from_mapping({**start.to_mapping(), one.name: value})


def _ends(one: Parameter) -> tuple[float, float]:
    """The bounds of a number."""
    assert one.low is not None and one.high is not None  # a number that has one has both
    return (int(one.low), int(one.high)) if one.kind is int else (one.low, one.high)


def _values(one: Parameter) -> Sequence[float]:
    """The values of a number within its bounds: whole ones, or in its steps."""
    low, high = _ends(one)
    if one.kind is int:
        return range(int(low), int(high) + 1)
    steps = round((high - low) / one.step) if one.step else 100
    return [round(low + (high - low) * place / steps, 9) for place in range(steps + 1)]
