"""A cumulative-link model of ratings: how much a condition multiplies the odds of a higher rating."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chi2, norm

from decam.errors import SettingError
from decam.intervals import LEVEL, Interval, Values
from decam.studies.analysis.ratings import points_of
from decam.studies.analysis.resampling import Flags, Indices, conditions_of, numbered, same_length

FARTHEST = 12.0  # log odds beyond which an estimate runs off to infinity


@dataclass(frozen=True)
class OddsRatio:
    """How many times higher the odds of a higher rating are than in the reference, with Wald's interval and p."""

    condition: Any
    odds_ratio: Interval
    coefficient: float
    error: float
    p: float


@dataclass(frozen=True)
class CumulativeLink:
    """A fitted model: logit P(rating ≤ k) = θ_k − β_condition, β of the reference being 0.

    `thresholds` are θ of the points but the highest that occur (`points`), in rising order. `likelihood_ratio` is
    twice the gain in log-likelihood over no conditions, `p` its χ² p value. `clustered` says that the errors are over
    participants.
    """

    reference: Any
    points: tuple[int, ...]
    thresholds: tuple[float, ...]
    odds: tuple[OddsRatio, ...]
    log_likelihood: float
    likelihood_ratio: float
    p: float
    clustered: bool

    def note(self, title: Callable[[Any], str] = str) -> str:
        """Which conditions have no finite estimate, in a sentence, called by their titles; "" where all have one."""
        names = [title(one.condition) for one in self.odds if abs(one.coefficient) > FARTHEST]
        if not names:
            return ""
        return (
            f"The ratings part so cleanly that the odds of {', '.join(names)} have no finite estimate; look at the "
            "distributions."
        )


def fit(
    ratings: ArrayLike,
    conditions: ArrayLike,
    points: int,
    *,
    participants: ArrayLike | None = None,
    order: Sequence[Any] = (),
) -> CumulativeLink:
    """Fit the proportional odds model by maximum likelihood (McCullagh 1980, section 2).

    The first condition of the order is the reference. Points that nobody chose are left out: they carry no
    information. With `participants`, standard errors are the sandwich's over participants (Liang and Zeger 1986), for
    answers of one person are alike; the likelihood ratio still takes answers as independent. A condition that one
    person alone rated has no error, and against such a reference no condition has one: interval and p are NaN. Raises
    SettingError for fewer than two conditions or fewer than two points that occur.
    """
    same_length(ratings=ratings, conditions=conditions)
    values = points_of(ratings, points)
    names, places = conditions_of(conditions, order)
    names, places = _occurring(names, places)
    used, levels = np.unique(values, return_inverse=True)
    if len(names) < 2 or len(used) < 2:
        raise SettingError(
            f"The model needs two conditions and two different ratings, but has {len(names)} and {len(used)}."
        )
    counts = np.zeros((len(names), len(used)))
    np.add.at(counts, (places, levels), 1)
    found = _fitted(counts)
    null = _log_likelihood(_thresholds_alone(counts), counts.sum(axis=0, keepdims=True))
    likelihood = _log_likelihood(found, counts)
    own = None
    if participants is not None:
        same_length(ratings=ratings, participants=participants)
        own = _tables_of(participants, places, levels, counts.shape)
    cuts = len(used) - 1
    errors = _errors(found, counts, own)
    if own is not None:
        errors[cuts:][_alone(own)] = math.nan
    odds = tuple(
        _odds(name, beta, error) for name, beta, error in zip(names[1:], found[cuts:], errors[cuts:], strict=True)
    )
    gain = max(0.0, 2 * (likelihood - null))
    p = float(chi2.sf(gain, len(names) - 1))
    thresholds = tuple(map(float, found[:cuts]))
    points_used = tuple(map(int, used))
    return CumulativeLink(names[0], points_used, thresholds, odds, likelihood, gain, p, own is not None)


def _occurring(names: tuple[Any, ...], places: Indices) -> tuple[tuple[Any, ...], Indices]:
    there, again = np.unique(places, return_inverse=True)
    return tuple(names[place] for place in there), again.reshape(-1).astype(np.int64)


def _thresholds_alone(counts: Values) -> Values:
    """The estimate without conditions, in closed form: the log odds of the shares up to each point."""
    shares = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    found: Values = np.log(shares / (1 - shares))
    return found


def _edges(parameters: Values, shape: tuple[int, ...]) -> tuple[Values, Values]:
    """The log odds below and above each cell of conditions × points, and what they hang on (… × parameters)."""
    conditions, points = shape
    cuts = points - 1
    design = np.zeros((conditions, points + 1, len(parameters)))
    for cut in range(cuts):
        design[:, cut + 1, cut] = 1
    for place in range(1, min(conditions, len(parameters) - cuts + 1)):
        design[place, 1:-1, cuts + place - 1] = -1
    places = design @ parameters
    places[:, 0], places[:, -1] = -np.inf, np.inf
    return places, design


