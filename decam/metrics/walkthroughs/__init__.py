"""Every metric at work on one map, step by step: the pictures that the model saw and the numbers it gave."""

from __future__ import annotations

import math
from collections.abc import Generator

from decam.errors import SettingError
from decam.explanation import Progress
from decam.metrics.base import Case, Metric
from decam.metrics.walkthroughs.complexity import ENTROPY_SHOWN, PIXELS_SHOWN, SPARSITY_SHOWN
from decam.metrics.walkthroughs.faithfulness import CORRELATED, CURVE, SETS, SQUARES, WITHOUT
from decam.metrics.walkthroughs.localisation import AREA, BEST, ENERGY, MASS, OTSU, POINTING, RANK
from decam.metrics.walkthroughs.panels import Bars, Chart, Line, Panel, Picture, Show, Shown, Work
from decam.metrics.walkthroughs.robustness import MOVED_MAPS, SEEDS, UNSTEADY, watched
from decam.metrics.walkthroughs.single_step import DROP, DROP_HIDDEN, JOINED, RISE
from decam.settings import Settings

SHOWS: dict[str, Show] = {
    "deletion": CURVE,
    "insertion": CURVE,
    "deletion-correlation": CORRELATED,
    "insertion-correlation": CORRELATED,
    "average-drop": DROP,
    "increase-in-confidence": RISE,
    "average-drop-in-deletion": DROP_HIDDEN,
    "infidelity": SQUARES,
    "mu-fidelity": SETS,
    "road": WITHOUT,
    "adcc": JOINED,
    "pointing-game": POINTING,
    "energy-inside": ENERGY,
    "iou": BEST,
    "iou-otsu": OTSU,
    "relevance-mass": MASS,
    "relevance-rank": RANK,
    "localisation-auc": AREA,
    "max-sensitivity": UNSTEADY,
    "seed-agreement": SEEDS,
    "consistency": MOVED_MAPS,
    "sparsity": SPARSITY_SHOWN,
    "entropy": ENTROPY_SHOWN,
    "effective-pixels": PIXELS_SHOWN,
}


def walkthrough(case: Case, metric: Metric, settings: Settings | None = None) -> Generator[Progress, None, Shown]:
    """Judge all maps of a case and show how the first one came to its value; closing the generator cancels.

    Nothing is asked for the sake of showing it: what is shown is what the metric itself has asked. Raises SettingError
    where the metric lacks what it needs. Of a map that the metric says nothing about only the map is shown, and why.
    """
    if obstacle := metric.obstacle(case):
        raise SettingError(obstacle)
    chosen = settings or metric.settings()
    seen, remade = watched(case)
    measurements = yield from metric.measured(seen, chosen)
    work = Work(seen, chosen, measurements[0], tuple(remade))
    if math.isnan(work.measurement.value):
        return Shown(metric.name, (work.judged(),), work.measurement.note, measurements)
    panels, words = SHOWS[metric.name](work)
    return Shown(metric.name, panels, words, measurements)


__all__ = ["SHOWS", "Bars", "Chart", "Line", "Panel", "Picture", "Shown", "walkthrough"]
