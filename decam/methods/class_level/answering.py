"""Where in a picture the pattern of a class is found again: the strongest part of it, laid on every place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from decam.classifier import Pixels
from decam.errors import SettingError
from decam.explanation import Map

PART = 0.25
"""Side of the part that is looked for, as a share of the map's."""
BLUR = 1 / 64
"""Standard deviation of the blur of map and picture, as a share of the map's side: finer detail does not count."""
_FLAT = 1e-6  # standard deviation of a window below which it counts as flat, for pictures in [0, 1]


@dataclass(frozen=True)
class Answer:
    """How alike the strongest part of a map and a picture are at each place of the picture.

    `alike` is float32, H×W, in [−1, 1]: the part's middle lies on the place. `top`, `left`, `height` and `width` are
    the part's place in the map, in pixels.
    """

    alike: Map
    top: int
    left: int
    height: int
    width: int


def answers(pattern: Map, view: Pixels, part: float = PART, blur: float = BLUR) -> Answer:
    """Lay the strongest part of a pattern (3×H×W, signed) on every place of a picture (H×W×3 uint8).

    The part is the window of `part` times the sides with the largest sum of squares. The likeness is the normalised
    cross-correlation over all three colours, sum (T − mean T)(X − mean X) / (n · sd T · sd X) with X the picture under
    the part (Lewis 1995, equation 2); where one of the two is flat it is 0. Pictures are reflected at their edges.
    Both are blurred first. Raises SettingError where sizes differ or `part` is not in (0, 1].
    """
    height, width = view.shape[:2]
    if pattern.shape != (3, height, width):
        got = "×".join(map(str, pattern.shape))
        raise SettingError(
            f"The map has {got} values and the image {height}×{width} pixels; give a map of 3×{height}×{width}, "
            "or the image as the model sees it."
        )
    if not 0 < part <= 1:
        raise SettingError(f"part is {part}, but must lie above 0 and at most at 1.")
    sigma = blur * max(height, width)
    whole = _blurred(np.nan_to_num(pattern.astype(np.float64), posinf=0.0, neginf=0.0), sigma)
    picture = _blurred(view.transpose(2, 0, 1) / 255, sigma)
    rows, columns = (max(3, round(part * side)) for side in (height, width))
    top, left = _strongest(whole, rows, columns)
    template = whole[:, top : top + rows, left : left + columns]
    return Answer(_alike(template, picture), top, left, rows, columns)


def _blurred(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    blurred: NDArray[np.float64] = gaussian_filter(values, (0, sigma, sigma), mode="reflect")
    return blurred


def _strongest(pattern: NDArray[np.float64], rows: int, columns: int) -> tuple[int, int]:
    """The upper left corner of the window with the largest sum of squares, the first of several."""
    squares = torch.from_numpy(np.square(pattern).sum(axis=0))[None, None]
    sums = F.avg_pool2d(squares, (rows, columns), stride=1)[0, 0].numpy()
    top, left = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return int(top), int(left)


def _alike(template: NDArray[np.float64], picture: NDArray[np.float64]) -> Map:
    _, rows, columns = template.shape
    centred = template - template.mean()
    edges = ((0, 0), (rows // 2, rows - 1 - rows // 2), (columns // 2, columns - 1 - columns // 2))
    padded = torch.from_numpy(np.pad(picture, edges, mode="symmetric"))[None]
    count = template.size
    product = F.conv2d(padded, torch.from_numpy(centred)[None])[0, 0].numpy()
    mean, square = (F.avg_pool2d(x, (rows, columns), stride=1)[0].mean(0).numpy() for x in (padded, padded.square()))
    spread, own = np.sqrt(np.maximum(square - mean**2, 0)), centred.std()
    clear = (spread > _FLAT) & (own > 0)
    alike = np.where(clear, product / count / np.where(clear, spread * own, 1), 0)
    values: Map = np.clip(alike, -1, 1).astype(np.float32)
    return values
