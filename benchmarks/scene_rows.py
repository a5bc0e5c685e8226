"""What the benchmark of scenes compares: methods with their settings, metrics with theirs, and what is asked about."""

from __future__ import annotations

import fnmatch
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.faithfulness import ASKED_LATER, FIRST_SCENE
from benchmarks.scene_file import Asked, Key, Known
from decam.classifier import TorchClassifier
from decam.methods import METHODS
from decam.methods import get as get_method
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.methods.de_cam.method import DeCamSettings
from decam.metrics import METRICS, Metric
from decam.models import EMBEDDED
from decam.models.catalogue import ENTRIES
from decam.settings import Settings

PROTOCOL = 1  # one more whenever what is measured changes in a way that settings do not show
MANY = 1  # a metric that makes each map again more often than this is measured on fewer scenes
OWN = "attention"  # the family of methods that models other than the embedded one are there for

# Methods that are compared at other settings than their usual ones, by the names of these rows.
_VARIANTS: dict[str, dict[str, Settings]] = {
    "de-cam": {f"de-cam-{budget}": DeCamSettings(budget=budget) for budget in (500, 1000)},
}


@dataclass(frozen=True)
class Row:
    """One method at one setting on one model of scenes."""

    name: str
    model: str
    method: str
    settings: Settings

    @property
    def known(self) -> Known:
        """What its values are known by."""
        return Known(self.name, _version(self.method, self.settings))

    @property
    def control(self) -> bool:
        """Whether it is there to be beaten."""
        return get_method(self.method).family == CONTROLS

    @property
    def title(self) -> str:
        """Its name, with its model where that is another than the embedded one."""
        return self.name if self.model == EMBEDDED else f"{self.name} ({self.model})"

    def cost(self, classifier: TorchClassifier) -> int:
        """Evaluations for one map."""
        return int(get_method(self.method).cost(self.settings, classifier))


@dataclass(frozen=True)
class Place:
    """A scene by its number of objects and its seed.

    Of two objects one is asked about, the first and the second in turns: asking about both would cost as much as
    another scene and tell less, for the two answers share their picture.
    """

    objects: int
    number: int

    def asked(self, model: str) -> Asked:
        """The question about it that a model gets."""
        return Asked(model, self.objects, self.number, self.number % self.objects)


def models() -> tuple[str, ...]:
    """The models of scenes in the catalogue whose weights are here; the embedded one comes first."""
    here = [entry.name for entry in ENTRIES.values() if entry.domain == "scenes" and entry.present()]
    return tuple(sorted(here, key=lambda name: name != EMBEDDED))


def all_rows(classifiers: Mapping[str, TorchClassifier]) -> tuple[Row, ...]:
    """All methods that can explain the embedded model, then the other models each with the methods made for it."""
    rows = []
    for model, classifier in classifiers.items():
        for method in METHODS.values():
            if not method.obstacle(classifier) and (model == EMBEDDED or method.family == OWN):
                settings = _VARIANTS.get(method.name, {method.name: method.settings()})
                rows += [Row(name, model, method.name, one) for name, one in settings.items()]
    return tuple(rows)


def selected(rows: Sequence[Row], patterns: Sequence[str]) -> tuple[Row, ...]:
    """The rows whose names fit one of the patterns (`de-cam*`); raises ValueError for a pattern that fits none."""
    fitting = _fitting([row.name for row in rows], patterns, "method")
    return tuple(row for row in rows if row.name in fitting)


def metrics(patterns: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics whose names fit one of the patterns (`*-drop`); raises ValueError for a pattern that fits none."""
    fitting = _fitting(list(METRICS), patterns, "metric")
    return tuple(metric for metric in METRICS.values() if metric.name in fitting)


def places(scenes: int, pairs: int) -> tuple[Place, ...]:
    """So many scenes with one object and with two, taking turns; training and its tests drew none of them."""
    single = [Place(1, FIRST_SCENE + i) for i in range(scenes)]
    double = [Place(2, FIRST_SCENE + ASKED_LATER + i) for i in range(pairs)]
    turns = itertools.chain.from_iterable(itertools.zip_longest(single, double))
    return tuple(place for place in turns if place is not None)


def few(chosen: Sequence[Place], count: int) -> tuple[Place, ...]:
    """The first so many places of each kind, in their order."""
    by_kind = {objects: [place for place in chosen if place.objects == objects][:count] for objects in (1, 2)}
    return tuple(place for place in chosen if place in by_kind[place.objects])


def costly(metric: Metric) -> bool:
    """Whether a metric makes each map again so often that it is measured on fewer scenes."""
    return metric.remakes(metric.settings()) > MANY


def known(metric: Metric) -> Known:
    """What a metric's values are known by: it is measured at its usual settings."""
    return Known(metric.name, _version(metric.name, metric.settings()))


def key(asked: Asked, metric: Metric, row: Row) -> Key:
    """What a value is known by."""
    return Key(asked, known(metric), row.known)


def _version(name: str, settings: Settings) -> str:
    described = json.dumps([PROTOCOL, name, settings.to_mapping()], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:12]


def _fitting(names: Sequence[str], patterns: Sequence[str], what: str) -> set[str]:
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise ValueError(f"No {what} fits {pattern!r}; there are: {', '.join(dict.fromkeys(names))}.")
    return {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
