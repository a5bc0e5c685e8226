"""Whether a map lies on the object: metrics that compare it with ground truth and never ask the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from decam.errors import SettingError
from decam.metrics.base import Axes, Case, Curve, Measuring, Metric, NoSettings
from decam.metrics.scales import CONSTANT, Values
from decam.settings import Settings, parameter
from decam.spacing import evenly

Flags: TypeAlias = NDArray[np.bool_]
Scores: TypeAlias = tuple[Values, str]

UNMARKED = "The ground truth marks no pixel."
EVERYWHERE = "The ground truth marks every pixel, so there is nothing to tell it from."
NOTHING = "The map holds no value above zero."
EMPTY = "The map is zero everywhere."
POINTS = 100  # of a curve over thresholds, about


@dataclass(frozen=True)
class PointingSettings(Settings):
    """How near is near enough."""

    tolerance: float = parameter(
        0.0,
        "How far outside the object still counts as a hit, as a share of the image's side. The paper, with boxes as "
        "ground truth, allows 15 of 224 pixels (0.067).",
        low=0.0,
        high=0.5,
        step=0.01,
    )


def pointing(values: Values, inside: Flags) -> Scores:
    """Share of the pixels that share the highest value which lie on the object: 1 or 0 where one is highest."""
    highest = values == values.max(axis=1, keepdims=True)
    return (highest & inside).sum(axis=1) / highest.sum(axis=1), ""


def energy(values: Values, inside: Flags) -> Scores:
    """Share of the positive values' sum that lies on the object."""
    return _share_inside(values.clip(min=0), inside), NOTHING


def mass(values: Values, inside: Flags) -> Scores:
    """Share of the absolute values' sum that lies on the object."""
    return _share_inside(np.abs(values), inside), EMPTY


def _share_inside(amounts: Values, inside: Flags) -> Values:
    # Scaled first, or sums of tiny values vanish and those of huge ones overflow.
    highest = amounts.max(axis=1, keepdims=True)
    relative = np.divide(amounts, highest, out=np.zeros_like(amounts), where=highest > 0)
    total = relative.sum(axis=1)
    within: Values = (relative * inside).sum(axis=1)
    shares: Values = np.divide(within, total, out=np.full(len(total), np.nan), where=total > 0)
    return shares


def rank(values: Values, inside: Flags) -> Scores:
    """Share of the K highest values that lie on the object of K pixels; ties at the edge count in proportion."""
    count = int(inside.sum())
    edge = np.partition(values, -count, axis=1)[:, [-count]]
    above, level = values > edge, values == edge
    room = count - above.sum(axis=1)
    hits = (above & inside).sum(axis=1) + (level & inside).sum(axis=1) * room / level.sum(axis=1)
    return hits / count, ""


def best_iou(values: Values, inside: Flags) -> Scores:
    """Highest intersection over union of the object and the pixels at or above any threshold."""
    return np.nanmax(overlaps(values, inside), axis=1), ""


def iou_curves(values: Values, inside: Flags) -> tuple[Curve, ...]:
    """The overlap at about a hundred thresholds, the best among them, over the share of pixels at or above each."""
    found = []
    for overlap in overlaps(values, inside):
        thresholds = np.flatnonzero(np.isfinite(overlap))
        chosen = np.unique(np.append(thresholds[evenly(len(thresholds), POINTS)], np.nanargmax(overlap)))
        found.append(Curve(((chosen + 1) / len(overlap)).astype(np.float32), overlap[chosen].astype(np.float32)))
    return tuple(found)


