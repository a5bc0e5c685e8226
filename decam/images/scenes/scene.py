"""Pictures with ground truth: one or two objects told apart by shape, among distractors, on a busy ground.

The same seed draws the same picture, bit for bit, on every machine (see decam/images/scenes/rng.py).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.images.scenes import paint, shapes
from decam.images.scenes.rng import Field, PortableRng, clamp, direction

CLASSES: tuple[str, ...] = (
    "disc",
    "square",
    "triangle",
    "star",
    "ring",
    "cross",
    "crescent",
    "heart",
    "hexagon",
    "arrow",
)
SIZE = paint.SIDE

_DISTRACTORS = ("ellipse", "pentagon", "trapezium", "half-disc", "letter", "letter", "line")
_MARGIN = 12  # pixels around a shape that its shadow may need
_COVERED = 0.18  # the largest share of what is seen of an object that one thing in front may hide; two may lie there


@dataclass(frozen=True)
class Scene:
    """A picture (uint8, 128×128×3), its objects' classes, and each object's visible pixels (bool, 128×128)."""

    image: NDArray[np.uint8]
    labels: tuple[int, ...]
    masks: tuple[NDArray[np.bool_], ...]

    @property
    def label(self) -> int:
        """The first object's class, an index into CLASSES."""
        return self.labels[0]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The first object's visible pixels."""
        return self.masks[0]


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    radius: float

    def gap(self, other: "_Place") -> float:
        """How far two places are from touching, as a share of both radii (1: the circles touch)."""
        dx, dy = self.x - other.x, self.y - other.y
        return math.sqrt(dx * dx + dy * dy) / (self.radius + other.radius)


@dataclass(frozen=True)
class _Stamp:
    """A shape ready to be drawn: where, how far each pixel is from its edge, and its surface."""

    rows: slice
    columns: slice
    distance: Field
    surface: Field

    def coverage(self) -> Field:
        return clamp(0.5 - self.distance)


def scene(seed: int, *, labels: tuple[int, ...] | None = None, objects: int = 1) -> Scene:
    """Draws the scene of a seed: 128×128 pixels, one or two objects, each with its class and visible pixels.

    `labels` fixes the classes of the first objects (indices into CLASSES) and may ask for two by naming two;
    the classes not fixed are drawn, all different. Raises SettingError for a negative seed, a class that does
    not exist, the same class twice, or a number of objects other than one or two.
    """
    wanted = _checked(seed, labels, objects)
    rng = PortableRng(seed)
    count = max(objects, len(wanted))
    while len(wanted) < count:
        drawn = rng.whole(len(CLASSES))
        if drawn not in wanted:
            wanted = (*wanted, drawn)

    behind = 1 + rng.whole(4 if count == 1 else 3)
    colours = paint.palette(rng, count + behind + 2)
    tones = list(colours.shapes)
    picture = paint.background(rng, colours.ground)
    light = (2 + rng.whole(3), 3 + rng.whole(4))
    places = _object_places(rng, count)

    taken = list(places)
    for _ in range(behind):
        name = _DISTRACTORS[rng.whole(len(_DISTRACTORS))]
        place = _distractor_place(rng, name, taken)
        taken.append(place)
        _draw(rng, picture, _stamp(rng, shapes.DISTRACTORS[name], place, name == "letter"), tones.pop(), light)

    masks: list[NDArray[np.bool_]] = []
    for label, place in zip(wanted, places, strict=True):
        stamp = _stamp(rng, shapes.TARGETS[CLASSES[label]], place, upright=False)
        _draw(rng, picture, stamp, tones.pop(), light)
        mask = np.zeros((SIZE, SIZE), np.bool_)
        mask[stamp.rows, stamp.columns] = stamp.distance < 0
        masks.append(mask)
    for place in places:
        if rng.chance(0.3):
            _cover(rng, picture, masks, place, tones.pop(), light)

    image = (clamp(picture) * 255 + 0.5).astype(np.uint8)
    return Scene(np.ascontiguousarray(image.transpose(1, 2, 0)), wanted, tuple(masks))


def _checked(seed: int, labels: tuple[int, ...] | None, objects: int) -> tuple[int, ...]:
    if seed < 0:
        raise SettingError(f"The seed of a scene is {seed}, but must be 0 or more: choose another.")
    if objects not in (1, 2):
        raise SettingError(f"A scene has one or two objects, not {objects}: ask for 1 or 2.")
    wanted = () if labels is None else tuple(labels)
    if len(wanted) > 2:
        raise SettingError(f"A scene has one or two objects, not {len(wanted)}: name at most two classes.")
    for label in wanted:
        if not 0 <= label < len(CLASSES):
            raise SettingError(f"Class {label} does not exist: scenes know 0 to {len(CLASSES) - 1}.")
    if len(set(wanted)) < len(wanted):
        raise SettingError(f"Both objects are of class {wanted[0]}: name two different classes.")
    return wanted


