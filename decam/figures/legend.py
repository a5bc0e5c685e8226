"""What the colours of a map stand for, in words and numbers: the same on the pages, in exports and in lists.

`components/grid/grid_draw.js` says the same in the browser, where the scale is changed without asking the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decam.explanation import Map
from decam.figures.colours import DIVERGING, SEQUENTIAL, table_for
from decam.figures.overlays import FLAT
from decam.metrics.scales import CLIPPED, Limits, limits_of, ranks
from decam.numerals import minus
from decam.shares import percent

MOST_DIGITS = 7  # of a float32
SILENT = "Flat: no evidence"
CLIPPING = f"top {percent(CLIPPED, 0)} clipped"
BY_RANK = {False: "by rank: 0 to 100 %", True: "by rank of |value|: ±100 %"}
"""What stands in the place of a scale's ends where each value is drawn by the share of values below it."""
BARE = "the bare image"
ENDS = {
    "cividis": ("dark blue", "yellow"),
    "viridis": ("violet", "yellow"),
    "magma": ("black", "pale yellow"),
    DIVERGING: ("blue", "orange"),
}
"""The colours of the lowest and the highest value, by the table."""


@dataclass(frozen=True)
class Scale:
    """A map as it is drawn: its values (H×W), the values at the two ends of its colours, and these ends in words."""

    values: Map
    limits: Limits
    text: str


def scale_of(
    saliency: Map,
    signed: bool,
    *,
    silent: bool = False,
    by_rank: bool = False,
    extremes: bool = False,
    limits: Limits | None = None,
) -> Scale:
    """How a map is drawn: between its own limits or those given, or by the ranks of its values; a silent one flat."""
    if silent:
        return Scale(saliency, FLAT, SILENT)
    if by_rank:
        values = ranks(saliency, signed)
        return Scale(values, (-1.0, 1.0) if signed else (0.0, 1.0), BY_RANK[signed] if np.ptp(values) else SILENT)
    ends = limits or limits_of(saliency, signed, extremes=extremes)
    return Scale(saliency, ends, scale_text(saliency, signed, ends))


def value_text(value: float, digits: int = 3) -> str:
    """A value in few digits, with a real minus; in powers of ten below 0.001 and from 10000 on."""
    size = abs(value)
    if size and (size < 0.001 or size >= 10_000):
        places = digits - 1 if digits > 3 else 1
        mantissa, power = f"{_rounded(value, places + 1):.{places}e}".split("e")
        return minus(f"{mantissa}e{int(power):+d}")
    if size >= 10**digits:
        return minus(f"{Decimal(value).quantize(Decimal(1), ROUND_HALF_UP)}")
    rounded = _rounded(value, digits)
    places = max(0, digits - 1 - (rounded.adjusted() if rounded else 0))
    return minus(f"{rounded:.{places}f}")


def limit_text(value: float, limits: Limits, digits: int = 2) -> str:
    """An end of a scale in at least so many digits, so many that rounding takes at most a quarter of its width away."""
    low, high = limits
    if abs(value) < 0.001 * (high - low):
        return "0"
    while digits < MOST_DIGITS and any(_lost(end, digits) > (high - low) / 4 for end in limits):
        digits += 1
    return value_text(value, digits)


def limits_text(limits: Limits, signed: bool, clipped: bool) -> str:
    """Between which values colours run: "±0.21, top 1 % clipped"."""
    low, high = limits
    ends = f"±{value_text(high, 2)}" if signed else f"{limit_text(low, limits)} to {limit_text(high, limits)}"
    return f"{ends}, {CLIPPING}" if clipped else ends


def scale_text(saliency: NDArray[Any], signed: bool, limits: Limits) -> str:
    """What the ends of a map's colours stand for; limits without a width belong to a silent map or a constant one."""
    low, high = limits
    if high <= low:
        return SILENT
    finite = saliency[np.isfinite(saliency)]
    return limits_text(limits, signed, bool(finite.size and (finite.min() < low or finite.max() > high)))


def meaning(colours: str, signed: bool, label: str, *, bare: bool = True) -> str:
    """What the colours say of a class: "Pale yellow speaks most for lynx, the bare picture least".

    `bare` says that the map lies over the picture, which its lowest values leave bare; alone they have a colour.
    """
    low, high = ENDS[table_for(colours, signed)]
    if signed:
        return f"{high.capitalize()} speaks for {label}, {low} against it"
    return f"{high.capitalize()} speaks most for {label}, {BARE if bare else low} least"


def explained() -> str:
    """What colours say on a page that shows many overlays, each with its own scale."""
    unsigned, signed = (meaning(table, table == DIVERGING, "the class") for table in (SEQUENTIAL[0], DIVERGING))
    return f"Each map has its own scale, {CLIPPING}. {unsigned}. In signed maps, {signed[0].lower()}{signed[1:]}."


def _lost(value: float, digits: int) -> float:
    """By how much `value_text` misses a value."""
    return abs(float(value_text(value, digits).replace("−", "-")) - value)


def _rounded(value: float, digits: int) -> Decimal:
    return Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(Decimal(value))
