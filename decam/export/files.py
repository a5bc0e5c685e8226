"""The files of an export: overlays, raw maps, curves, metrics and settings, by themselves or as one ZIP."""

from __future__ import annotations

import dataclasses
import hashlib
import json
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
from decam.export.findings import reading_txt
from decam.export.names import method_names, picture_names, question_names
from decam.export.tables import Legend, curves_csv, legend_csv, metrics_csv
from decam.figures.colours import table_for
from decam.figures.legend import Scale, meaning
from decam.figures.look import Look, finished, scales
from decam.figures.look import drawn as drawn_map
from decam.figures.overlays import png_bytes
from decam.files import json_text, npz_bytes, zipped
from decam.methods import described
from decam.methods.class_level.display import shown

KIND = "decam export"
FORMAT = 2  # the first named a map by its picture, where now a question is named
SETTINGS = "settings.json"
DRAWN = ("overlays/", "patterns/")

README = """\
This folder holds saliency maps made with decam.

pictures/      each image as the model saw it
overlays/      each method's map over its image, in colour; where a map has both signs, orange is for the class and
               blue against it
legend.csv     one line for each overlay: what its colours stand for, in words, and the values at their two ends
maps/          the same maps as raw float32 numbers for numpy.load, never rescaled, with class, seed and cost;
               rank_errors, where a map says how sure it is: the standard error of each place's rank, as a share
patterns/      the map of each class that was asked about without an image, grey where it is zero
truths/        where the object is in an image, if that is known
metrics.csv    one line for each map, with a column for each metric, evaluations (images through the model for the map),
               metric evaluations (those for its metrics) and seconds
curves.csv     one line for each point of each metric's curves: for deletion and insertion, the model's answer while
               pixels are hidden or shown in the order of the map
reading.txt    what the run has found, in words that follow from its numbers: one line for each finding
backdoors.csv  how oddly cheap each class of a model is, where a search for a backdoor was made
settings.json  all settings, seeds and versions, all evaluations, notes on maps, and why maps failed

Overlays are drawn as the grid of the page showed maps: its colours, opacity, scale and contours. Colours leave out the
top 1 % of a map's values, unless the grid showed extremes or ranks. The values at both ends of the colours are in
legend.csv, and in settings.json under "colours". Two zeros there belong to a map of mere rounding or chance, which is
drawn flat. If colours go by rank, they are shares of the map. Contours, where they were on, enclose its top 5, 20 and
50 %.

In all CSV files, text that a spreadsheet would take for a formula begins with an apostrophe.

"python -m decam replay settings.json" makes the same maps again and compares the two.
"""


def files(
    grid: Grid, look: Look | None = None, created: str = "", *, drawn: bool = True, name: str = "", remark: str = ""
) -> Iterator[tuple[str, bytes]]:
    """Every file of the export as (name with forward slashes, bytes); settings.json, which lists them, comes last.

    What is finished of the grid is exported. `created` says when its run was made, as text; `name` and `remark` are its
    owner's words. Without `drawn` the maps are there as numbers alone, for whoever draws them again.
    """
    names: list[str] = []
    for file, content in _all_but_settings(grid, look or Look()):
        if not drawn and file.startswith(DRAWN):
            continue
        names.append(file)
        yield file, content
    about = {"created": created, "name": name, "note": remark}
    yield SETTINGS, _json(_settings(grid, look or Look(), [*names, SETTINGS], about))


def zip_bytes(grid: Grid, look: Look | None = None, created: str = "", *, name: str = "", remark: str = "") -> bytes:
    """The export as one ZIP file, the same bytes for the same grid; the words are those of `files`."""
    return zipped(files(grid, look, created, name=name, remark=remark))


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
            **({} if explanation.against is None else {"against": np.array(explanation.against)}),
            **further_arrays(explanation),
        }
    )


def map_fingerprint(saliency: Map) -> str:
    """The SHA-256 of a map's float32 values, little-endian, rows first."""
    return hashlib.sha256(np.ascontiguousarray(saliency, dtype="<f4").tobytes()).hexdigest()


