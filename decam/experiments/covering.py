"""A picture that somebody covers by hand: what the model answers, and what it would where a map covers as much."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from decam.classifier import Classifier, Pixels
from decam.errors import SettingError
from decam.experiments.evaluate import question_of
from decam.experiments.plan import Plan
from decam.explanation import Map, Truth
from decam.masking import FILLS, MaskedQueries, fill, places, ranked, to_pixels

SIDE = 64
"""Squares along each side of a picture: the grain of a brush."""


def squares(text: str, grain: tuple[int, int] = (SIDE, SIDE)) -> Truth:
    """The covered squares (h×w, True = covered) that a browser sent: bits by rows, the first the highest, base64.

    `grain` is (h, w). The empty text covers nothing. Raises SettingError for a text of another length or with other
    signs.
    """
    rows, columns = grain
    if not text:
        return np.zeros(grain, np.bool_)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingError("What was painted came damaged; clear the image and paint again.") from error
    if len(content) != -(-rows * columns // 8):
        raise SettingError(f"What was painted has {len(content)} bytes, but {rows}×{columns} squares were expected.")
    bits = np.unpackbits(np.frombuffer(content, np.uint8))[: rows * columns]
    return bits.reshape(grain).astype(np.bool_)


def text_of(covered: Truth) -> str:
    """A cover as a browser reads it: bits by rows, the first the highest, base64."""
    return base64.b64encode(np.packbits(covered).tobytes()).decode("ascii")


def spread(covered: Truth, size: tuple[int, int]) -> Truth:
    """Squares (h×w) at the size of a picture (H×W): each pixel takes the square that its centre lies in."""
    rows, columns = (
        ((np.arange(length) + 0.5) * count / length).astype(np.intp)
        for length, count in zip(size, covered.shape, strict=True)
    )
    return covered[np.ix_(rows, columns)]


def covered_by(saliency: Map, count: int) -> Truth:
    """The `count` pixels (H×W, True = covered) that a map ranks first."""
    covered: Truth = (places(ranked(saliency)) < count).view(*saliency.shape).numpy()
    return covered


@dataclass(frozen=True)
class Prediction:
    """What a map predicts of a cover: the share of its positive values covered, and the probability to be expected.

    Both lie in [0, 1]. The probability is the one that would be left if drops added up in proportion to the map.
    """

    share: float
    probability: float


def prediction(saliency: Map, cover: Truth, clean: float, blank: float) -> Prediction | None:
    """What a map (H×W) predicts of a cover (H×W, True = covered); None where the map has no positive value.

    The share is Σ max(m, 0) over the covered pixels, by the same sum over all pixels. `clean` is the probability with
    nothing covered, `blank` that with everything covered: a share s of the mass predicts clean − s · (clean − blank).
    Raises SettingError where the cover does not have the map's size.
    """
    _check_sizes([cover], saliency.shape)
    positive = np.maximum(saliency.astype(np.float64), 0)
    whole = float(positive.sum())
    if not whole > 0:
        return None
    share = min(float(positive[cover].sum()) / whole, 1.0)
    return Prediction(share, clean - share * (clean - blank))


def fill_of(plan: Plan, method: int) -> str:
    """The fill of a plan's method; else that of the plan's first metric that has one; else "mean"."""
    for settings in (plan.methods[method].settings, *(metric.settings for metric in plan.metrics)):
        name = settings.to_mapping().get("fill")
        if name in FILLS:
            return str(name)
    return "mean"


def filling(classifier: Classifier, view: Pixels, name: str, seed: int = 0) -> Pixels:
    """What shows where a picture is covered, H×W×3 uint8; raises SettingError for a fill that does not exist.

    `seed` is that of the fill "noise".
    """
    image = question_of(classifier, view, 0).image
    return to_pixels(fill(name, image, classifier.mean, seed))


def answers(
    classifier: Classifier, view: Pixels, covers: Sequence[Truth], name: str, seed: int = 0
) -> NDArray[np.float32]:
    """The model's probabilities (N×C) for a picture under N covers (H×W, True = covered), in one batch where it fits.

    `name` is the fill, and `seed` that of the fill "noise". Raises SettingError where a cover does not have the
    picture's size.
    """
    question = question_of(classifier, view, 0)
    _check_sizes(covers, tuple(question.image.shape[-2:]))
    visible = torch.from_numpy(~np.stack(covers)).unsqueeze(1)
    queries = MaskedQueries(question, fill(name, question.image, classifier.mean, seed))
    found: NDArray[np.float32] = torch.cat(list(queries.batches(visible))).cpu().numpy().astype(np.float32)
    return found


def _check_sizes(covers: Sequence[Truth], size: tuple[int, ...]) -> None:
    for cover in covers:
        if cover.shape != size:
            raise SettingError(f"The cover has the shape {cover.shape}, but the image {size}; they must be the same.")
