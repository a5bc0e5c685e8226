"""Pictures and arrays as files that are either whole or not there."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from decam.classifier import Pixels
from decam.errors import StoreError
from decam.experiments.history import Frame
from decam.explanation import SOME_ARRAYS, Map, Truth, class_values
from decam.files import npz_bytes, write_atomically
from decam.metrics.base import Curve
from decam.runs.store import traces

THUMBNAIL = 96
_CURVE = ("shares", "values", "top", "top_values")
Arrays = Mapping[str, NDArray[Any]]


class UnwritableError(StoreError):
    """The directory or the disk refuses to be written; what is there may still be readable."""


@contextlib.contextmanager
def as_store_error(doing: str) -> Iterator[None]:
    """Turn the operating system's refusals into an UnwritableError that says what could not be done and why."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UnwritableError(
            f"Cannot {doing}: {reason[0].lower()}{reason[1:]}. Make room or allow writing there, or set DECAM_DATA "
            "to another folder."
        ) from error


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all, on the disk before this returns; raises StoreError."""
    with as_store_error(f"write {path}"):
        write_atomically(path, content)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, what another process has removed meanwhile aside; raises StoreError."""
    with as_store_error(f"remove {path}"):
        while path.exists():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)


def write_view(path: Path, view: Pixels) -> None:
    """Keep a view (H×W×3 uint8) as PNG, without loss."""
    buffer = io.BytesIO()
    Image.fromarray(view).save(buffer, "PNG", compress_level=3)
    write(path, buffer.getvalue())


def read_view(path: Path) -> Pixels:
    """The view kept at `path`; raises StoreError where it is missing or damaged."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise _damaged(path) from error


def write_truth(path: Path, truth: Truth) -> None:
    """Keep a mask (H×W bool) as a black and white PNG."""
    buffer = io.BytesIO()
    Image.fromarray(truth).save(buffer, "PNG")
    write(path, buffer.getvalue())


def read_truth(path: Path) -> Truth:
    """The mask kept at `path`; raises StoreError where it is missing or damaged."""
    return read_view(path)[..., 0] > 0


def thumbnail(view: Pixels) -> bytes:
    """A PNG of the view, at most 96 pixels wide and high."""
    image = Image.fromarray(view)
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Keep named arrays as one compressed NPZ."""
    write(path, npz_bytes(arrays))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays kept at `path`; raises StoreError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error


def write_map(
    path: Path, saliency: Map, frames: Sequence[Frame], *, silent: bool = False, further: Arrays | None = None
) -> None:
    """Keep a final map with the frames that led to it, and whether it holds rounding or chance alone.

    `further` is what `further_arrays` gives of an explanation.
    """
    write_arrays(path, {**_pack_map(saliency, frames), "silent": np.array(silent), **(further or {})})


@dataclass(frozen=True)
class KeptMap:
    """A map's file: the map (H×W), the frames that led to it, whether it is silent, and what some maps alone have.

    `further` are arrays of its explanation by the names of their fields; `of_class` is what a class's map has more.
    """

    saliency: Map
    frames: tuple[Frame, ...]
    silent: bool
    further: dict[str, Map]
    of_class: dict[str, Any] | None


def read_map(path: Path) -> KeptMap:
    """What is kept of a map at `path`; raises StoreError where it is missing or damaged.

    Files of earlier versions do not say whether a map is silent, and count as not silent.
    """
    arrays = read_arrays(path)
    try:
        further = {name: arrays[name] for name in SOME_ARRAYS if name in arrays}
        return KeptMap(*_unpack_map(arrays), bool(arrays.get("silent", False)), further, class_values(arrays))
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(path) from error


def write_curve(path: Path, curve: Curve) -> None:
    """Keep a metric's curve."""
    there = {name: getattr(curve, name) for name in _CURVE}
    write_arrays(path, {name: array for name, array in there.items() if array is not None})


def read_curve(path: Path, metric: str) -> Curve:
    """The curve kept at `path`; raises StoreError where it is missing or damaged.

    A file of the first version holds both curves of a pair of fills, of which `metric` names one.
    """
    arrays = read_arrays(path)
    if f"{metric}_shares" in arrays:
        former = {"values": "probabilities", "top_values": "top_probabilities"}
        arrays = {name: arrays[f"{metric}_{former.get(name, name)}"] for name in _CURVE}
    try:
        return Curve(arrays["shares"], arrays["values"], arrays.get("top"), arrays.get("top_values"))
    except KeyError as error:
        raise _damaged(path) from error


def _pack_map(saliency: Map, frames: Sequence[Frame]) -> Arrays:
    """A final map with the frames that led to it, as named arrays.

    Masks and maps of the frames are stacked; `frame_…_at` says to which frame each belongs. Curves are a table with
    one row a frame, not a number where a frame has no such value.
    """
    names = sorted({name for frame in frames for name in frame.curves})
    table = [[frame.curves.get(name, np.nan) for name in names] for frame in frames]
    arrays: dict[str, NDArray[Any]] = {
        "saliency": saliency,
        "frame_evaluations": np.array([frame.evaluations for frame in frames], dtype=np.int64),
        "frame_ranges": np.array([(frame.low, frame.high) for frame in frames], dtype=np.float64).reshape(-1, 2),
        "frame_curves": np.array(table, dtype=np.float64).reshape(len(frames), len(names)),
        "curve_names": np.array(json.dumps(names)),
    }
    for kind, pictures in (
        ("mask", [frame.mask for frame in frames]),
        ("saliency", [frame.saliency for frame in frames]),
        ("pattern", [frame.pattern for frame in frames]),
    ):
        there = [(place, picture) for place, picture in enumerate(pictures) if picture is not None]
        for shape in sorted({picture.shape for _, picture in there}):
            same = [(place, picture) for place, picture in there if picture.shape == shape]
            name = f"frame_{kind}_{'x'.join(map(str, shape))}"
            arrays[name] = np.stack([picture for _, picture in same])
            arrays[f"{name}_at"] = np.array([place for place, _ in same], dtype=np.int64)
    return arrays | traces.pack(frames)


def _unpack_map(arrays: Arrays) -> tuple[Map, tuple[Frame, ...]]:
    """What `_pack_map` packed."""
    names: list[str] = json.loads(str(arrays["curve_names"]))
    pictures: dict[str, dict[int, Pixels]] = {"mask": {}, "saliency": {}, "pattern": {}}
    for name, stack in arrays.items():
        parts = name.split("_")
        if len(parts) == 3 and parts[0] == "frame" and parts[1] in pictures:
            pictures[parts[1]].update(zip(arrays[f"{name}_at"].tolist(), stack, strict=True))
    traced = traces.unpack(arrays)
    rows = zip(arrays["frame_evaluations"], arrays["frame_curves"], arrays["frame_ranges"], strict=True)
    frames = tuple(
        Frame(
            evaluations=int(evaluations),
            curves={name: float(value) for name, value in zip(names, values, strict=True) if not np.isnan(value)},
            mask=pictures["mask"].get(place),
            saliency=pictures["saliency"].get(place),
            pattern=pictures["pattern"].get(place),
            low=float(limits[0]),
            high=float(limits[1]),
            trace=traced.get(place),
        )
        for place, (evaluations, values, limits) in enumerate(rows)
    )
    return arrays["saliency"], frames


def _damaged(path: Path) -> StoreError:
    return StoreError(f"{path} is missing or damaged; this part of the run is lost, run it again.")
