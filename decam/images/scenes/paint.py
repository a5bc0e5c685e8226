"""Colours, backgrounds and textures of scenes."""

import math
from dataclasses import dataclass

import numpy as np

from decam.images.scenes.rng import Field, PortableRng, clamp, direction, wave

SIDE = 128
Colour = tuple[float, float, float]

_Y, _X = (np.ascontiguousarray(axis, dtype=np.float32) for axis in np.mgrid[0:SIDE, 0:SIDE] + 0.5)


@dataclass(frozen=True)
class Tone:
    """A colour in OKLCH: lightness 0 … 1, chroma 0 … 0.3, hue in turns (Ottosson, 2020)."""

    lightness: float
    chroma: float
    hue: float

    def shifted(self, lightness: float = 0.0, hue: float = 0.0, chroma: float = 1.0) -> "Tone":
        """The tone with its lightness and hue moved and its chroma scaled."""
        return Tone(min(max(self.lightness + lightness, 0.05), 0.98), self.chroma * chroma, self.hue + hue)

    def lab(self) -> Colour:
        """The tone in OKLab, where distances are what the eye sees."""
        x, y = direction(self.hue)
        return self.lightness, self.chroma * x, self.chroma * y

    def rgb(self) -> Colour:
        """The colour in sRGB, 0 … 1, with as much of its chroma as a screen can show."""
        lightness, a, b = self.lab()
        for _ in range(24):
            red, green, blue = _linear(lightness, a, b)
            if min(red, green, blue) >= 0 and max(red, green, blue) <= 1:
                break
            a, b = a * 0.88, b * 0.88
        return _encoded(red), _encoded(green), _encoded(blue)


def _linear(lightness: float, a: float, b: float) -> Colour:
    long = lightness + 0.3963377774 * a + 0.2158037573 * b
    medium = lightness - 0.1055613458 * a - 0.0638541728 * b
    short = lightness - 0.0894841775 * a - 1.2914855480 * b
    long, medium, short = long * long * long, medium * medium * medium, short * short * short
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _encoded(value: float) -> float:
    """The sRGB curve from square roots alone, within 0.003 of the standard's power."""
    root = math.sqrt(min(max(value, 0.0), 1.0))
    fourth = math.sqrt(root)
    encoded = 0.662002687 * root + 0.684122060 * fourth - 0.323583601 * math.sqrt(fourth)
    return min(max(encoded - 0.0225411470 * root * root, 0.0), 1.0)


@dataclass(frozen=True)
class Palette:
    """Three related tones for the background, and tones for shapes that stand out from it and each other."""

    ground: tuple[Tone, Tone, Tone]
    shapes: tuple[Tone, ...]


# Lightness of the ground, chroma of the ground, lightness of the shapes.
_MOODS = (
    ((0.27, 0.38), (0.03, 0.09), (0.68, 0.92)),
    ((0.33, 0.45), (0.04, 0.11), (0.74, 0.95)),
    ((0.84, 0.95), (0.01, 0.06), (0.36, 0.66)),
    ((0.48, 0.60), (0.04, 0.11), (0.84, 0.97)),
    ((0.64, 0.76), (0.04, 0.11), (0.24, 0.40)),
    ((0.74, 0.86), (0.05, 0.11), (0.30, 0.54)),
)
_HARMONIES = ((0.5, 0.42, 0.58), (0.33, 0.67, 0.5), (0.08, 0.92, 0.5), (0.25, 0.5, 0.75), (0.5, 0.08, 0.58))


def palette(rng: PortableRng, count: int) -> Palette:
    """Background tones and `count` shape tones in a colour harmony."""
    ground_light, ground_chroma, shape_light = _MOODS[rng.whole(len(_MOODS))]
    hue = rng.unit()
    base = Tone(rng.between(*ground_light), rng.between(*ground_chroma), hue)
    toward = 1.0 if base.lightness < sum(shape_light) / 2 else -1.0
    ground = (
        base,
        base.shifted(-toward * rng.between(0.02, 0.09), rng.between(-0.12, 0.12), rng.between(0.8, 1.4)),
        base.shifted(toward * rng.between(0.02, 0.07), rng.between(-0.08, 0.08), rng.between(0.6, 1.5)),
    )
    steps = _HARMONIES[rng.whole(len(_HARMONIES))]
    chosen: list[Tone] = []
    labs = [tone.lab() for tone in ground]
    for _ in range(count):
        best: tuple[float, Tone, Colour] | None = None
        for _ in range(4):
            step = steps[rng.whole(len(steps))] + rng.between(-0.05, 0.05)
            tone = Tone(rng.between(*shape_light), rng.between(0.09, 0.21), hue + step)
            lab = tone.lab()
            apart = min(_square_distance(lab, other) for other in labs)
            if best is None or apart > best[0]:
                best = (apart, tone, lab)
        assert best is not None  # the loop above always fills it
        chosen.append(best[1])
        labs.append(best[2])
    return Palette(ground, tuple(chosen))


