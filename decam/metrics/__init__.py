"""The table of metrics."""

import sys
from types import ModuleType

from decam.errors import MethodError
from decam.metrics.base import Curve, FaithfulnessSettings, Measurement, Metric
from decam.metrics.faithfulness import DELETION, INSERTION

METRICS: dict[str, Metric] = {metric.name: metric for metric in (DELETION, INSERTION)}


def get(name: str) -> Metric:
    """The row of that name; raises MethodError where there is none."""
    if name not in METRICS:
        raise MethodError(f"There is no metric {name!r}; there are: {', '.join(METRICS)}.")
    return METRICS[name]


class _Table(ModuleType):
    """Makes the package itself callable, for it shares its name with `decam.metrics()`."""

    def __call__(self) -> dict[str, Metric]:
        return dict(METRICS)


sys.modules[__name__].__class__ = _Table

__all__ = ["METRICS", "Curve", "FaithfulnessSettings", "Measurement", "Metric", "get"]
