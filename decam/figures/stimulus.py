"""Maps as people in a study see them: all of a set in one manner, without text, in a size of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from decam.classifier import Pixels
from decam.explanation import Map, Truth
from decam.figures import overlays
from decam.figures.colours import SEQUENTIAL
from decam.figures.overlays import MID_GREY
from decam.metrics.scales import Limits, cleaned, limits_of, ranks
from decam.settings import Settings, parameter

AREA = "area"
SHARED = "method"
_TIES = 20220908  # any number will do that stays the same


@dataclass(frozen=True)
class RawMap:
    """A map's own values: float32, H×W, never rescaled.

    `signed` says that negative values speak against the class; `silent` that the map holds rounding or chance alone.
    """

    saliency: Map
    signed: bool = False
    silent: bool = False


@dataclass(frozen=True)
class Display(Settings):
    """How all maps of a study are drawn: in one manner, so that methods differ in their maps alone."""

    view: str = parameter(
        "overlay",
        "What participants see of a map: over the image, by itself, only the places where it is high, or the same "
        "area of each map, with the rest covered.",
        choices=("overlay", "map", "masked", AREA),
    )
    colours: str = parameter(
        "cividis", "The colour table; all of them are safe for colour-blind readers.", choices=SEQUENTIAL
    )
    opacity: float = parameter(0.6, "How much of the map covers the image.", low=0.1, high=1.0, step=0.05)
    scale: str = parameter(
        "rank",
        "How values become colours: by their rank, which treats all methods alike, between the map's own limits, or "
        "between the same limits for all maps of a method.",
        choices=("rank", "limits", SHARED),
    )
    size: int = parameter(448, "The longer side of a stimulus, in pixels.", low=128, high=1024, step=32)
    area: int = parameter(
        10, "Of the view 'area': how much of the image is shown, in per cent.", low=1, high=99, step=1
    )


def ends_of(raw: RawMap, scale: str) -> Limits:
    """The values at the two ends of a map's colours; by "rank" these are 0 and 1.

    Else they are the map's own lowest value and the 99th percentile. Of a signed map what speaks against the class is
    as dark as what says nothing. All methods share one table of colours: a second one for signed maps would tell
    participants which method they see.
    """
    if raw.silent:
        return overlays.FLAT
    if scale == "rank":
        return (0.0, 1.0)
    low, high = limits_of(raw.saliency, raw.signed)
    return (0.0 if raw.signed else low, high)


def shared_ends(maps: Iterable[RawMap]) -> Limits:
    """The ends of several maps together, so that equal colours mean equal values; flat ones are left out."""
    ends = [ends_of(raw, SHARED) for raw in maps if not raw.silent]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else overlays.FLAT


def scaled(raw: RawMap, scale: str, shared: Limits | None = None) -> tuple[Map, Limits]:
    """A map as it is drawn, with the values at the two ends of its colours: its own, or the `shared` ones."""
    ends = ends_of(raw, scale)
    if raw.silent:
        return np.zeros(raw.saliency.shape, np.float32), ends
    if scale == "rank":
        return ranks(raw.saliency), ends
    return raw.saliency, shared if scale == SHARED and shared is not None else ends


def shown_places(raw: RawMap, size: tuple[int, int], share: float) -> Truth:
    """The highest places of a map at the size (H, W), exactly round(share × H × W) of them.

    Equal values are taken in an order drawn by chance, the same for all maps of this size. A silent map says nothing
    of any place, so that all its places are equal.
    """
    values = np.zeros(size) if raw.silent else cleaned(overlays.upsampled(cleaned(raw.saliency), size))
    drawn_by_chance = np.random.PCG64(_TIES).random_raw(values.size)
    order = np.lexsort((drawn_by_chance, -values.reshape(-1)))
    found = np.zeros(values.size, np.bool_)
    found[order[: round(share * values.size)]] = True
    return found.reshape(size)


def area_of(pixels: Pixels) -> float:
    """Of a stimulus with the view "area": the share of pixels that are not covered, in [0, 1]."""
    return float((pixels != np.array(MID_GREY, np.uint8)).any(axis=-1).mean())


def enlarged(view: Pixels, size: int) -> Pixels:
    """A picture with the longer side of `size` pixels, H×W×3 uint8."""
    height, width = view.shape[:2]
    factor = size / max(height, width)
    target = (max(1, round(width * factor)), max(1, round(height * factor)))
    if target == (width, height):
        return view
    return np.asarray(Image.fromarray(view).resize(target, Image.Resampling.LANCZOS), dtype=np.uint8)


def drawn(view: Pixels, raw: RawMap, display: Display, shared: Limits | None = None) -> Pixels:
    """A map over, or in place of, a picture of the display's size; H×W×3 uint8.

    `shared` are the ends of all maps of the method, which `shared_ends` finds; without them the map's own hold.
    """
    return _VIEWS[display.view](view, raw, display, shared)


def _overlay(view: Pixels, raw: RawMap, display: Display, shared: Limits | None) -> Pixels:
    saliency, limits = scaled(raw, display.scale, shared)
    return overlays.overlay(view, saliency, colours=display.colours, opacity=display.opacity, limits=limits)


def _map(view: Pixels, raw: RawMap, display: Display, shared: Limits | None) -> Pixels:
    saliency, limits = scaled(raw, display.scale, shared)
    height, width = view.shape[:2]
    return overlays.alone(saliency, (height, width), colours=display.colours, limits=limits)


def _masked(view: Pixels, raw: RawMap, display: Display, shared: Limits | None) -> Pixels:
    saliency, limits = scaled(raw, display.scale, shared)
    return overlays.masked(view, saliency, limits=limits)


def _area(view: Pixels, raw: RawMap, display: Display, _shared: Limits | None) -> Pixels:
    height, width = view.shape[:2]
    cover = np.array(MID_GREY, np.uint8)
    # A shown pixel of exactly the cover's grey turns a step bluer, so that the area can be counted in the file.
    beneath = np.where((view == cover).all(axis=-1, keepdims=True), cover + np.array([0, 0, 1], np.uint8), view)
    shown = shown_places(raw, (height, width), display.area / 100)
    pixels: Pixels = np.where(shown[..., None], beneath, cover).astype(np.uint8)
    return pixels


APPLIES: Mapping[str, tuple[str, ...]] = {
    "overlay": ("colours", "opacity", "scale"),
    "map": ("colours", "scale"),
    "masked": ("scale",),
    AREA: ("area",),
}
"""The settings that change what a view shows, beside its size, by the names that `Display.view` may have."""
_VIEWS: Mapping[str, Callable[[Pixels, RawMap, Display, Limits | None], Pixels]] = {
    "overlay": _overlay,
    "map": _map,
    "masked": _masked,
    AREA: _area,
}
"""What a participant sees of a map, by the names that `Display.view` may have."""
