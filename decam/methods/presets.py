"""Choices of methods that have a name, made for whichever classifier is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from decam.classifier import Classifier
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.taxonomy import grouped
from decam.settings import Settings

QUICK = 64
"""The most evaluations that a quick method costs with its usual settings."""

_QUICK = ("feature-ablation", "grad-cam", "layer-cam", "integrated-gradients", "smoothgrad")
_CLASSICS = (
    "rise",
    "occlusion",
    "lime",
    "cam",
    "grad-cam",
    "gradient",
    "guided-backprop",
    "integrated-gradients",
    "smoothgrad",
)
_BLACK_BOX = ("de-cam", "rise", "occlusion", "lime", "kernel-shap")
_OURS = "de-cam"
_FACES = ("de-cam", "lime", "grad-cam", "integrated-gradients", "random")
"""Who stands for a family; where its face cannot run, or it has none here, the first of its methods that can."""


@dataclass(frozen=True)
class Preset:
    """A named choice; `members(classifier)` are names of methods that can explain it, in the order of the table."""

    name: str
    title: str
    summary: str
    members: Callable[[Classifier], tuple[str, ...]]


def _able(methods: Iterable[Method], classifier: Classifier) -> tuple[Method, ...]:
    return tuple(method for method in methods if not method.obstacle(classifier))


def _named(names: Iterable[str], classifier: Classifier) -> tuple[Method, ...]:
    wanted = set(names)
    return _able((method for method in METHODS.values() if method.name in wanted), classifier)


def _quick(classifier: Classifier) -> tuple[str, ...]:
    cheap = (row for row in _named(_QUICK, classifier) if row.cost(row.settings(), classifier) <= QUICK)
    return tuple(method.name for method in cheap)


def _classics(classifier: Classifier) -> tuple[str, ...]:
    return tuple(method.name for method in _named(_CLASSICS, classifier))


def _one_of_each(classifier: Classifier) -> tuple[str, ...]:
    able = (_able(methods, classifier) for _, methods in grouped(METHODS.values()))
    return tuple(next((row for row in rows if row.name in _FACES), rows[0]).name for rows in able if rows)


def _black_box(classifier: Classifier) -> tuple[str, ...]:
    return tuple(method.name for method in _named(_BLACK_BOX, classifier))


def _rivals(classifier: Classifier) -> tuple[str, ...]:
    asking = (name for name, method in METHODS.items() if method.needs == {"output"} and name not in _BLACK_BOX)
    return tuple(method.name for method in _named((_OURS, *asking), classifier))


def equal_rivals(classifier: Classifier, evaluations: int) -> dict[str, Settings]:
    """Black boxes beside DE-CAM that can explain this classifier and spend a budget, by name.

    Their settings suit the classifier, with a budget of so many evaluations or the nearest that they take.
    """
    found = {}
    for method in _named({*_rivals(classifier), *_black_box(classifier)} - {_OURS}, classifier):
        budget = next((one for one in method.settings.parameters() if one.name == "budget"), None)
        if budget is not None:
            low, high = (evaluations if end is None else int(end) for end in (budget.low, budget.high))
            found[method.name] = method.settings_for(classifier, {"budget": min(max(evaluations, low), high)})
    return found


_ALL = (
    Preset("quick", "Quick", f"A few that answer at once. None costs more than {QUICK} evaluations.", _quick),
    Preset("classics", "The classics", "What papers compare with, from the plain gradient of 2013 to RISE.", _classics),
    Preset(
        "families",
        "One per family",
        "One method of every family that can explain this model, with controls.",
        _one_of_each,
    ),
    Preset(
        "black-box",
        "Black box",
        "The best-known methods that need only the model's answers.",
        _black_box,
    ),
    Preset(
        "rivals",
        "DE-CAM's rivals",
        "DE-CAM and the newer or rarer methods that need only the model's answers.",
        _rivals,
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
