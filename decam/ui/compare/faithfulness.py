"""Deletion and insertion curves of all methods on one picture, and the very pictures that the model saw."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from decam import masking
from decam.classifier import Pixels, to_tensor
from decam.errors import DecamError, ModelError
from decam.experiments.events import Cell
from decam.experiments.plan import Fills
from decam.figures import curves_figure, png_uri
from decam.metrics import CURVES
from decam.metrics.base import FILLS, Curve, Metric
from decam.runs.snapshots import CellSnapshot, RunSnapshot
from decam.ui import state, text
from decam.ui.compare import run_grid
from decam.ui.components.charts import figures as charts
from decam.ui.shared import measuring

SIDE = 176


def show(snapshot: RunSnapshot, selected: Cell | None) -> None:
    """Draw the curves of one picture with one pair of fills, and a slider through their steps."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        picture = _picture(snapshot, selected)
        fills = _fills(snapshot)
        _other_fills(snapshot)
    cells = {place.method: cell for place, cell in sorted(snapshot.cells.items()) if place.picture == picture}
    measured = {method: cell for method, cell in cells.items() if run_grid.curves_with(cell, fills) is not None}
    if not measured:
        st.caption("The curves appear here as soon as a picture's maps are finished and measured.")
        return
    with st.container(key="curves"):  # side by side where each has room for its legend
        for metric in CURVES:
            with st.container():
                _figure(snapshot, fills, metric, measured)
    _step(snapshot, picture, fills, measured, selected)


def _picture(snapshot: RunSnapshot, selected: Cell | None) -> int:
    """The picture shown: chosen here, or by a click in the grid."""
    key, seen = f"faithful-{snapshot.id}", f"faithful-seen-{snapshot.id}"
    count = len(snapshot.plan.pictures)
    if selected is not None and st.session_state.get(seen) != selected:
        st.session_state[seen] = selected
        st.session_state[key] = selected.picture
    if count == 1:
        return 0
    # Said anew every time, for the browser knows a picture by its line, which grows once the target is known.
    st.session_state[key] = st.session_state.get(key, 0)

    def named(index: int) -> str:
        target = run_grid.label_of(snapshot.labels, run_grid.target_of(snapshot, index))
        return f"{index + 1}. {snapshot.plan.pictures[index].name}" + (f" · {target}" if target else "")

    return st.selectbox(
        "Picture",
        range(count),
        format_func=named,
        key=key,
        width=360,
        help="Whose curves are shown; a click in the grid too.",
    )


def _fills(snapshot: RunSnapshot) -> Fills:
    return st.selectbox(
        "Fills",
        snapshot.plan.fills,
        format_func=text.fills,
        key=f"fills-{snapshot.id}",
        width=360,
        help=f"What replaced hidden pixels. {measuring.EXPLAINED}",
    )


def _other_fills(snapshot: RunSnapshot) -> None:
    with st.popover("Other fills", icon=":material/add:", help="Measure the same maps with another pair of fills."):
        pair = tuple(
            st.selectbox(f"{metric.title} fill", FILLS, key=f"other-{metric.name}", help=measuring.EXPLAINED)
            for metric in CURVES
        )
        deletion, insertion = pair
        known = (deletion, insertion) in snapshot.plan.fills
        if known:
            st.caption("This pair has been measured.")
        pressed = st.button(
            "Measure",
            key="measure",
            disabled=known,
            type="primary",
            help="Only the curves are computed.",
            on_click=_measure,
            args=(snapshot.id, (deletion, insertion)),
        )
        if pressed:
            st.rerun()  # the whole page: from now on it follows the run


def _measure(run: str, fills: Fills) -> None:
    try:
        state.runs().measure(run, [fills])
    except DecamError as error:
        st.session_state["problem"] = str(error)
    else:
        st.session_state[f"fills-{run}"] = fills


