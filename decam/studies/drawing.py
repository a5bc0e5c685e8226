"""How a study's maps are drawn: all of them in one manner, from the frozen arrays, as often as the design changes."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import rankdata

from decam.classifier import Pixels
from decam.explanation import Map
from decam.figures import overlays
from decam.metrics.scales import Limits, cleaned, limits_of
from decam.studies import frozen
from decam.studies.design import Display, FrozenMap, Stimulus, Study, StudyError
from decam.studies.frozen import FrozenArray


def ranks(saliency: Map) -> Map:
    """The share of values that lie below each value, from 0 for the lowest to 1 for the highest; H×W.

    Equal values share the lowest of their ranks, so that what a map leaves at zero is drawn darkest. A constant map is
    0 throughout. A value that is not a number counts as the lowest.
    """
    values = cleaned(saliency)
    if values.size < 2:
        return np.zeros(values.shape, np.float32)
    lower = rankdata(values, method="min") - 1
    shares: Map = (lower / (values.size - 1)).reshape(values.shape).astype(np.float32)
    return shares


def scaled(array: FrozenArray, scale: str) -> tuple[Map, Limits]:
    """A map as it is drawn, with the values at the two ends of its colours.

    By "rank" the ends are 0 and 1. By "limits" they are the map's own lowest value and the 99th percentile; of a signed
    map what speaks against the class is as dark as what says nothing. All methods share one table of colours: a second
    one for signed maps would tell participants which method they see.
    """
    if array.silent:
        return np.zeros(array.saliency.shape, np.float32), overlays.FLAT
    if scale == "rank":
        return ranks(array.saliency), (0.0, 1.0)
    _, high = limits_of(array.saliency, array.signed)
    low = 0.0 if array.signed else limits_of(array.saliency, signed=False)[0]
    return array.saliency, (low, high)


def _overlay(view: Pixels, saliency: Map, limits: Limits, display: Display) -> Pixels:
    return overlays.overlay(view, saliency, colours=display.colours, opacity=display.opacity, limits=limits)


def _map(view: Pixels, saliency: Map, limits: Limits, display: Display) -> Pixels:
    height, width = view.shape[:2]
    return overlays.alone(saliency, (height, width), colours=display.colours, limits=limits)


def _masked(view: Pixels, saliency: Map, limits: Limits, _display: Display) -> Pixels:
    return overlays.masked(view, saliency, limits=limits)


_VIEWS: Mapping[str, Callable[[Pixels, Map, Limits, Display], Pixels]] = {
    "overlay": _overlay,
    "map": _map,
    "masked": _masked,
}
"""What a participant sees of a map, by the names that `Display.view` may have."""


def enlarged(view: Pixels, size: int) -> Pixels:
    """A picture with the longer side of `size` pixels, H×W×3 uint8."""
    height, width = view.shape[:2]
    factor = size / max(height, width)
    target = (max(1, round(width * factor)), max(1, round(height * factor)))
    if target == (width, height):
        return view
    return np.asarray(Image.fromarray(view).resize(target, Image.Resampling.LANCZOS), dtype=np.uint8)


def drawn(view: Pixels, array: FrozenArray, display: Display) -> Pixels:
    """A map over, or in place of, a picture of the display's size; H×W×3 uint8."""
    saliency, limits = scaled(array, display.scale)
    return _VIEWS[display.view](view, saliency, limits, display)


def keep_picture(folder: Path, pixels: Pixels) -> str:
    """Keep a picture as PNG; its digest."""
    return frozen.keep(folder, overlays.png_bytes(pixels), frozen.PICTURE)


def read_picture(folder: Path, digest: str) -> Pixels:
    """A kept picture, H×W×3 uint8; raises StudyError where its file is missing or changed."""
    with Image.open(io.BytesIO(frozen.read(folder, digest, frozen.PICTURE))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def redrawn(study: Study, display: Display, folder: Path) -> Study:
    """The study with all pictures and maps drawn anew from what was frozen; no run is needed.

    Raises StudyError where a frozen file is missing or changed.
    """
    stimuli = tuple(_redrawn(stimulus, display, folder) for stimulus in study.stimuli)
    return dataclasses.replace(study, display=display, stimuli=stimuli)


def _redrawn(stimulus: Stimulus, display: Display, folder: Path) -> Stimulus:
    if not stimulus.view:
        raise StudyError(f"{stimulus.name} cannot be drawn again: its picture was not kept. Choose it anew from a run.")
    view = enlarged(read_picture(folder, stimulus.view), display.size)
    maps = tuple(_redrawn_map(one, view, display, folder) for one in stimulus.maps)
    height, width = view.shape[:2]
    return dataclasses.replace(stimulus, image=keep_picture(folder, view), width=width, height=height, maps=maps)


def _redrawn_map(one: FrozenMap, view: Pixels, display: Display, folder: Path) -> FrozenMap:
    pixels = drawn(view, frozen.read_array(folder, one.array), display)
    return dataclasses.replace(one, image=keep_picture(folder, pixels))
