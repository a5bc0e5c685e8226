"""Metrics of saliency maps: a table, and one file a family."""

import sys
from types import ModuleType

from decam.metrics.base import Case, Curve, FaithfulnessSettings, Measurement, Metric, Origin
from decam.metrics.evaluation import Request, evaluate
from decam.metrics.table import ANYTIME, METRICS, RANDOMISATION, get


class _Table(ModuleType):
    """Makes the package itself callable, for it shares its name with `decam.metrics()`."""

    def __call__(self) -> dict[str, Metric]:
        return dict(METRICS)


sys.modules[__name__].__class__ = _Table

__all__ = [
    "ANYTIME",
    "METRICS",
    "RANDOMISATION",
    "Case",
    "Curve",
    "FaithfulnessSettings",
    "Measurement",
    "Metric",
    "Origin",
    "Request",
    "evaluate",
    "get",
]
