"""The table of metrics."""

from decam.errors import MethodError, row_of
from decam.metrics.adcc import ADCC
from decam.metrics.anytime import ANYTIME_DELETION, ANYTIME_INSERTION
from decam.metrics.base import Metric
from decam.metrics.complexity import EFFECTIVE_PIXELS, ENTROPY, SPARSITY
from decam.metrics.faithfulness import DELETION, DELETION_CORRELATION, INSERTION, INSERTION_CORRELATION
from decam.metrics.infidelity import INFIDELITY
from decam.metrics.localisation import (
    ENERGY_INSIDE,
    IOU,
    IOU_OTSU,
    LOCALISATION_AUC,
    POINTING_GAME,
    RELEVANCE_MASS,
    RELEVANCE_RANK,
)
from decam.metrics.mu_fidelity import MU_FIDELITY
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE
from decam.metrics.road import ROAD
from decam.metrics.robustness import CONSISTENCY, MAX_SENSITIVITY, SEED_AGREEMENT
from decam.metrics.single_step import AVERAGE_DROP, AVERAGE_DROP_IN_DELETION, INCREASE_IN_CONFIDENCE

_FAITHFULNESS = (
    DELETION,
    INSERTION,
    DELETION_CORRELATION,
    INSERTION_CORRELATION,
    AVERAGE_DROP,
    INCREASE_IN_CONFIDENCE,
    AVERAGE_DROP_IN_DELETION,
    INFIDELITY,
    MU_FIDELITY,
    ROAD,
    ADCC,
)
_LOCALISATION = (
    POINTING_GAME,
    ENERGY_INSIDE,
    IOU,
    IOU_OTSU,
    RELEVANCE_MASS,
    RELEVANCE_RANK,
    LOCALISATION_AUC,
)
_ROBUSTNESS = (MAX_SENSITIVITY, SEED_AGREEMENT, CONSISTENCY)
_COMPLEXITY = (SPARSITY, ENTROPY, EFFECTIVE_PIXELS)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*_FAITHFULNESS, *_LOCALISATION, *_ROBUSTNESS, *_COMPLEXITY)
}


# They compare maps of two models, which is what a randomisation check asks and a comparison has not.
RANDOMISATION: dict[str, Metric] = {metric.name: metric for metric in (*TO_REFERENCE.values(), *TO_CONTROLS.values())}

# They measure the maps that led to a map, which a run keeps and a map by itself has not.
ANYTIME: dict[str, Metric] = {metric.name: metric for metric in (ANYTIME_INSERTION, ANYTIME_DELETION)}


def get(name: str) -> Metric:
    """The row of that name; raises MethodError where there is none."""
    apart = RANDOMISATION | ANYTIME
    return apart[name] if name in apart else row_of("metric", name, METRICS, MethodError)
