"""How odd the cost of one class is beside those of the others: the ways that the rows of methods choose from."""

from __future__ import annotations

import math

import numpy as np

from decam.methods.base import Costs

LEAST = 5
"""Classes below which their costs say nothing."""
NORMAL = 1.4826  # a median absolute deviation times this estimates a normal distribution's standard deviation


def leads(costs: Costs, spread: float) -> Costs:
    """By how much each class is cheaper than the cheapest other class: (min over others of log cost − log cost) / s.

    `costs` are positive, NaN where unknown; `spread` is s. One class alone can have a score above 0: an attacker with
    several targets hides them behind each other. NaN for fewer than `LEAST` known costs.
    """
    logs = np.log(costs)
    if np.isfinite(logs).sum() < LEAST:
        return np.full_like(logs, math.nan)
    others = [np.nanmin(np.delete(logs, place)) for place in range(len(logs))]
    found: Costs = (np.array(others) - logs) / spread
    return found


def shortfalls(costs: Costs, spread: float) -> Costs:
    """How far each cost lies below 1: −log cost / s, for costs that are shares of a usual one; `spread` is s.

    NaN where a cost is unknown.
    """
    found: Costs = -np.log(costs) / spread
    return found


def anomaly_indices(costs: Costs) -> Costs:
    """Neural Cleanse's (median − cost) / (1.4826 · MAD), over classes (Wang et al. 2019, section IV-C).

    NaN for fewer than `LEAST` known costs; 0 for all where the deviation is 0.
    """
    known = costs[np.isfinite(costs)]
    if len(known) < LEAST:
        return np.full_like(costs, math.nan)
    middle = np.median(known)
    deviation = NORMAL * float(np.median(np.abs(known - middle)))
    found: Costs = (middle - costs) / deviation if deviation else np.zeros_like(costs)
    return found