def _parts(parameters: Values, shape: tuple[int, ...]) -> tuple[Values, Values, Values]:
    """Probability of each cell, and the first and second derivatives of its logarithm by the parameters."""
    places, design = _edges(parameters, shape)
    shares = expit(places)
    # Upper minus lower tail from whichever side keeps more digits.
    flipped = expit(-places)
    chance = np.where(places[:, 1:] > 0, flipped[:, :-1] - flipped[:, 1:], shares[:, 1:] - shares[:, :-1])
    density = shares * flipped
    curve = density * (flipped - shares)
    slope = density[..., None] * design
    first = (slope[:, 1:] - slope[:, :-1]) / chance[..., None]
    bend = curve[..., None, None] * design[..., :, None] * design[..., None, :]
    second = (bend[:, 1:] - bend[:, :-1]) / chance[..., None, None] - first[..., :, None] * first[..., None, :]
    return chance, first, second


def _log_likelihood(parameters: Values, counts: Values) -> float:
    """Σ count · log P(cell); −∞ where thresholds are out of order."""
    places, _ = _edges(parameters, counts.shape)
    if (np.diff(places[0, 1:-1]) <= 0).any():
        return -math.inf
    chance = _parts(parameters, counts.shape)[0]
    if (chance <= 0).any():
        return -math.inf
    return float((counts * np.log(chance)).sum())


def _fitted(counts: Values) -> Values:
    """The parameters of greatest likelihood: thresholds, then conditions but the first."""
    start = np.concatenate((_thresholds_alone(counts), np.zeros(len(counts) - 1)))

    def loss(parameters: Values) -> float:
        return -_log_likelihood(parameters, counts)

    def slope(parameters: Values) -> Values:
        return -np.asarray((counts[..., None] * _parts(parameters, counts.shape)[1]).sum(axis=(0, 1)))

    def bend(parameters: Values) -> Values:
        return -np.asarray((counts[..., None, None] * _parts(parameters, counts.shape)[2]).sum(axis=(0, 1)))

    found = minimize(loss, start, jac=slope, hess=bend, method="trust-exact", options={"gtol": 1e-8, "maxiter": 500})
    return np.asarray(found.x, dtype=np.float64)


def _tables_of(participants: ArrayLike, places: Indices, levels: Indices, shape: tuple[int, ...]) -> Values:
    """Each participant's own counts: participants × conditions × points."""
    people, codes = numbered(participants)
    tables = np.zeros((people, *shape))
    np.add.at(tables, (codes, places, levels), 1)
    return tables


def _alone(own: Values) -> Flags:
    """Which conditions after the first have fewer than two people, on their own or in the reference."""
    people = own.any(axis=2).sum(axis=0)
    return np.asarray(np.minimum(people[1:], people[0]) < 2)


def _errors(found: Values, counts: Values, own: Values | None) -> Values:
    """Standard errors from the information, or from the sandwich over participants where their tables are given."""
    _, first, second = _parts(found, counts.shape)
    information = -(counts[..., None, None] * second).sum(axis=(0, 1))
    away = np.abs(found) > FARTHEST
    if away.any() or np.linalg.cond(information) > 1e12:
        kept = ~away
        errors = np.full(len(found), np.nan)
        inner = information[np.ix_(kept, kept)]
        if not kept.any() or np.linalg.cond(inner) > 1e12:
            return errors
        errors[kept] = np.sqrt(np.diag(_covariance(inner, first[..., kept], own)))
        return errors
    return np.sqrt(np.diag(_covariance(information, first, own)))


def _covariance(information: Values, first: Values, own: Values | None) -> Values:
    inverse: Values = np.linalg.inv(information).astype(np.float64)
    if own is None:
        return inverse
    scores = np.einsum("pck,ckq->pq", own, first)
    covariance: Values = inverse @ (scores.T @ scores) @ inverse * (len(own) / max(1, len(own) - 1))
    return covariance


def _odds(condition: Any, beta: float, error: float) -> OddsRatio:
    if abs(beta) > FARTHEST or not math.isfinite(error):
        limit = math.inf if beta > 0 else 0.0
        ratio = limit if abs(beta) > FARTHEST else math.exp(beta)
        return OddsRatio(condition, Interval(ratio, math.nan, math.nan), float(beta), math.nan, math.nan)
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    ends = [math.exp(value) for value in (beta, beta - reach, beta + reach)]
    p = 2 * float(norm.sf(abs(beta) / error)) if error else 0.0
    return OddsRatio(condition, Interval(*ends), float(beta), float(error), p)
