"""A study's maps drawn in one manner, from the frozen arrays, as often as the design changes."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from decam.classifier import Pixels
from decam.figures import overlays
from decam.figures.stimulus import SHARED, Display, RawMap, drawn, enlarged, shared_ends
from decam.metrics.scales import Limits
from decam.studies import frozen
from decam.studies.design import FrozenMap, Stimulus, Study, StudyError

Ends = Mapping[str, Limits]
"""The ends of the colours of all maps of a condition, by the conditions' keys; empty where each map has its own."""


def keep_picture(folder: Path, pixels: Pixels) -> str:
    """Keep a picture as PNG; its digest."""
    return frozen.keep(folder, overlays.png_bytes(pixels), frozen.PICTURE)


def read_picture(folder: Path, digest: str) -> Pixels:
    """A kept picture, H×W×3 uint8; raises StudyError where its file is missing or changed."""
    with Image.open(io.BytesIO(frozen.read(folder, digest, frozen.PICTURE))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def ends_by_condition(maps: Iterable[tuple[FrozenMap, RawMap]], display: Display) -> Ends:
    """Between which values the colours of each condition's maps run, where the display wants them shared."""
    if display.scale != SHARED:
        return {}
    found: dict[str, list[RawMap]] = {}
    for one, raw in maps:
        found.setdefault(one.condition, []).append(raw)
    return {condition: shared_ends(raws) for condition, raws in found.items()}


def redrawn(study: Study, display: Display, folder: Path) -> Study:
    """The study with all pictures and maps drawn anew from what was frozen; no run is needed.

    Raises StudyError where a frozen file is missing or changed.
    """
    ends = _ends(study.stimuli, display, folder)
    stimuli = tuple(_redrawn(stimulus, display, folder, ends) for stimulus in study.stimuli)
    return dataclasses.replace(study, display=display, stimuli=stimuli)


def _ends(stimuli: Sequence[Stimulus], display: Display, folder: Path) -> Ends:
    maps = [one for stimulus in stimuli for one in stimulus.maps] if display.scale == SHARED else []
    return ends_by_condition(((one, frozen.read_array(folder, one.array)) for one in maps), display)


def _redrawn(stimulus: Stimulus, display: Display, folder: Path, ends: Ends) -> Stimulus:
    if not stimulus.view:
        raise StudyError(f"{stimulus.name} cannot be drawn again: its image was not kept. Choose it anew from a run.")
    view = enlarged(read_picture(folder, stimulus.view), display.size)
    maps = tuple(_redrawn_map(one, view, display, folder, ends) for one in stimulus.maps)
    height, width = view.shape[:2]
    return dataclasses.replace(stimulus, image=keep_picture(folder, view), width=width, height=height, maps=maps)


def _redrawn_map(one: FrozenMap, view: Pixels, display: Display, folder: Path, ends: Ends) -> FrozenMap:
    pixels = drawn(view, frozen.read_array(folder, one.array), display, ends.get(one.condition))
    return dataclasses.replace(one, image=keep_picture(folder, pixels))
