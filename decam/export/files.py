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

from decam.experiments.events import Cell
from decam.experiments.plan import fingerprint
from decam.explanation import Explanation, Map
from decam.export.result import Look, Result, method_names, picture_names
from decam.export.tables import curves_csv, metrics_csv
from decam.figures.overlays import FLAT, overlay, png_bytes
from decam.methods import METHODS
from decam.metrics.scales import Limits, shared_limits

KIND = "decam export"
FORMAT = 1
SETTINGS = "settings.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold: the same export gives the same bytes

README = """\
This folder holds a comparison of saliency methods made with decam. pictures/ has each picture as the model saw it; \
overlays/ has each method's map over it, in colour (blue for against, orange for in favour of the class where a map \
has both signs), the top 1 % of the values clipped unless the grid showed extremes: settings.json has the values at \
both ends under "colours", two zeros for a map of rounding or chance, which is drawn flat; maps/ has the same maps \
as raw float32 numbers for numpy.load, never rescaled, with their class, seed and cost; curves.csv has what the \
model answered while pixels were hidden (deletion) or shown (insertion) in the order of each map; metrics.csv has \
the areas under these curves, lower being better for deletion and higher for insertion, and the other metrics that \
were asked for, beside evaluations (images through the model) and seconds; in both, a text that a spreadsheet would \
take for a formula has an apostrophe before it; truths/, where it is there, says where \
the classes are in the pictures; settings.json has all settings, seeds and versions. "python -m decam replay \
settings.json" makes the same maps again and compares them with these.
"""


def files(result: Result, look: Look | None = None) -> Iterator[tuple[str, bytes]]:
    """Every file of the export as (name with forward slashes, bytes); settings.json, which lists them, comes last."""
    names: list[str] = []
    for name, content in _all_but_settings(result, look or Look()):
        names.append(name)
        yield name, content
    yield SETTINGS, _json(_settings(result, look or Look(), [*names, SETTINGS]))


def zip_bytes(result: Result, look: Look | None = None) -> bytes:
    """The export as one ZIP file, the same bytes for the same result."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files(result, look):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def map_bytes(explanation: Explanation, name: str) -> bytes:
    """A raw map with all that belongs to it, as an NPZ file that loads without pickle."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        saliency=explanation.saliency.astype(np.float32, copy=False),
        picture=np.array(name),
        method=np.array(explanation.method),
        target=np.array(explanation.target),
        label=np.array(explanation.label),
        probability=np.array(explanation.probability, dtype=np.float32),
        settings=np.array(json.dumps(explanation.settings.to_mapping())),
        seed=np.array(explanation.seed),
        evaluations=np.array(explanation.evaluations),
        seconds=np.array(explanation.seconds),
        silent=np.array(explanation.silent),
    )
    return buffer.getvalue()


def map_fingerprint(saliency: Map) -> str:
    """The SHA-256 of a map's float32 values, little-endian, rows first."""
    return hashlib.sha256(np.ascontiguousarray(saliency, dtype="<f4").tobytes()).hexdigest()


def _all_but_settings(result: Result, look: Look) -> Iterator[tuple[str, bytes]]:
    pictures, methods = picture_names(result.plan), method_names(result.plan)
    yield "README.txt", README.encode()
    yield "metrics.csv", metrics_csv(result)
    yield "curves.csv", curves_csv(result)
    for name, view in zip(pictures, result.views, strict=True):
        yield f"pictures/{name}.png", png_bytes(view)
    for name, truth in zip(pictures, result.truths, strict=False):
        if truth is not None:
            yield f"truths/{name}.png", png_bytes(np.where(truth, 255, 0).astype(np.uint8))
    limits = _limits(result, look)
    for cell, explanation in sorted(result.explanations.items()):
        name = f"{pictures[cell.picture]}_{methods[cell.method]}"
        drawn = overlay(
            result.views[cell.picture],
            explanation.saliency,
            signed=METHODS[explanation.method].signed,
            colours=look.colours,
            opacity=look.opacity,
            limits=limits[cell],
        )
        yield f"overlays/{name}.png", png_bytes(drawn)
        yield f"maps/{name}.npz", map_bytes(explanation, result.plan.pictures[cell.picture].name)


def _limits(result: Result, look: Look) -> dict[Cell, Limits]:
    """The scale of each overlay; a shared one holds for all pictures of a method, since methods differ in units."""
    limits = {}
    for cell, explanation in result.explanations.items():
        signed = METHODS[explanation.method].signed
        alike = [
            other.saliency
            for place, other in result.explanations.items()
            if place.method == cell.method and not other.silent
        ]
        maps = alike if look.shared else [explanation.saliency]
        limits[cell] = FLAT if explanation.silent else shared_limits(maps, signed, extremes=look.extremes)
    return limits


def _settings(result: Result, look: Look, names: Sequence[str]) -> dict[str, Any]:
    """All that a replay needs, as JSON, and between which values each overlay's colours run."""
    limits = _limits(result, look)
    pictures, methods = picture_names(result.plan), method_names(result.plan)
    choices = zip(result.plan.pictures, result.views, strict=True)
    known = tuple(dataclasses.replace(choice, sha256=fingerprint(view)) for choice, view in choices)
    plan = dataclasses.replace(result.plan, pictures=known)
    maps = [
        {
            "picture": cell.picture,
            "method": cell.method,
            "file": f"maps/{pictures[cell.picture]}_{methods[cell.method]}.npz",
            "target": explanation.target,
            "label": explanation.label,
            "seed": explanation.seed,
            "sha256": map_fingerprint(explanation.saliency),
            "colours": list(limits[cell]),
        }
        for cell, explanation in sorted(result.explanations.items())
    ]
    return {
        "kind": KIND,
        "format": FORMAT,
        "created": result.created,
        "threads": torch.get_num_threads(),
        "plan": json.loads(plan.to_json()),
        "pictures": [f"pictures/{name}.png" for name in pictures],
        "maps": maps,
        "failed": [
            {"picture": cell.picture, "method": cell.method, "sentence": sentence}
            for cell, sentence in sorted(result.failures.items())
        ],
        "files": list(names),
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
