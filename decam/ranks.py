"""How alike two rankings are, for many of them at once."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from decam.intervals import Values


def spearman(many: Values, one: Values) -> Values:
    """Spearman's ρ of each line of `many` (N×M) with `one` (M, or N×M), ties sharing their mean rank.

    NaN where a line is constant.
    """
    first, second = (rankdata(np.atleast_2d(lines), axis=1) for lines in (many, one))
    return _cosine(first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True))


def kendall(many: Values, one: Values) -> Values:
    """Kendall's τ-b of each line of `many` (N×M) with `one` (M, or N×M); NaN where a line is constant."""
    return _cosine(_signs(np.atleast_2d(many)), _signs(np.atleast_2d(one)))


def _signs(lines: Values) -> Values:
    first, second = np.triu_indices(lines.shape[1], 1)
    return np.sign(lines[:, first] - lines[:, second])


def _cosine(first: Values, second: Values) -> Values:
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    together = (first * second).sum(axis=1)
    found: Values = np.divide(together, scale, out=np.full_like(together, np.nan), where=scale > 0)
    return found