def _figure(snapshot: RunSnapshot, fills: Fills, metric: Metric, measured: Mapping[int, CellSnapshot]) -> None:
    titles = snapshot.plan.titles()
    # Colours follow the comparison and not the table of methods, in which many more methods share eight of them.
    figure = curves_figure(
        f"{metric.title} · {run_grid.fill_of(fills, metric)}",
        {titles[method]: _curve(cell, fills, metric) for method, cell in measured.items()},
        labels=snapshot.labels,
        places={title: place for place, title in enumerate(titles)},
        dark=state.dark(),
    )
    charts.show(figure, f"curves-{metric.name}", f"{metric.title} curves of all methods")


def _curve(cell: CellSnapshot, fills: Fills, metric: Metric) -> Curve:
    curves = run_grid.curves_with(cell, fills)
    if curves is None:
        raise LookupError("Only measured cells have curves.")
    return run_grid.curve_of(curves, metric)


def _step(
    snapshot: RunSnapshot, picture: int, fills: Fills, measured: Mapping[int, CellSnapshot], selected: Cell | None
) -> None:
    """The pictures that the model saw at one step of one method's curves, and what it said."""
    titles = snapshot.plan.titles()
    key = f"step-method-{snapshot.id}"
    if st.session_state.get(key) not in measured:
        wanted = selected.method if selected is not None and selected.method in measured else next(iter(measured))
        st.session_state[key] = wanted
    controls, pictures = st.columns([1.2, len(CURVES)], gap="medium")
    with controls:
        method = st.selectbox(
            "What the model saw with the map of",
            list(measured),
            format_func=lambda index: titles[index],
            key=key,
            help="Pixels are hidden or shown in the order of this map.",
        )
        step = st.slider(
            "Step",
            0,
            snapshot.plan.steps,
            value=snapshot.plan.steps // 5,
            key=f"step-{snapshot.id}",
            help="How far the picture has been hidden or shown: the pictures beside are what the model was asked.",
        )
    target = run_grid.target_of(snapshot, picture)
    figures = []
    for metric in CURVES:
        pixels = _seen(snapshot, picture, Cell(picture, method), run_grid.fill_of(fills, metric), metric, step)
        figures.append(_answer(snapshot, metric, _curve(measured[method], fills, metric), step, pixels, target))
    with pictures:
        st.html(f'<div class="dc-frames">{"".join(figures)}</div>')


def _seen(snapshot: RunSnapshot, picture: int, place: Cell, fill: str, metric: Metric, step: int) -> Pixels:
    """The very picture that the model saw."""
    explanation = snapshot.cells[place].explanation
    if explanation is None:
        raise LookupError("Only finished maps are measured.")
    try:
        classifier = state.models().get(snapshot.plan.model, snapshot.plan.device)
    except ModelError as error:
        raise ModelError(f"The picture of a step needs the run's model, which is not here now. {error}") from error
    image = to_tensor(classifier, snapshot.views[picture])
    filling = masking.fill(fill, image, classifier.mean)
    return masking.step_picture(image, explanation.saliency, filling, step / snapshot.plan.steps, metric.name)


def _answer(snapshot: RunSnapshot, metric: Metric, curve: Curve, step: int, pixels: Pixels, target: int | None) -> str:
    top, asked = int(curve.top[step]), run_grid.label_of(snapshot.labels, target)
    lines = [
        f"<b>{text.escaped(metric.title)}</b> at {float(curve.shares[step]):.0%}",
        f"{text.escaped(asked)} <b>{float(curve.probabilities[step]):.3f}</b>",
        "which is predicted"
        if top == target
        else f"predicted: {text.escaped(run_grid.label_of(snapshot.labels, top))} "
        f"{float(curve.top_probabilities[step]):.3f}",
    ]
    return (
        f'<figure><img src="{png_uri(pixels)}" width="{SIDE}" height="{SIDE}" '
        f'alt="What the model saw at step {step}"><figcaption>{"<br>".join(lines)}</figcaption></figure>'
    )
