"""What a benchmark compares: methods with their settings, each under a label."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from decam.errors import SettingError
from decam.experiments.plan import MethodChoice
from decam.methods import get as get_method
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.models import EMBEDDED
from decam.settings import Settings


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
