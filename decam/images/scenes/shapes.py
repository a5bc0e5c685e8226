"""The shapes of scenes as signed distances: the ten classes, and what could be mistaken for them.

Every shape is a function of x, y (unit coordinates, y down, the shape within 1.11 of their origin) and of the rng
that varies its proportions. It returns the distance to its edge, negative inside.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from decam.images.scenes.rng import Field, PortableRng, clamp, direction

Shape = Callable[[Field, Field, PortableRng], Field]


def _length(x: Field, y: Field) -> Field:
    length: Field = np.sqrt(x * x + y * y)
    return length


def _either(one: Field, other: Field) -> Field:
    joined: Field = np.minimum(one, other)
    return joined


def _both(one: Field, other: Field) -> Field:
    shared: Field = np.maximum(one, other)
    return shared


def _convex(x: Field, y: Field, corners: Sequence[tuple[float, float]]) -> Field:
    """A convex polygon, its corners in clockwise order on the screen."""
    distance: Field | None = None
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        dx, dy = bx - ax, by - ay
        length = math.sqrt(dx * dx + dy * dy)
        nx, ny = dy / length, -dx / length
        edge = x * nx + (y * ny - (ax * nx + ay * ny))
        distance = edge if distance is None else _both(distance, edge)
    assert distance is not None  # every polygon here has corners
    return distance


def _regular(x: Field, y: Field, count: int) -> Field:
    return _convex(x, y, [direction(corner / count) for corner in range(count)])


def _box(x: Field, y: Field, half_width: float, half_height: float) -> Field:
    dx, dy = np.abs(x) - half_width, np.abs(y) - half_height
    outside = _length(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0)


def _stroke(x: Field, y: Field, line: tuple[float, float, float, float], half_width: float) -> Field:
    ax, ay, bx, by = line
    dx, dy = bx - ax, by - ay
    px, py = x - ax, y - ay
    along = clamp((px * dx + py * dy) * (1 / (dx * dx + dy * dy)))
    return _length(px - along * dx, py - along * dy) - half_width


def _disc(x: Field, y: Field, rng: PortableRng) -> Field:
    return _length(x, y) - rng.between(0.9, 1.0)


def _square(x: Field, y: Field, rng: PortableRng) -> Field:
    half = rng.between(0.66, 0.705)
    return _box(x, y, half - 0.03, half - 0.03) - 0.03


def _triangle(x: Field, y: Field, rng: PortableRng) -> Field:
    half, top = rng.between(0.76, 0.9), rng.between(0.85, 1.0)
    return _convex(x, y, [(0.0, -top), (half, 0.45), (-half, 0.45)])


def _star(x: Field, y: Field, rng: PortableRng) -> Field:
    depth = rng.between(0.38, 0.48)
    kx, ky = 0.8090169943749475, -0.5877852522924731  # the cosine and minus the sine of 36°
    x, y = np.abs(x), -y
    for mirror in (kx, -kx):
        over = 2 * np.maximum(x * mirror + y * ky, 0)
        x, y = x - over * mirror, y - over * ky
    x, y = np.abs(x), y - 1
    ex, ey = -depth * ky, depth * kx - 1
    along = clamp((x * ex + y * ey) * (1 / (ex * ex + ey * ey)))
    side: Field = np.sign(y * ex - x * ey)
    return _length(x - along * ex, y - along * ey) * side


def _ring(x: Field, y: Field, rng: PortableRng) -> Field:
    half = rng.between(0.12, 0.21)
    middle: Field = np.abs(_length(x, y) - (0.97 - half))
    return middle - half


def _cross(x: Field, y: Field, rng: PortableRng) -> Field:
    arm, half = rng.between(0.9, 0.96), rng.between(0.2, 0.3)
    return _either(_box(x, y, arm, half), _box(x, y, half, arm))


def _crescent(x: Field, y: Field, rng: PortableRng) -> Field:
    cut, offset = rng.between(0.74, 0.88), rng.between(0.42, 0.54)
    x = x - 0.12
    return _both(_length(x, y) - 0.97, cut - _length(x - offset, y))


def _heart(x: Field, y: Field, rng: PortableRng) -> Field:
    x, y = np.abs(x) * rng.between(0.94, 1.1), y + 0.04
    quarter = 0.34
    lobe = _length(x - quarter, y + quarter) - quarter * 1.4142135623730951
    tip = (x + np.abs(y) - 2 * quarter) * 0.7071067811865476
    return _either(lobe, tip)


def _hexagon(x: Field, y: Field, rng: PortableRng) -> Field:  # noqa: ARG001 -- a shape without proportions to vary
    return _regular(x, y, 6)


def _arrow(x: Field, y: Field, rng: PortableRng) -> Field:
    neck, barb, half = rng.between(-0.05, 0.15), rng.between(0.6, 0.72), rng.between(0.15, 0.22)
    head = _convex(x, y, [(0.97, 0.0), (neck, barb), (neck, -barb)])
    middle = (neck - 0.95 + 0.1) / 2
    return _either(head, _box(x - middle, y, (neck + 0.95 + 0.1) / 2, half))


def _ellipse(x: Field, y: Field, rng: PortableRng) -> Field:
    b = rng.between(0.45, 0.68)
    v = y * (1 / b)
    k = _length(x, v)
    return k * (k - 1) / np.maximum(_length(x, v * (1 / b)), 1e-3)


def _pentagon(x: Field, y: Field, rng: PortableRng) -> Field:  # noqa: ARG001 -- a shape without proportions to vary
    return _regular(x, y, 5)


def _trapezium(x: Field, y: Field, rng: PortableRng) -> Field:
    top, half, lean = rng.between(0.38, 0.56), rng.between(0.38, 0.52), rng.between(-0.12, 0.12)
    return _convex(x, y, [(-top + lean, -half), (top + lean, -half), (0.84, half), (-0.84, half)])


def _half_disc(x: Field, y: Field, rng: PortableRng) -> Field:
    flat = rng.between(-0.12, 0.12)
    y = y - 0.42
    return _both(_length(x, y) - 0.97, y - flat)


def _line(x: Field, y: Field, rng: PortableRng) -> Field:
    return _stroke(x, y, (-1.0, 0.0, 1.0, 0.0), rng.between(0.03, 0.06))


_LETTERS: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    ((-0.55, 0.75, 0, -0.75), (0, -0.75, 0.55, 0.75), (-0.33, 0.2, 0.33, 0.2)),  # A
    ((-0.4, -0.7, -0.4, 0.7), (-0.4, -0.7, 0.45, -0.7), (-0.4, 0, 0.3, 0), (-0.4, 0.7, 0.45, 0.7)),  # E
    ((-0.4, -0.7, -0.4, 0.75), (-0.4, -0.7, 0.45, -0.7), (-0.4, 0, 0.3, 0)),  # F
    ((-0.45, -0.75, -0.45, 0.75), (0.45, -0.75, 0.45, 0.75), (-0.45, 0, 0.45, 0)),  # H
    ((-0.4, -0.75, -0.4, 0.75), (-0.4, 0.15, 0.45, -0.75), (-0.1, -0.1, 0.5, 0.75)),  # K
    ((-0.35, -0.75, -0.35, 0.7), (-0.35, 0.7, 0.5, 0.7)),  # L
    ((-0.6, 0.7, -0.6, -0.7), (-0.6, -0.7, 0, 0.25), (0, 0.25, 0.6, -0.7), (0.6, -0.7, 0.6, 0.7)),  # M
    ((-0.45, 0.75, -0.45, -0.75), (-0.45, -0.75, 0.45, 0.75), (0.45, 0.75, 0.45, -0.75)),  # N
    ((-0.55, -0.75, 0, 0.75), (0, 0.75, 0.55, -0.75)),  # V
    ((-0.5, -0.75, 0, 0.05), (0.5, -0.75, 0, 0.05), (0, 0.05, 0, 0.75)),  # Y
    ((-0.5, -0.7, 0.5, -0.7), (0.5, -0.7, -0.5, 0.7), (-0.5, 0.7, 0.5, 0.7)),  # Z
)


def _letter(x: Field, y: Field, rng: PortableRng) -> Field:
    strokes, half = _LETTERS[rng.whole(len(_LETTERS))], rng.between(0.1, 0.16)
    distance = _stroke(x, y, strokes[0], half)
    for stroke in strokes[1:]:
        distance = _either(distance, _stroke(x, y, stroke, half))
    return distance


TARGETS: dict[str, Shape] = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "ring": _ring,
    "cross": _cross,
    "crescent": _crescent,
    "heart": _heart,
    "hexagon": _hexagon,
    "arrow": _arrow,
}

DISTRACTORS: dict[str, Shape] = {
    "ellipse": _ellipse,
    "pentagon": _pentagon,
    "trapezium": _trapezium,
    "half-disc": _half_disc,
    "line": _line,
    "letter": _letter,
}
