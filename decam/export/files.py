"""The files of an export: overlays, raw maps, curves, metrics and settings, by themselves or as one ZIP."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import fingerprint
from decam.experiments.plan_json import plan_to_json
from decam.explanation import ClassExplanation, Explanation, Map, further_arrays
from decam.export.backdoors import suspicions_csv
from decam.export.names import Look, method_names, picture_names, question_names
from decam.export.tables import curves_csv, metrics_csv
from decam.figures.overlays import FLAT, overlay, png_bytes
from decam.files import npz_bytes
from decam.methods import described
from decam.methods.class_level.display import shown
from decam.metrics.scales import Limits, shared_limits

KIND = "decam export"
FORMAT = 2  # the first named a map by its picture, where now a question is named
SETTINGS = "settings.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold: the same export gives the same bytes

README = """\
This folder holds saliency maps made with decam.

pictures/      each picture as the model saw it
overlays/      each method's map over its picture, in colour; where a map has both signs, orange is for the class and
               blue against it
maps/          the same maps as raw float32 numbers for numpy.load, never rescaled, with class, seed and cost;
               rank_errors, where a map says how sure it is: the standard error of each place's rank, as a share
patterns/      the map of each class that was asked about without a picture, grey where it is zero
truths/        where the object is in a picture, if that is known
metrics.csv    one line for each map, with a column for each metric, evaluations (images through the model) and seconds
curves.csv     one line for each point of each metric's curves: for deletion and insertion, the model's answer while
               pixels are hidden or shown in the order of the map
backdoors.csv  how oddly cheap each class of a model is, where a search for a backdoor was made
settings.json  all settings, seeds and versions

Colours leave out the top 1 % of a map's values, unless the grid showed extremes. The values at both ends of the colours
are in settings.json under "colours". Two zeros there belong to a map of mere rounding or chance, which is drawn flat.

In both tables, a text that a spreadsheet would take for a formula has an apostrophe before it.

"python -m decam replay settings.json" makes the same maps again and compares the two.
"""


def files(grid: Grid, look: Look | None = None, created: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file of the export as (name with forward slashes, bytes); settings.json, which lists them, comes last.

    What is finished of the grid is exported. `created` says when its run was made, as text.
    """
    names: list[str] = []
    for name, content in _all_but_settings(grid, look or Look()):
        names.append(name)
        yield name, content
    yield SETTINGS, _json(_settings(grid, look or Look(), [*names, SETTINGS], created))


def zip_bytes(grid: Grid, look: Look | None = None, created: str = "") -> bytes:
    """The export as one ZIP file, the same bytes for the same grid."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files(grid, look, created):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def map_bytes(explanation: Explanation, name: str) -> bytes:
    """A raw map with all that belongs to it, as an NPZ file that loads without pickle.

    `name` is its picture's, empty for the map of a class.
    """
    return npz_bytes(
        {
            "saliency": explanation.saliency.astype(np.float32, copy=False),
            "picture": np.array(name),
            "method": np.array(explanation.method),
            "target": np.array(explanation.target),
            "label": np.array(explanation.label),
            "probability": np.array(explanation.probability, dtype=np.float32),
            "settings": np.array(json.dumps(explanation.settings.to_mapping())),
            "seed": np.array(explanation.seed),
            "evaluations": np.array(explanation.evaluations),
            "seconds": np.array(explanation.seconds),
            "silent": np.array(explanation.silent),
            **further_arrays(explanation),
        }
    )


def map_fingerprint(saliency: Map) -> str:
    """The SHA-256 of a map's float32 values, little-endian, rows first."""
    return hashlib.sha256(np.ascontiguousarray(saliency, dtype="<f4").tobytes()).hexdigest()


def _finished(grid: Grid) -> dict[CellKey, Explanation]:
    return {key: cell.explanation for key, cell in sorted(grid.cells.items()) if cell.explanation is not None}


def _map_name(grid: Grid, key: CellKey) -> str:
    return f"{question_names(grid.plan)[key.question]}_{method_names(grid.plan)[key.method]}"


def _all_but_settings(grid: Grid, look: Look) -> Iterator[tuple[str, bytes]]:
    pictures = picture_names(grid.plan)
    yield "README.txt", README.encode()
    yield "metrics.csv", metrics_csv(grid)
    yield "curves.csv", curves_csv(grid)
    if (anomalies := suspicions_csv(grid)) is not None:
        yield "backdoors.csv", anomalies
    for name, view in zip(pictures, grid.views, strict=True):
        yield f"pictures/{name}.png", png_bytes(view)
    for name, truth in zip(pictures, grid.truths, strict=False):
        if truth is not None:
            yield f"truths/{name}.png", png_bytes(np.where(truth, 255, 0).astype(np.uint8))
    limits = _limits(grid, look)
    for key, explanation in _finished(grid).items():
        name = _map_name(grid, key)
        if isinstance(explanation, ClassExplanation):
            yield f"patterns/{name}.png", png_bytes(shown(explanation.map))
            yield f"maps/{name}.npz", map_bytes(explanation, "")
            continue
        drawn = overlay(
            grid.view_of(key.question),
            explanation.saliency,
            signed=described(explanation.method).signed,
            colours=look.colours,
            opacity=look.opacity,
            limits=limits[key],
        )
        yield f"overlays/{name}.png", png_bytes(drawn)
        yield f"maps/{name}.npz", map_bytes(explanation, grid.plan.picture_of(key.question).name)


def _limits(grid: Grid, look: Look) -> dict[CellKey, Limits]:
    """The scale of each overlay; a shared one holds for all pictures of a method, since methods differ in units."""
    limits = {}
    finished = _finished(grid)
    for key, explanation in finished.items():
        signed = described(explanation.method).signed
        alike = [other.saliency for place, other in finished.items() if place.method == key.method and not other.silent]
        maps = alike if look.shared else [explanation.saliency]
        limits[key] = FLAT if explanation.silent else shared_limits(maps, signed, extremes=look.extremes)
    return limits


def _settings(grid: Grid, look: Look, names: Sequence[str], created: str) -> dict[str, Any]:
    """All that a replay needs, as JSON, and between which values each overlay's colours run."""
    limits = _limits(grid, look)
    choices = zip(grid.plan.pictures, grid.views, strict=True)
    pictures = tuple(dataclasses.replace(choice, sha256=fingerprint(view)) for choice, view in choices)
    plan = dataclasses.replace(grid.plan, pictures=pictures)
    maps = [
        {
            "question": key.question,
            "method": key.method,
            "file": f"maps/{_map_name(grid, key)}.npz",
            "target": explanation.target,
            "label": explanation.label,
            "seed": explanation.seed,
            "sha256": map_fingerprint(explanation.values),
            "colours": list(limits[key]),
        }
        for key, explanation in _finished(grid).items()
    ]
    return {
        "kind": KIND,
        "format": FORMAT,
        "created": created,
        "threads": torch.get_num_threads(),
        "plan": json.loads(plan_to_json(plan)),
        "pictures": [f"pictures/{name}.png" for name in picture_names(plan)],
        "maps": maps,
        "failed": [
            {"question": key.question, "method": key.method, "sentence": cell.error}
            for key, cell in sorted(grid.cells.items())
            if cell.error
        ],
        "files": list(names),
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
