"""The maps of a randomisation check: methods down, stages across, each map with its similarity to the original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from PIL import Image

from decam.classifier import Pixels
from decam.classifier.certainty import decimal
from decam.experiments.cells import Cell, CellKey
from decam.experiments.kinds.randomisation_reading import Compared, MethodReading, Verdict
from decam.experiments.questions import Mode, Variant
from decam.experiments.status import CellState
from decam.experiments.variants import mode_of
from decam.explanation import Map
from decam.export.standing import CELLS
from decam.export.wire import probability_of
from decam.figures import limits_for, overlay, png_bytes
from decam.figures.legend import scale_text
from decam.methods import METHODS
from decam.metrics.base import Measurement
from decam.metrics.scales import Limits
from decam.runs.snapshots import RunSnapshot
from decam.shares import done, whole
from decam.ui import state, text
from decam.ui.components.grid.grid import address
from decam.ui.components.live import maps
from decam.ui.shared import wish

SIDE = 192
GROUND = {False: "#ffffff", True: "#12161c"}
"""The page's own background, behind what stays in place while the table scrolls."""

VERDICTS: dict[Verdict, str] = {
    "lost": "depends on the weights ✓",
    "late": "changes late",
    "changed": "depends partly",
    "kept": "ignores the weights ✗",
    "blind": "control",
    "unknown": "no answer",
}
CORNER: dict[Mode, str] = {
    "cascading": "Random from the output to layer",
    "independent": "Random alone: layer",
    "labels": "Trained on",
}
"""What the heads of the columns go on with; a stage has the name of its layer in the network."""
FLAT = "A flat map cannot be compared."
IN_THE_MAKING = "This map is being made."
TO_COMPARE = "This map is still to be compared."


OUTDATED = ' class="dc-outdated"'


@dataclass(frozen=True)
class _Box:
    """One place of the table: a map with a caption in HTML below it, or words where there is none.

    `place` holds the attributes of a place whose map is still to come or to be compared.
    """

    source: str = ""
    alt: str = ""
    caption: str = ""
    words: str = ""
    tip: str = ""
    place: str = ""


