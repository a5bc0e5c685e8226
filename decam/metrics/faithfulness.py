"""Deletion and insertion: hide or show pixels in the order of a map and watch the target's probability."""

from __future__ import annotations

from dataclasses import dataclass

from decam.masking import FILLS
from decam.metrics.base import Axes, Case, Difference, FaithfulnessSettings, Measuring, Metric, Sequencing
from decam.metrics.curves import Stepwise, correlation, cost, curves
from decam.settings import parameter

STEPS_HELP = "How many equal shares of the image are hidden or shown, one evaluation each."
BOUND = 14 * 14  # steps, at most, in the code that Gomez and Mouchère published


@dataclass(frozen=True)
class DeletionSettings(FaithfulnessSettings):
    """As the tutorial's reference implementation draws a deletion curve.

    Its black is the zero of whatever tensor it is given, that of a normalised one the mean colour: the fill `mean`.
    """

    steps: int = parameter(BOUND, STEPS_HELP, low=2, high=500)
    fill: str = parameter("black", "What replaces a hidden pixel.", choices=FILLS)


@dataclass(frozen=True)
class InsertionSettings(FaithfulnessSettings):
    """As the tutorial's reference implementation draws an insertion curve."""

    steps: int = parameter(BOUND, STEPS_HELP, low=2, high=500)
    fill: str = parameter("box-blur", "What a pixel is replaced by until it is shown.", choices=FILLS)


def _area(case: Case, kind: Sequencing, settings: Stepwise) -> Measuring:
    found = yield from curves(case, kind, settings)
    return case.measured(kind, [curve.area for curve in found], curves=found)


def _correlated(case: Case, kind: Sequencing, settings: Stepwise) -> Measuring:
    found = yield from curves(case, kind, settings)
    values, notes = zip(*(correlation(case, place, curve, kind) for place, curve in enumerate(found)), strict=True)
    return case.measured(f"{kind}-correlation", values, notes, curves=found)


def deletion(case: Case, settings: FaithfulnessSettings) -> Measuring:
    """Area under the target's probability while the most salient pixels are hidden first.

    Only the order of the signed values counts. Petsiuk, Das and Saenko (2018), algorithm 1; DAUC of Gomez and
    Mouchère (2023). In [0, 1], lower is better.
    """
    return (yield from _area(case, "deletion", settings))


def insertion(case: Case, settings: FaithfulnessSettings) -> Measuring:
    """Area under the target's probability while the most salient pixels are shown first.

    Only the order of the signed values counts. Petsiuk, Das and Saenko (2018), algorithm 1; IAUC of Gomez and
    Mouchère (2023). In [0, 1], higher is better.
    """
    return (yield from _area(case, "insertion", settings))


def deletion_correlation(case: Case, settings: FaithfulnessSettings) -> Measuring:
    """Pearson's correlation of each step's fall in probability and the mean signed saliency of its pixels (DC).

    Gomez, Fréour and Mouchère (2022). In [−1, 1], higher is better; NaN for a constant map and where the model's answer
    never changes. Steps that change no pixel (more steps than pixels) are left out.
    """
    return (yield from _correlated(case, "deletion", settings))


def insertion_correlation(case: Case, settings: FaithfulnessSettings) -> Measuring:
    """Pearson's correlation of each step's rise in probability and the mean signed saliency of its pixels (IC).

    As `deletion_correlation`, while pixels are shown.
    """
    return (yield from _correlated(case, "insertion", settings))


_RISE = "Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (2018)"
_GOMEZ = "Gomez, Fréour & Mouchère, Metrics for Saliency Map Evaluation of Deep Learning Explanation Methods (2022)"
_ORDER_ONLY = (
    "Sees only the order of the pixels, not how salient they are; images with pixels replaced are unlike any that "
    "the model was trained on, and rankings change with the fill."
)

_PROBABILITY = "Probability of the target"
_HIDDEN = Axes("Share of the image hidden", _PROBABILITY, percent=True)
_SHOWN = Axes("Share of the image shown", _PROBABILITY, percent=True)

DELETION = Metric(
    name="deletion",
    title="Deletion",
    family="faithfulness",
    summary="How fast the probability falls when the most salient pixels are hidden first; lower is better.",
    reference=_RISE,
    url="https://arxiv.org/abs/1806.07421",
    formula=r"\mathrm{DAUC} = \frac{1}{K} \sum_{k=0}^{K-1} \frac{f_c(x_k) + f_c(x_{k+1})}{2}",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses=_ORDER_ONLY,
    settings=DeletionSettings,
    run=deletion,
    evaluations=cost,
    axes=_HIDDEN,
    sequence="deletion",
)

INSERTION = Metric(
    name="insertion",
    title="Insertion",
    family="faithfulness",
    summary="How fast the probability rises when the most salient pixels are shown first; higher is better.",
    reference=_RISE,
    url="https://arxiv.org/abs/1806.07421",
    formula=r"\mathrm{IAUC} = \frac{1}{K} \sum_{k=0}^{K-1} \frac{f_c(x_k) + f_c(x_{k+1})}{2}",
    direction=1,
    low=0.0,
    high=1.0,
    weaknesses=_ORDER_ONLY,
    settings=InsertionSettings,
    run=insertion,
    evaluations=cost,
    axes=_SHOWN,
    sequence="insertion",
    difference=Difference(less="deletion", title="Ins − del"),
)

DELETION_CORRELATION = Metric(
    name="deletion-correlation",
    title="Deletion correlation",
    family="faithfulness",
    summary="Whether the probability falls most where the map is highest, while pixels are hidden; higher is better.",
    reference=_GOMEZ,
    url="https://arxiv.org/abs/2201.13291",
    formula=r"\mathrm{DC} = \rho\left(f_c(x_{k-1}) - f_c(x_k),\ \bar S_k\right)_{k=1 \ldots K}",
    direction=1,
    low=-1.0,
    high=1.0,
    weaknesses="Rewards a straight relation: a map in the right order but on another scale loses. One steep step, as "
    "in most curves, decides a correlation alone.",
    settings=DeletionSettings,
    run=deletion_correlation,
    evaluations=cost,
    axes=_HIDDEN,
    sequence="deletion",
)

INSERTION_CORRELATION = Metric(
    name="insertion-correlation",
    title="Insertion correlation",
    family="faithfulness",
    summary="Whether the probability rises most where the map is highest, while pixels are shown; higher is better.",
    reference=_GOMEZ,
    url="https://arxiv.org/abs/2201.13291",
    formula=r"\mathrm{IC} = \rho\left(f_c(x_k) - f_c(x_{k-1}),\ \bar S_k\right)_{k=1 \ldots K}",
    direction=1,
    low=-1.0,
    high=1.0,
    weaknesses="Rewards a straight relation, and a blurred image still shows much: what blur does not hide cannot be "
    "inserted.",
    settings=InsertionSettings,
    run=insertion_correlation,
    evaluations=cost,
    axes=_SHOWN,
    sequence="insertion",
)
