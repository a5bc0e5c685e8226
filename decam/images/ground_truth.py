"""Where the object is: masks from samples, from files and from what somebody has drawn, as a model sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from skimage.draw import polygon2mask

from decam.classifier import Classifier, Pixels
from decam.errors import ImageError
from decam.explanation import Truth
from decam.images import reading
from decam.images.seen_part import Outline as Outline

MOST_POINTS = 2_000
MOST_OUTLINES = 50
_RATIO = 0.02  # by how much the sides of a mask may be in another proportion than those of its picture


def from_file(data: reading.Data, name: str, size: tuple[int, int]) -> Truth:
    """A mask from a picture file at the size (H, W) of the picture it belongs to: light is the object.

    Where the file has transparent places, what is opaque is the object instead. Raises ImageError for a file that
    cannot be read, whose sides are in another proportion than the picture's, or that marks nothing or everything.
    """
    marks = reading.read_mask(data, name)
    height, width = size
    if abs(marks.width / marks.height / (width / height) - 1) > _RATIO:
        raise ImageError(
            f"{name} has {marks.width}×{marks.height} pixels, but its image has {width}×{height}: "
            "give a mask of the whole image, in the same proportions."
        )
    marked = np.asarray(marks.resize((width, height), Image.Resampling.NEAREST)) > 127
    return checked(marked, name, "the object must be white on black, or opaque on transparent")


def drawn(outlines: Sequence[Outline], size: tuple[int, int]) -> Truth:
    """What lies within any of these outlines, H×W bool; points are (x, y) as shares of the picture, in [0, 1].

    Raises ImageError for what is not an outline, and where nothing or everything lies within them.
    """
    if len(outlines) > MOST_OUTLINES or any(not 3 <= len(outline) <= MOST_POINTS for outline in outlines):
        raise ImageError(f"At most {MOST_OUTLINES} outlines of 3 to {MOST_POINTS:,} points each can be drawn.")
    marked = np.zeros(size, dtype=bool)
    for outline in outlines:
        # A pixel is in where its centre is, and the centre of the first lies half a pixel from the edge.
        corners = np.array([(y, x) for x, y in outline]) * size - 0.5
        marked |= polygon2mask(size, corners)  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    return checked(marked, "What is drawn", "draw around the object, within the picture")


def box(left: float, top: float, right: float, bottom: float) -> Outline:
    """The outline of a box; all four are shares of the picture."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def seen(truth: Truth, classifier: Classifier) -> Truth:
    """A mask of a whole picture as the classifier sees it: resized and cropped as the picture is.

    Raises ImageError where nothing of it is left in the crop.
    """
    return fitted(truth, classifier.view)


def fitted(truth: Truth, see: Callable[[Image.Image], Pixels]) -> Truth:
    """A mask of a whole picture as `see` resizes and crops its picture; raises ImageError as `seen`."""
    marks = Image.fromarray(truth.astype(np.uint8) * 255).convert("RGB")
    return checked(see(marks)[..., 0] > 127, "What the model sees of the mask")


def checked(truth: Truth, name: str, advice: str = "mark an object of which the model sees something") -> Truth:
    """The mask itself; raises ImageError where it marks nothing or everything. `advice` is for a mask of nothing."""
    if not truth.any():
        raise ImageError(f"{name} marks nothing; {advice}.")
    if truth.all():
        raise ImageError(f"{name} marks the whole image, so that every map would be right; mark the object alone.")
    return truth