def _square_distance(one: Colour, other: Colour) -> float:
    lightness, a, b = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return lightness * lightness + a * a + b * b


def mixed(share: Field, first: Colour, second: Colour) -> Field:
    """Two colours mixed by a field in [0, 1]: 3×H×W."""
    picture = np.empty((3, *share.shape), np.float32)
    for channel, a, b in zip(picture, first, second, strict=True):
        np.multiply(share, np.float32(b - a), out=channel)
        channel += np.float32(a)
    return picture


def background(rng: PortableRng, ground: tuple[Tone, Tone, Tone]) -> Field:
    """A busy but quiet ground: gradient, smooth noise, a pattern, grain; 3×128×128 in [0, 1]."""
    first, second, third = (tone.rgb() for tone in ground)
    cosine, sine = direction(rng.unit())
    slope = (_X - 64) * (cosine / 150) + (_Y - 64) * (sine / 150) + 0.5
    clouds = rng.noise(rng.whole(3), rng.between(0.4, 0.72))
    share = clamp(slope * rng.between(0.4, 1.0) + clouds * rng.between(0.12, 0.4) + 0.1)
    picture = mixed(share, first, second)
    if rng.chance(0.8):
        pattern = _PATTERNS[rng.whole(len(_PATTERNS))](rng, clouds) * rng.between(0.3, 0.85)
        for channel, value in zip(picture, third, strict=True):
            channel += pattern * (value - channel)
    grain = (rng.grain(SIDE) - 0.5) * rng.between(0.01, 0.09)
    picture += grain
    picture += (64 - _Y) * rng.between(0.0, 0.0012)  # light falls from above
    return picture


def _stripes(rng: PortableRng, clouds: Field) -> Field:
    cosine, sine = direction(rng.unit())
    period, warp = rng.between(7, 26), rng.between(0.0, 0.5)
    bands = wave(_X * (cosine / period) + _Y * (sine / period) + clouds * warp)
    return bands if rng.chance(0.5) else clamp((bands - 0.5) * 5 + 0.5)


def _contours(rng: PortableRng, clouds: Field) -> Field:  # noqa: ARG001 -- draws clouds of its own, smoother ones
    lines = wave(rng.noise(rng.whole(2), 0.25) * rng.between(2.0, 4.5))
    return clamp((lines - 0.72) * 5)


def _plaid(rng: PortableRng, clouds: Field) -> Field:
    cosine, sine = direction(rng.unit())
    period, warp = rng.between(12, 34), rng.between(0.0, 0.12)
    u, v = _X * (cosine / period) + _Y * (sine / period), _Y * (cosine / period) - _X * (sine / period)
    drift = clouds * warp
    across = clamp((wave(u + drift) - 0.5) * 6 + 0.5)
    return (across + clamp((wave(v + drift) - 0.5) * 6 + 0.5)) * 0.5


def _specks(rng: PortableRng, clouds: Field) -> Field:  # noqa: ARG001 -- draws clouds of its own, finer ones
    return clamp((rng.noise(3, 0.2) - rng.between(0.1, 0.4)) * 6)


def _weave(rng: PortableRng, clouds: Field) -> Field:
    cosine, sine = direction(rng.unit())
    period = rng.between(5, 13)
    u, v = _X * (cosine / period) + _Y * (sine / period), _Y * (cosine / period) - _X * (sine / period)
    return wave(u + clouds * 0.1) * wave(v + clouds * 0.1)


def _folds(rng: PortableRng, clouds: Field) -> Field:
    return clamp(wave(clouds * rng.between(0.8, 1.8) + _Y * rng.between(-0.02, 0.02)))


_PATTERNS = (_stripes, _stripes, _contours, _plaid, _specks, _weave, _folds)


def texture(rng: PortableRng, x: Field, y: Field, size: float) -> Field:
    """A surface as a field in [0, 1] over unit coordinates of a shape whose radius is `size` pixels."""
    cosine, sine = direction(rng.unit())
    along, across = x * cosine + y * sine, y * cosine - x * sine
    kind = rng.whole(7)
    period = max(rng.between(0.22, 0.5), 5.0 / size)  # in units of the shape, at least five pixels
    if kind <= 1:
        return clamp(along * 0.5 + 0.5)
    if kind == 2:
        return clamp((x * x + y * y) * 0.9)
    if kind == 3:
        return clamp((wave(along * (1 / period)) - 0.5) * 4 + 0.5)
    if kind == 4:
        return clamp((wave(along * (1 / period)) * wave(across * (1 / period)) - 0.4) * 5)
    if kind == 5:
        checks = (wave(along * (0.7 / period)) - 0.5) * (wave(across * (0.7 / period)) - 0.5)
        return clamp(checks * 12 + 0.5)
    return np.zeros_like(x)
