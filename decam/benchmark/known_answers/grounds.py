"""Pictures on which an answer is asked: noise, smooth colours and photographs, with edges of the parts or others.

Every picture has a fine grain, so that whatever hides a pixel, a blur too, takes something away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from decam.benchmark.known_answers.parts import SIDE, Blocks, Random, pixels
from decam.classifier.base import fit
from decam.errors import ImageError
from decam.images.samples import SAMPLES

Colours = NDArray[np.float64]
"""A picture, 112×112×3 in [0, 1]."""

GRAIN = 0.12  # half the range of the grain
TINT = 0.16  # by how much a part differs from its surroundings, in each colour
MOVED = (17, 11)  # blocks by which edges that do not agree are moved; cells of a grid do not meet again


def _noise(random: Random) -> Colours:
    return 0.5 + random.uniform(-0.2, 0.2, (SIDE, SIDE, 3))


def _smooth(random: Random) -> Colours:
    """Colours between sixteen random ones."""
    found: Colours = zoom(
        random.uniform(0.3, 0.7, (4, 4, 3)), (SIDE / 4, SIDE / 4, 1), order=1, grid_mode=True, mode="nearest"
    )
    return found


def _photograph(random: Random) -> Colours:
    """One of the photographs that scikit-image carries; raises ImageError where there is none."""
    there = [sample for sample in SAMPLES if sample.kind == "photograph"]
    if not there:
        raise ImageError("The photos of scikit-image are not installed; install scikit-image, or leave them out.")
    chosen = there[int(random.integers(len(there)))]
    return 0.2 + 0.6 * np.asarray(fit(chosen.load(), (SIDE, SIDE)).convert("RGB"), float) / 255


GROUNDS: dict[str, Callable[[Random], Colours]] = {"noise": _noise, "smooth": _smooth, "photograph": _photograph}


def _agreeing(parts: Sequence[Blocks]) -> list[Blocks]:
    return list(parts)


def _moved(parts: Sequence[Blocks]) -> list[Blocks]:
    return [np.roll(part, MOVED, axis=(0, 1)) for part in parts]


EDGES: dict[str, Callable[[Sequence[Blocks]], list[Blocks]]] = {"agree": _agreeing, "disagree": _moved}
"""Where the picture's colours change, by whether these edges are those of the parts."""


def picture(random: Random, ground: str, edges: str, parts: Sequence[Blocks]) -> Colours:
    """A picture of a ground whose colours change at the edges of the parts, or of the parts moved elsewhere."""
    made = GROUNDS[ground](random)
    for part in EDGES[edges](parts):
        made[pixels(part)] += random.choice((-TINT, TINT), 3)
    return made


def grained(made: Colours, random: Random) -> NDArray[np.uint8]:
    """The picture with its grain, 112×112×3 bytes."""
    whole = made + random.uniform(-GRAIN, GRAIN, made.shape)
    return (whole.clip(0, 1) * 255).round().astype(np.uint8)