def overlaps(values: Values, inside: Flags) -> Values:
    """Intersection over union (N×pixels) of the object and the 1, 2, … highest pixels.

    NaN where equal values would be parted: a threshold takes all pixels of one value or none.
    """
    order = np.argsort(-values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    hits = np.cumsum(inside[order], axis=1)
    taken = np.arange(1, values.shape[1] + 1)
    overlap = hits / (taken + inside.sum() - hits)
    last = np.concatenate([ordered[:, :-1] != ordered[:, 1:], np.ones((len(values), 1), bool)], axis=1)
    found: Values = np.where(last, overlap, np.nan)
    return found


def otsu_iou(values: Values, inside: Flags) -> Scores:
    """Intersection over union of the object and the pixels above Otsu's (1979) threshold of the map."""
    cuts = otsu(values)
    above = values > cuts[:, None]
    found: Values = (above & inside).sum(axis=1) / (above | inside).sum(axis=1)
    return np.where(np.isnan(cuts), np.nan, found), CONSTANT


def otsu(values: Values) -> Values:
    """The highest value of the lower group, where two groups differ most (N of N×pixels); NaN for a constant map.

    Every value may be the threshold. Libraries cut a histogram of 256 bins instead, of which one peak can leave all
    other values in the first.
    """
    ordered = np.sort(values, axis=1)
    low, high = ordered[:, [0]], ordered[:, [-1]]
    relative = np.divide(ordered - low, high - low, out=np.zeros_like(ordered), where=high > low)
    below = np.arange(1, values.shape[1])
    sums = np.cumsum(relative, axis=1)
    total, sums = sums[:, [-1]], sums[:, :-1]
    above = values.shape[1] - below
    between = below * above * (sums / below - (total - sums) / above) ** 2
    between = np.where(ordered[:, :-1] < ordered[:, 1:], between, -1.0)
    found = np.take_along_axis(ordered, between.argmax(axis=1)[:, None], axis=1)
    return np.where(low < high, found, np.nan)[:, 0]


def area(values: Values, inside: Flags) -> Scores:
    """Chance that a pixel of the object is higher than one beside it, ties counting a half: the area under the ROC."""
    from scipy.stats import rankdata  # here, for it takes a second

    within = int(inside.sum())
    beside = inside.size - within
    if not beside:
        return np.full(len(values), np.nan), EVERYWHERE
    ranks = rankdata(values, axis=1)[:, inside].sum(axis=1)
    return (ranks - within * (within + 1) / 2) / (within * beside), ""


def _scored(
    name: str, score: Callable[[Values, Flags], Scores], curves: Callable[[Values, Flags], tuple[Curve, ...]] | None
) -> Callable[[Case, Settings], Measuring]:
    """A metric's `run` from its score: maps (N×pixels) and truth (pixels) to N values and why one would be NaN."""

    def run(case: Case, settings: Settings) -> Measuring:
        yield from ()
        truth = target_of(case, settings)
        if not truth.any():
            nothing = [float("nan")] * len(case.maps)
            return case.measured(name, nothing, [UNMARKED] * len(case.maps))
        flat = case.values.reshape(len(case.maps), -1)
        values, note = score(flat, truth.ravel())
        notes = [note if np.isnan(value) else "" for value in values]
        return case.measured(name, values.tolist(), notes, curves=curves(flat, truth.ravel()) if curves else ())

    return run


def target_of(case: Case, settings: Settings) -> Flags:
    """Where a map must lie (H×W): the object, and what these settings still count as near it."""
    if case.truth is None:
        raise SettingError("Localisation needs the ground truth: a boolean mask of the object, H×W.")
    if isinstance(settings, PointingSettings) and settings.tolerance and case.truth.any():
        near: Flags = distance_transform_edt(~case.truth) <= settings.tolerance * max(case.truth.shape)
        return near
    return case.truth


def _row(
    name: str,
    title: str,
    score: Callable[[Values, Flags], Scores],
    *,
    summary: str,
    formula: str,
    reference: str,
    url: str,
    weaknesses: str,
    settings: type[Settings] = NoSettings,
    curves: Callable[[Values, Flags], tuple[Curve, ...]] | None = None,
    axes: Axes | None = None,
) -> Metric:
    """What all rows of this family have in common: they need the truth, ask nothing, and lie in [0, 1]."""
    return Metric(
        name=name,
        title=title,
        family="localisation",
        summary=f"{summary}; higher is better.",
        reference=reference,
        url=url,
        formula=formula,
        direction=1,
        low=0.0,
        high=1.0,
        weaknesses=weaknesses,
        settings=settings,
        run=_scored(name, score, curves),
        needs=frozenset({"truth"}),
        axes=axes,
    )


_ARRAS = (
    "Arras, Osman & Samek, CLEVR-XAI: A Benchmark Dataset for the Ground Truth Evaluation of Neural Network "
    "Explanations (2022)"
)
_NOT_THE_MODEL = "Judges the model along with the map: a model that looks elsewhere makes a good map score badly."

POINTING_GAME = _row(
    "pointing-game",
    "Pointing game",
    pointing,
    summary="Whether the highest point of the map lies on the object",
    formula=r"\mathbb{1}\left[\arg\max_p S_p \in T\right]",
    reference="Zhang et al., Top-down Neural Attention by Excitation Backprop (2018)",
    url="https://arxiv.org/abs/1608.00507",
    weaknesses=f"One pixel decides. {_NOT_THE_MODEL}",
    settings=PointingSettings,
)

ENERGY_INSIDE = _row(
    "energy-inside",
    "Energy inside",
    energy,
    summary="How much of the map's positive values lies on the object",
    formula=r"\frac{\sum_{p \in T} \max(S_p, 0)}{\sum_p \max(S_p, 0)}",
    reference="Wang et al., Score-CAM: Score-Weighted Visual Explanations (2020)",
    url="https://arxiv.org/abs/1910.01279",
    weaknesses=f"A small object can hardly hold the energy of a smooth map. {_NOT_THE_MODEL}",
)

IOU = _row(
    "iou",
    "IoU at the best threshold",
    best_iou,
    summary="How well the object is covered by the map cut at the threshold that suits it best",
    formula=r"\max_\tau \frac{|\{S \ge \tau\} \cap T|}{|\{S \ge \tau\} \cup T|}",
    reference="Choe et al., Evaluating Weakly Supervised Object Localization Methods Right (2020)",
    url="https://arxiv.org/abs/2001.07437",
    weaknesses=f"The threshold knows the answer, and even a constant map gets the object's share of the image. "
    f"{_NOT_THE_MODEL}",
    curves=iou_curves,
    axes=Axes("Share of the image at or above the threshold", "Intersection over union"),
)

IOU_OTSU = _row(
    "iou-otsu",
    "IoU at Otsu's threshold",
    otsu_iou,
    summary="How well the object is covered by the map cut where its values fall into two groups",
    formula=r"\frac{|\{S > \tau_\mathrm{Otsu}\} \cap T|}{|\{S > \tau_\mathrm{Otsu}\} \cup T|}",
    reference="Otsu, A Threshold Selection Method from Gray-Level Histograms (1979)",
    url="https://doi.org/10.1109/TSMC.1979.4310076",
    weaknesses=f"A map of one narrow peak over a wide slope is cut low, whatever its order says. {_NOT_THE_MODEL}",
)

RELEVANCE_MASS = _row(
    "relevance-mass",
    "Relevance mass",
    mass,
    summary="How much of the map's absolute values lies on the object",
    formula=r"\frac{\sum_{p \in T} |S_p|}{\sum_p |S_p|}",
    reference=_ARRAS,
    url="https://arxiv.org/abs/2003.07258",
    weaknesses=f"Tells nothing that energy inside does not, unless the map has negative values. {_NOT_THE_MODEL}",
)

RELEVANCE_RANK = _row(
    "relevance-rank",
    "Relevance rank",
    rank,
    summary="How many of the highest pixels, as many as the object has, lie on it",
    formula=r"\frac{|\mathrm{top}_{|T|}(S) \cap T|}{|T|}",
    reference=_ARRAS,
    url="https://arxiv.org/abs/2003.07258",
    weaknesses=f"A map that marks one telling part of a large object well scores low. {_NOT_THE_MODEL}",
)

LOCALISATION_AUC = _row(
    "localisation-auc",
    "Localisation AUC",
    area,
    summary="How often a pixel of the object is higher in the map than one outside it",
    formula=r"P(S_p > S_q) + \tfrac{1}{2} P(S_p = S_q),\quad p \in T,\ q \notin T",
    reference="Fawcett, An Introduction to ROC Analysis (2006)",
    url="https://doi.org/10.1016/j.patrec.2005.10.010",
    weaknesses=f"Where the object is small, a map may be high on many times its area and still come near 1. "
    f"{_NOT_THE_MODEL}",
)