def show(snapshot: RunSnapshot, how: Compared, readings: Sequence[MethodReading]) -> None:
    """Draw the table; maps that are still to come leave their places free."""
    by_method = {reading.method: reading for reading in readings}
    rows = [_row(snapshot, method, how, by_method.get(method)) for method in range(len(snapshot.plan.methods))]
    st.html(
        f'<div class="dc-sanity" style="--dc-ground: {GROUND[state.dark()]}" tabindex="0" role="region" '
        'aria-label="Maps of all methods at each stage"><table>'
        f'<thead><tr><th scope="col"><span>{CORNER[mode_of(snapshot.plan)]}</span></th>{_heads(snapshot)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _variant(snapshot: RunSnapshot, question: int) -> Variant | None:
    return snapshot.plan.questions[question].model.variant


def _heads(snapshot: RunSnapshot) -> str:
    return "".join(_head(snapshot, question) for question in range(len(snapshot.plan.questions)))


def _head(snapshot: RunSnapshot, question: int) -> str:
    variant, target = _variant(snapshot, question), snapshot.grid.target_of(question)
    name = "original" if variant is None else text.escaped(variant.stage)
    below = "as trained"
    if variant is not None:
        below = (
            "same network"
            if mode_of(snapshot.plan) == "labels"
            else f"{'all' if variant.share == 1 else whole(variant.share)} random"
        )
    probability = probability_of(snapshot, question, target)
    label = text.escaped(snapshot.grid.asked_of(question))
    answer = "" if probability is None else f"<i>{label} {decimal(probability)}</i>"
    return f'<th scope="col" title="{name}"><b>{name}</b><span>{below}</span>{answer}</th>'


def _row(snapshot: RunSnapshot, method: int, how: Compared, reading: MethodReading | None) -> str:
    row, title = METHODS[snapshot.plan.methods[method].name], snapshot.plan.titles()[method]
    keys = [CellKey(question, method) for question in range(len(snapshot.plan.questions))]
    boxes, behind = [_box(snapshot, key, how) for key in keys], wish.behind(snapshot)
    cells = "".join(
        f"<td{OUTDATED if key in behind else ''}>{_drawn(box)}</td>" for key, box in zip(keys, boxes, strict=True)
    )
    mark = sentence = ""
    if reading is not None:
        # A verdict that is wider than its column goes on in a second line.
        mark = f'<em class="dc-{reading.verdict}" style="width:fit-content">{VERDICTS[reading.verdict]}</em>'
        sentence = text.escaped(reading.sentence)
    return (
        f'<tr><th scope="row" title="{text.escaped(row.summary)}">{text.escaped(title)}{mark}</th>'
        f'{cells}</tr><tr class="dc-said"><td></td><td colspan="{len(boxes)}"><p>{sentence}</p></td></tr>'
    )


def _box(snapshot: RunSnapshot, key: CellKey, how: Compared) -> _Box:
    place = maps.place(snapshot.id, key, _name(snapshot, key)) if _open(snapshot, key, how) else ""
    return replace(_filled(snapshot, key, how), place=place)


def _open(snapshot: RunSnapshot, key: CellKey, how: Compared) -> bool:
    """True where the browser is to draw what comes: up to the map's similarity, which this page draws."""
    cell = snapshot.cells[key]
    if cell.explanation is None:
        return cell.state.pending
    return key.question > 0 and how.to_reference(snapshot.plan.methods[key.method].name, cell) is None


def _filled(snapshot: RunSnapshot, key: CellKey, how: Compared) -> _Box:
    cell = snapshot.cells[key]
    if cell.explanation is not None:
        return _map(snapshot, key, cell, cell.explanation.notes, _caption(snapshot, key, cell, how))
    if cell.state is CellState.FAILED:
        follows = key.question > 0 and snapshot.cells[CellKey(0, key.method)].state is CellState.FAILED
        return _Box(words="–" if follows else CELLS[cell.state].title.lower(), tip=cell.error)
    if cell.state is CellState.RUNNING:
        share = done(cell.step, cell.total) or "…"
        if cell.saliency is None:
            return _Box(words=share, tip=IN_THE_MAKING)
        return _map(snapshot, key, cell, (IN_THE_MAKING,), f"<figcaption>{share}</figcaption>")
    return _Box(words="" if cell.state.pending else CELLS[cell.state].title.lower())


def _name(snapshot: RunSnapshot, key: CellKey) -> str:
    variant = _variant(snapshot, key.question)
    return f"{snapshot.plan.titles()[key.method]}, {'original' if variant is None else variant.stage}"


def _map(snapshot: RunSnapshot, key: CellKey, cell: Cell, notes: Sequence[str], caption: str) -> _Box:
    """The box of a map, finished or in the making."""
    name = _name(snapshot, key)
    signed = METHODS[snapshot.plan.methods[key.method].name].signed
    saliency = cell.saliency
    assert saliency is not None  # both kinds of map have one
    limits, view = limits_for(cell.explanation, saliency, signed), snapshot.grid.view_of(key.question)
    place = f"{snapshot.id}.{key.question}.{key.method}"
    draw = _overlay if cell.explanation is None else _kept_overlay
    png = draw(place, signed, limits, view, saliency)
    scale = [] if cell.explanation is None else [f"Colours: {scale_text(saliency, signed, limits)}."]
    return _Box(address(png, f"sanity.{place}"), name, caption, tip=" ".join([f"{name}.", *notes, *scale]))


@st.cache_data(show_spinner=False, max_entries=1024)
def _kept_overlay(place: str, signed: bool, limits: Limits, _view: Pixels, _saliency: Map) -> bytes:
    """The overlay of a finished map; `place` tells it from all others for good."""
    return _overlay(place, signed, limits, _view, _saliency)


def _overlay(place: str, signed: bool, limits: Limits, view: Pixels, saliency: Map) -> bytes:
    """The map over the picture, small."""
    del place
    image = Image.fromarray(overlay(view, saliency, signed=signed, limits=limits))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return png_bytes(np.asarray(image))


def _caption(snapshot: RunSnapshot, key: CellKey, cell: Cell, how: Compared) -> str:
    """What stands below a finished map: its similarity to the original."""
    if key.question == 0:
        return _similarity(1.0)
    measurement = how.to_reference(snapshot.plan.methods[key.method].name, cell)
    if measurement is None:
        return f'<figcaption title="{TO_COMPARE}">…</figcaption>'
    return _similarity(measurement.value) if math.isfinite(measurement.value) else _none(measurement)


def _similarity(value: float) -> str:
    width = f"{max(0.0, min(1.0, value)):.0%}"
    return f'<figcaption><u><s style="width:{width}"></s></u>{text.fixed(value)}</figcaption>'


def _none(measurement: Measurement) -> str:
    tip, word = (text.escaped(measurement.note), "failed") if measurement.failed else (FLAT, "flat")
    return f'<figcaption title="{tip}">{word}</figcaption>'


def _drawn(box: _Box) -> str:
    tip = f' title="{text.escaped(box.tip)}"' if box.tip else ""
    if not box.source:
        return f'<figure class="dc-empty"{box.place}{tip}><div>{text.escaped(box.words)}</div></figure>'
    return f'<figure{box.place}{tip}><img src="{box.source}" alt="{text.escaped(box.alt)}">{box.caption}</figure>'
