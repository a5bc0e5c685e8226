"""The maps of a sanity check: methods down, stages across, under each map how alike it is to the original."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from decam.classifier import Pixels
from decam.experiments.randomisation_plan import LABELS, SanitySnapshot
from decam.experiments.randomisation_reading import Measured, Reading
from decam.explanation import Explanation, Map
from decam.figures import limits_for, overlay, png_bytes
from decam.methods import METHODS
from decam.ui import state
from decam.ui import text as words
from decam.ui.components.grid.grid import address

SIDE = 192
GROUND = {False: "#ffffff", True: "#12161c"}
"""The page's own background, behind what stays in place while the table scrolls."""

VERDICTS = {
    "lost": "map lost",
    "late": "lost late",
    "changed": "changes",
    "kept": "map kept",
    "blind": "control",
    "unknown": "no answer",
}


@dataclass(frozen=True)
class _Box:
    """One place of the table: a map with what stands below it, or words where there is none."""

    source: str = ""
    alt: str = ""
    value: float | None = None
    words: str = ""
    tip: str = ""


def show(check: SanitySnapshot, how: Measured, told: Sequence[Reading]) -> None:
    """Draw the table; maps that are still to come leave their places free."""
    names = [variant.name for variant in check.found.variants]
    sentences = {reading.method: reading for reading in told}
    rows = [_row(check, method, how, sentences.get(method)) for method in range(len(check.plan.methods))]
    st.html(
        f'<div class="dc-sanity" style="--dc-ground: {GROUND[state.dark()]}" tabindex="0" role="region" '
        'aria-label="Maps of all methods at each stage"><table>'
        f"<thead><tr><th></th>{_heads(check, names)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _heads(check: SanitySnapshot, names: Sequence[str]) -> str:
    found = check.found
    answers: dict[int, float] = {one.variant: one.explanation.probability for one in found.compared}
    original = found.originals[0].explanation.probability if found.originals else None
    heads = [_head("original", "as trained", found.label, original)]
    for place, variant in enumerate(found.variants):
        below = "same network" if check.plan.mode == LABELS else f"{_share(variant.share)} random"
        heads.append(_head(names[place], below, found.label, answers.get(place)))
    return "".join(heads)


def _head(name: str, below: str, label: str, probability: float | None) -> str:
    answer = "" if probability is None else f"<i>{words.escaped(label)} {probability:.2f}</i>"
    name = words.escaped(name)
    return f'<th scope="col" title="{name}"><b>{name}</b><span>{below}</span>{answer}</th>'


def _share(share: float) -> str:
    """A share of all weights; small ones are not rounded to nothing, and nearly all is not all."""
    if share < 0.01:
        return "under 1 %"
    return "all" if share == 1 else f"{min(99, round(100 * share))} %"


def _row(check: SanitySnapshot, method: int, how: Measured, told: Reading | None) -> str:
    found, row = check.found, METHODS[check.plan.methods[method].name]
    failed = {(one.method, one.variant): one.sentence for one in found.failures}
    original = next((one for one in found.originals if one.method == method), None)
    boxes = [_box(check, method, None, original.explanation if original else None, 1.0 if original else None, failed)]
    made = {one.variant: one for one in found.compared if one.method == method}
    for place in range(len(found.variants)):
        one = made.get(place)
        value = how.of(check.plan.methods[method].name, one.likeness) if one else None
        boxes.append(_box(check, method, place, one.explanation if one else None, value, failed))
    cells = "".join(f"<td>{_drawn(box)}</td>" for box in boxes)
    mark = f'<em class="dc-{told.verdict}">{VERDICTS[told.verdict]}</em>' if told else ""
    said = words.escaped(told.sentence) if told else ""
    return (
        f'<tr><th scope="row" title="{words.escaped(row.summary)}">{words.escaped(row.title)}{mark}</th>{cells}</tr>'
        f'<tr class="dc-said"><td></td><td colspan="{len(boxes)}"><p>{said}</p></td></tr>'
    )


def _box(
    check: SanitySnapshot,
    method: int,
    variant: int | None,
    explanation: Explanation | None,
    value: float | None,
    failed: Mapping[tuple[int, int | None], str],
) -> _Box:
    where = "original" if variant is None else check.found.variants[variant].name
    title = METHODS[check.plan.methods[method].name].title
    sentence = failed.get((method, variant)) or failed.get((method, None))
    if sentence:
        return _Box(words="failed" if (method, variant) in failed else "–", tip=sentence)
    if explanation is None:
        working = check.working
        if working is None or (working.method, working.variant) != (method, variant):
            return _Box()
        progress = working.progress
        return _Box(words=f"{min(1.0, progress.step / progress.total):.0%}" if progress.total else "…")
    place = f"{method}.{'o' if variant is None else variant}"
    signed = METHODS[explanation.method].signed
    limits = limits_for(explanation, explanation.saliency, signed)
    png = _png(f"{check.id}.{place}", signed, limits, check.view, explanation.saliency)
    return _Box(
        source=address(png, f"sanity.{check.id}.{place}"),
        alt=f"{title}, {where}",
        value=value,
        tip=" ".join([f"{title}, {where}.", *explanation.notes]),
    )


@st.cache_data(show_spinner=False, max_entries=1024)
def _png(place: str, signed: bool, limits: tuple[float, float], _view: Pixels, _saliency: Map) -> bytes:
    """The map over the picture, small; `place` tells it from all others for good."""
    del place  # it names the entry in the cache
    image = Image.fromarray(overlay(_view, _saliency, signed=signed, limits=limits))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return png_bytes(np.asarray(image))


def _drawn(box: _Box) -> str:
    tip = f' title="{words.escaped(box.tip)}"' if box.tip else ""
    if not box.source:
        return f'<figure class="dc-empty"{tip}><div>{words.escaped(box.words)}</div></figure>'
    value = math.nan if box.value is None else box.value
    if math.isnan(value):
        below = '<figcaption title="A flat map cannot be compared.">flat</figcaption>'
    else:
        width = f"{max(0.0, min(1.0, value)):.0%}"
        below = f'<figcaption><u><s style="width:{width}"></s></u>{words.number(value)}</figcaption>'
    return f'<figure{tip}><img src="{box.source}" alt="{words.escaped(box.alt)}">{below}</figure>'
