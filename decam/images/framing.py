"""How a whole picture becomes what a model sees: cropped as the model was made for, or fitted with nothing lost."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image

from decam.classifier import Classifier, Pixels
from decam.errors import SettingError, unknown
from decam.explanation import Truth
from decam.images import ground_truth
from decam.images.seen_part import Part, seen_part

Framing: TypeAlias = Literal["crop", "fit"]
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
CROP: Framing = "crop"
FIT: Framing = "fit"


def checked(framing: object) -> Framing:
    """A framing by its name; raises SettingError, with those that there are, for another one."""
    for known in FRAMINGS:
        if framing == known:
            return known
    raise SettingError(unknown("framing", framing, FRAMINGS))


def framed(classifier: Classifier, image: Image.Image, framing: Framing = CROP) -> Pixels:
    """A whole picture as the classifier is shown it, H×W×3 uint8.

    "crop" is the classifier's own view: resized, and cut at the edges. "fit" shows all of it: its longer side, against
    the input's, fills the input, and the bars beside it have the model's mean colour, which is zero to the model.
    """
    if framing == CROP:
        return classifier.view(image)
    return padded(image, classifier.input_size, classifier.mean)


def padded(image: Image.Image, size: tuple[int, int], colour: tuple[float, float, float]) -> Pixels:
    """All of a picture, scaled to fit into `size` (H, W) and centred on a colour in [0, 1]; H×W×3 uint8."""
    height, width = size
    top, left, bottom, right = _place((image.height, image.width), size)
    canvas = Image.new("RGB", (width, height), _bytes(colour))
    scaled = image.convert("RGB").resize((right - left, bottom - top), Image.Resampling.BILINEAR)
    canvas.paste(scaled, (left, top))
    return np.asarray(canvas, dtype=np.uint8)


def part_of(classifier: Classifier, size: tuple[int, int], framing: Framing = CROP) -> Part:
    """What a view shows of a picture of a size (height, width): a part of it, or more than it where there are bars."""
    if framing == CROP:
        return seen_part(classifier.view, size)
    height, width = classifier.input_size
    top, left, bottom, right = _place(size, classifier.input_size)
    down, across = bottom - top, right - left
    return Part(-top / down, -left / across, (height - top) / down, (width - left) / across)


def mask_of(classifier: Classifier, truth: Truth, framing: Framing = CROP) -> Truth:
    """A mask of a whole picture as the classifier is shown the picture; raises ImageError as `ground_truth.seen`."""
    if framing == CROP:
        return ground_truth.seen(truth, classifier)
    return ground_truth.fitted(truth, lambda image: padded(image, classifier.input_size, (0.0, 0.0, 0.0)))


def _place(picture: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a picture (height, width) lies in a view (H, W): top, left, bottom, right in pixels."""
    scale = min(size[0] / picture[0], size[1] / picture[1])
    down, across = (max(1, round(side * scale)) for side in picture)
    top, left = (size[0] - down) // 2, (size[1] - across) // 2
    return top, left, top + down, left + across


def _bytes(colour: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * value) for value in colour)
    return red, green, blue
