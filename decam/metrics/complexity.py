"""How much of the picture a map marks: metrics of the map alone, which ask neither the model nor the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import xlogy

from decam.metrics.base import Case, Measuring, Metric, NoSettings
from decam.metrics.scales import CONSTANT, Values
from decam.settings import Settings


def sparsity(values: Values) -> Values:
    """Maximum over mean of each map (N×pixels) scaled from 0 to 1: 1 for a constant map."""
    inverse: Values = 1 / heights(values).mean(axis=1)
    return inverse


def heights(values: Values) -> Values:
    """Each map (N×pixels) scaled from 0 to 1; ones for a constant map."""
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    relative: Values = np.divide(values - low, high - low, out=np.ones_like(values), where=high > low)
    return relative


def entropy(values: Values) -> Values:
    """Shannon's entropy of the absolute values' shares, over that of a constant map."""
    shares = shares_of(values)
    found: Values = 0.0 - xlogy(shares, shares).sum(axis=1) / np.log(values.shape[1])  # of one pixel 0, not −0
    return found


def effective(values: Values) -> Values:
    """How many pixels with equal absolute values would be as concentrated, as a share of all."""
    shares = shares_of(values)
    count: Values = 1 / (np.square(shares).sum(axis=1) * values.shape[1])
    return count


def shares_of(values: Values) -> Values:
    """Each absolute value's share of their sum (N×pixels), so that they sum to one; equal ones for a map of zeros."""
    amounts = np.abs(values)
    highest = amounts.max(axis=1, keepdims=True)
    relative = np.divide(amounts, highest, out=np.ones_like(amounts), where=highest > 0)
    shares: Values = relative / relative.sum(axis=1, keepdims=True)
    return shares


def _simple(name: str, value: Callable[[Values], Values]) -> Callable[[Case, Settings], Measuring]:
    """A metric's `run` from what it says of maps (N×pixels)."""

    def run(case: Case, settings: Settings) -> Measuring:
        del settings
        yield from ()
        values = value(case.values.reshape(len(case.maps), -1))
        return case.measured(name, values.tolist(), [CONSTANT if constant else "" for constant in case.constant])

    return run


_ONLY_THE_MAP = "Says nothing about the model: a single pixel anywhere is as simple as can be."

SPARSITY = Metric(
    name="sparsity",
    title="Sparsity",
    family="complexity",
    summary="How far the highest value stands above the mean of the map; higher is sparser.",
    reference="Gomez, Fréour & Mouchère, Metrics for Saliency Map Evaluation of Deep Learning Explanation Methods "
    "(2022)",
    url="https://arxiv.org/abs/2201.13291",
    formula=r"\frac{\max_p \tilde S_p}{\frac{1}{N} \sum_p \tilde S_p}",
    direction=1,
    low=1.0,
    high=None,
    weaknesses="The map is scaled from its lowest value, so that one deeply negative pixel makes a signed map look "
    f"flat. {_ONLY_THE_MAP}",
    settings=NoSettings,
    run=_simple("sparsity", sparsity),
)

ENTROPY = Metric(
    name="entropy",
    title="Entropy",
    family="complexity",
    summary="How evenly the map's absolute values are spread, from 0 for one pixel to 1 for all; lower is simpler.",
    reference="Bhatt, Weller & Moura, Evaluating and Aggregating Feature-based Model Explanations (2020)",
    url="https://arxiv.org/abs/2005.00631",
    formula=r"-\frac{1}{\ln N} \sum_p s_p \ln s_p,\quad s_p = \frac{|S_p|}{\sum_q |S_q|}",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses=f"A faint haze over a large image outweighs what stands out of it. {_ONLY_THE_MAP}",
    settings=NoSettings,
    run=_simple("entropy", entropy),
)

EFFECTIVE_PIXELS = Metric(
    name="effective-pixels",
    title="Effective share of pixels",
    family="complexity",
    summary="How many equally salient pixels would be as concentrated, as a share of the image; lower is simpler.",
    reference="Hill, Diversity and Evenness: A Unifying Notation and Its Consequences (1973), order 2",
    url="https://doi.org/10.2307/1934352",
    formula=r"\frac{1}{N} \frac{\left(\sum_p |S_p|\right)^2}{\sum_p S_p^2}",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses=f"A high peak hides how far the rest of the map spreads. {_ONLY_THE_MAP}",
    settings=NoSettings,
    run=_simple("effective-pixels", effective),
)