def _map_name(grid: Grid, key: CellKey) -> str:
    return f"{question_names(grid.plan)[key.question]}_{method_names(grid.plan)[key.method]}"


def _all_but_settings(grid: Grid, look: Look) -> Iterator[tuple[str, bytes]]:
    pictures = picture_names(grid.plan)
    yield "README.txt", README.encode()
    yield "metrics.csv", metrics_csv(grid)
    yield "curves.csv", curves_csv(grid)
    if (findings := reading_txt(grid)) is not None:
        yield "reading.txt", findings
    if (anomalies := suspicions_csv(grid)) is not None:
        yield "backdoors.csv", anomalies
    for name, view in zip(pictures, grid.views, strict=True):
        yield f"pictures/{name}.png", png_bytes(view)
    for name, truth in zip(pictures, grid.truths, strict=False):
        if truth is not None:
            yield f"truths/{name}.png", png_bytes(np.where(truth, 255, 0).astype(np.uint8))
    drawn = scales(grid, look)
    yield "legend.csv", legend_csv(_legends(grid, look, drawn))
    for key, explanation in finished(grid).items():
        name = _map_name(grid, key)
        if isinstance(explanation, ClassExplanation):
            yield f"patterns/{name}.png", png_bytes(shown(explanation.map))
            yield f"maps/{name}.npz", map_bytes(explanation, "")
            continue
        pixels = drawn_map(grid.view_of(key.question), explanation, drawn[key], look)
        yield f"overlays/{name}.png", png_bytes(pixels)
        yield f"maps/{name}.npz", map_bytes(explanation, grid.plan.picture_of(key.question).name)


def _legends(grid: Grid, look: Look, drawn: Mapping[CellKey, Scale]) -> Iterator[Legend]:
    """What the colours of each overlay stand for; a class's map has its own and is left out."""
    for key, explanation in finished(grid).items():
        if not isinstance(explanation, ClassExplanation):
            signed = described(explanation.method).signed
            yield Legend(
                f"overlays/{_map_name(grid, key)}.png",
                grid.plan.titles()[key.method],
                explanation.label,
                table_for(look.colours, signed),
                drawn[key],
                meaning(look.colours, signed, explanation.label),
            )


def _settings(grid: Grid, look: Look, names: Sequence[str], about: Mapping[str, str]) -> dict[str, Any]:
    """All that a replay needs, as JSON, and between which values each overlay's colours run."""
    drawn = scales(grid, look)
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
            "colours": list(drawn[key].limits),
            "legend": drawn[key].text,
            "reused": grid.cells[key].reused,
            "notes": list(explanation.notes),
            "sentence": grid.cells[key].error,
            "remarks": _remarks(grid, key),
        }
        for key, explanation in finished(grid).items()
    ]
    return {
        "kind": KIND,
        "format": FORMAT,
        **about,
        "threads": torch.get_num_threads(),
        "plan": json.loads(plan_to_json(plan)),
        "pictures": [f"pictures/{name}.png" for name in picture_names(plan)],
        "maps": maps,
        "evaluations": grid.evaluations,
        "metric evaluations": grid.metric_evaluations,
        "asked": [
            {"question": question, "evaluations": asked}
            for question, guesses in enumerate(grid.predictions)
            if (asked := (guesses is not None) + grid.further.get(question, 0))
        ],
        "failed": [
            {"question": key.question, "method": key.method, "sentence": cell.error}
            for key, cell in sorted(grid.cells.items())
            if cell.error
        ],
        "files": list(names),
    }


def _remarks(grid: Grid, key: CellKey) -> list[dict[str, Any]]:
    """What metrics remark on a map, by their places in the plan, whether they failed, and what they cost.

    Those that did neither and cost nothing are left out.
    """
    measured = grid.cells[key].measurements
    return [
        {
            "metric": place,
            "note": one.note,
            "failed": one.failed,
            "evaluations": one.evaluations,
            "reused": one.reused,
        }
        for place, choice in enumerate(grid.plan.metrics)
        if (one := measured.get(choice.key)) is not None and (one.note or one.failed or one.evaluations or one.reused)
    ]


def _json(content: Mapping[str, Any]) -> bytes:
    return json_text(content).encode()