def _object_places(rng: PortableRng, count: int) -> list[_Place]:
    """Circles well inside the picture, two of them without overlap."""
    if count == 1:
        return [_inside(rng, rng.between(18, 40))]
    for _ in range(40):
        first, second = _inside(rng, rng.between(17, 30)), _inside(rng, rng.between(17, 30))
        if first.gap(second) >= 1.05:
            return [first, second]
    return [_Place(34, 34, 28), _Place(94, 94, 28)]


def _inside(rng: PortableRng, radius: float) -> _Place:
    low, high = radius + 3, SIZE - radius - 3
    return _Place(rng.between(low, high), rng.between(low, high), radius)


def _distractor_place(rng: PortableRng, name: str, taken: list[_Place]) -> _Place:
    """The roomiest of three places, so that a scene is filled evenly; a line is longer than the rest."""
    best: tuple[float, _Place] | None = None
    for _ in range(3):
        radius = rng.between(30, 64) if name == "line" else rng.between(10, 27)
        place = _Place(rng.between(6, SIZE - 6), rng.between(6, SIZE - 6), radius)
        room = min(place.gap(other) for other in taken)
        if best is None or room > best[0]:
            best = (room, place)
    assert best is not None  # the loop above always fills it
    return best[1]


def _stamp(rng: PortableRng, shape: shapes.Shape, place: _Place, upright: bool) -> _Stamp:
    """A shape at a place, turned by any angle, or by a small one if it has to stay readable."""
    reach = place.radius + _MARGIN
    top, left = max(int(place.y - reach), 0), max(int(place.x - reach), 0)
    bottom, right = min(int(place.y + reach) + 1, SIZE), min(int(place.x + reach) + 1, SIZE)
    cosine, sine = direction(rng.between(-0.09, 0.09) if upright else rng.unit())
    scale = 1 / place.radius
    dx = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - place.x)) * np.float32(scale)
    dy = ((np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - place.y)) * np.float32(scale))[:, None]
    x, y = dx * cosine + dy * sine, dy * cosine - dx * sine
    distance = shape(x, y, rng) * place.radius
    surface = paint.texture(rng, x, y, place.radius)
    return _Stamp(slice(top, bottom), slice(left, right), distance, surface)


def _draw(rng: PortableRng, picture: Field, stamp: _Stamp, tone: paint.Tone, light: tuple[int, int]) -> None:
    """Lays a shape on the picture over its own soft shadow."""
    canvas = picture[:, stamp.rows, stamp.columns]
    across, down = light
    softness = rng.between(4, 9)
    shade = clamp(0.5 - stamp.distance[:-down, :-across] * (1 / softness))
    shade = shade * shade * (3 - 2 * shade) * rng.between(0.15, 0.42)
    canvas[:, down:, across:] *= 1 - shade

    other = tone.shifted(rng.sign() * rng.between(0.05, 0.11), rng.between(-0.06, 0.06))
    colour = paint.mixed(stamp.surface, tone.rgb(), other.rgb())
    if rng.chance(0.35):
        rim = clamp(0.5 - np.abs(stamp.distance + 1.2) + 0.7) * rng.between(0.3, 0.7)
        edge = tone.shifted(-0.12 if tone.lightness > 0.45 else 0.12).rgb()
        for channel, value in zip(colour, edge, strict=True):
            channel += rim * (value - channel)
    canvas += stamp.coverage() * (colour - canvas)


def _cover(
    rng: PortableRng,
    picture: Field,
    masks: list[NDArray[np.bool_]],
    place: _Place,
    tone: paint.Tone,
    light: tuple[int, int],
) -> None:
    """Lays a distractor over a corner of an object and takes what it hides from every mask.

    It moves outwards until it hides little enough; where that takes too long, nothing is laid.
    """
    name = _DISTRACTORS[rng.whole(len(_DISTRACTORS) - 1)]
    radius, (cosine, sine) = rng.between(9, 19), direction(rng.unit())
    away = place.radius * rng.between(0.75, 1.0)
    whole = [int(np.count_nonzero(seen)) for seen in masks]
    for _ in range(4):
        corner = _Place(place.x + cosine * away, place.y + sine * away, radius)
        if not (0 <= corner.x < SIZE and 0 <= corner.y < SIZE):
            return
        stamp = _stamp(rng, shapes.DISTRACTORS[name], corner, name == "letter")
        over = stamp.distance < 0
        hidden = [int(np.count_nonzero(seen[stamp.rows, stamp.columns] & over)) for seen in masks]
        if all(part <= _COVERED * size for part, size in zip(hidden, whole, strict=True)):
            _draw(rng, picture, stamp, tone, light)
            for seen in masks:
                seen[stamp.rows, stamp.columns] &= ~over
            return
        away += radius * 0.35
