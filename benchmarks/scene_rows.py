"""What the benchmark of scenes compares: methods with their settings on the models of scenes, and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from decam.benchmark.candidates import Candidate, fitting
from decam.classifier import Classifier
from decam.experiments.plan import MetricChoice
from decam.methods import METHODS
from decam.methods.de_cam.settings import DeCamSettings
from decam.metrics import METRICS
from decam.models import EMBEDDED
from decam.models.catalogue import ENTRIES
from decam.settings import Settings

MANY = 1  # a metric that makes each map again more often than this is measured on fewer scenes
OWN = "attention"  # the family of methods that models other than the embedded one are there for

# Methods that are compared at other settings than their usual ones, by the labels of these rows.
_VARIANTS: dict[str, dict[str, Settings]] = {
    "de-cam": {f"de-cam-{budget}": DeCamSettings(budget=budget) for budget in (500, 1000)},
}


def models() -> tuple[str, ...]:
    """The models of scenes in the catalogue whose weights are here; the embedded one comes first."""
    here = [entry.name for entry in ENTRIES.values() if entry.domain == "scenes" and entry.present()]
    return tuple(sorted(here, key=lambda name: name != EMBEDDED))


def candidates(classifiers: Mapping[str, Classifier]) -> tuple[Candidate, ...]:
    """All methods that can explain the embedded model, then the other models each with the methods made for it."""
    rows = []
    for model, classifier in classifiers.items():
        for method in METHODS.values():
            if not method.obstacle(classifier) and (model == EMBEDDED or method.family == OWN):
                settings = _VARIANTS.get(method.name, {method.name: method.settings()})
                rows += [Candidate.of(label, method.name, one, model) for label, one in settings.items()]
    return tuple(rows)


def metrics(patterns: Sequence[str]) -> tuple[MetricChoice, ...]:
    """The metrics, at their usual settings, whose names fit a pattern (`*-drop`).

    Raises SettingError for a pattern that fits none.
    """
    names = fitting(list(METRICS), patterns, "metric")
    return tuple(MetricChoice.default(name) for name in METRICS if name in names)


def costly(metric: MetricChoice) -> bool:
    """True if a metric makes each map again so often that it is measured on fewer scenes."""
    return METRICS[metric.name].remakes(metric.settings) > MANY
