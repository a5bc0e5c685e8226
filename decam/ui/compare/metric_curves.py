"""The curves that metrics keep: of all methods on one picture, with the very pictures that the model saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from decam import masking
from decam.classifier import Pixels, to_tensor
from decam.errors import ModelError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.plan import MetricChoice, Plan
from decam.figures import curves_figure, png_uri
from decam.metrics import METRICS
from decam.metrics import get as get_metric
from decam.metrics.base import Curve, Measurement
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.charts import figures as charts
from decam.ui.runs import map_choice, measure_more
from decam.ui.shared import metric_forms, run_pages

SIDE = 176
SHOWN_AT_FIRST = 2
STEP = 20
"""Per cent of the picture hidden or shown, in the pictures below the curves, until another step is chosen."""
WITH_CURVES = {name: metric for name, metric in METRICS.items() if metric.axes is not None}


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the curves of one picture by some metrics of the run, and a slider through their steps."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        question = _question(snapshot, selected)
        _measure_more(snapshot)
    choices = _choices(snapshot)
    cells = {key.method: cell for key, cell in sorted(snapshot.cells.items()) if key.question == question}
    measured = {choice.key: _curves(cells, choice) for choice in choices}
    for sentence in _missing(snapshot, question, [choice for choice in choices if not measured[choice.key]]):
        st.caption(text.plain(sentence))
    with st.container(key="curves"):  # side by side where each has room for its legend
        for choice in choices:
            if measured[choice.key]:
                with st.container():
                    _figure(snapshot, choice, measured[choice.key])
    steps = [choice for choice in choices if get_metric(choice.name).sequence and measured[choice.key]]
    if steps:
        _step(snapshot, question, steps, cells, selected)


def _missing(snapshot: RunSnapshot, question: int, choices: Sequence[MetricChoice]) -> list[str]:
    """Why some metrics have no curves for a picture, one sentence a reason."""
    titles = snapshot.plan.metric_titles()
    about: dict[str, list[str]] = {}
    for choice in choices:
        about.setdefault(_reason(snapshot, question, choice), []).append(titles[choice.key])
    return [f"{', '.join(names)}: {reason}" for reason, names in about.items()]


def _reason(snapshot: RunSnapshot, question: int, choice: MetricChoice) -> str:
    measured = [
        cell.measurements[choice.key]
        for key, cell in sorted(snapshot.cells.items())
        if key.question == question and choice.key in cell.measurements
    ]
    if measured and "truth" in get_metric(choice.name).needs and snapshot.grid.truth_of(question) is None:
        return "no curve, for this image has no ground truth."
    if measured:
        return next((one.note for one in measured if one.note), "no curve was kept.")
    if snapshot.active:
        return "the curves appear here as soon as this image's maps are finished and measured."
    return "no map of this image has been measured. Continue the run to measure its maps."


def _curves(cells: Mapping[int, Cell], choice: MetricChoice) -> dict[int, tuple[Measurement, Curve]]:
    """By the methods' places, what the metric measured where it has a curve."""
    found = {}
    for method, cell in cells.items():
        measurement = cell.measurements.get(choice.key)
        if measurement is not None and measurement.curve is not None:
            found[method] = (measurement, measurement.curve)
    return found


def _question(snapshot: RunSnapshot, selected: CellKey | None) -> int:
    """The picture shown: chosen here, or by a click in the grid."""
    key, click = f"curves-of-{snapshot.id}", map_choice.clicked(snapshot, selected, "curves-of")
    count = len(snapshot.plan.questions)
    if click is not None:
        st.session_state[key] = click.question
    if count == 1:
        return 0
    # Said anew every time, for the browser knows a picture by its line, which grows once the target is known.
    st.session_state[key] = st.session_state.get(key, 0)

    def named(question: int) -> str:
        target = snapshot.grid.asked_of(question)
        return f"{question + 1}. {snapshot.plan.picture_of(question).name}" + (f" · {target}" if target else "")

    return st.selectbox(
        "Image",
        range(count),
        format_func=named,
        key=key,
        width=360,
        persist_state="session",
        help="Choose the image whose curves are shown. A click in the grid does the same.",
    )


def _choices(snapshot: RunSnapshot) -> list[MetricChoice]:
    """Draw the choice among the curves that the plan's metrics keep, and return those to show."""
    offered = {choice.key: choice for choice in snapshot.plan.metrics if choice.name in WITH_CURVES}
    if len(offered) <= SHOWN_AT_FIRST:
        return list(offered.values())
    titles, key = snapshot.plan.metric_titles(), f"curves-shown-{snapshot.id}"
    st.session_state.setdefault(key, _shown_at_first(snapshot.plan))
    shown = st.pills(
        "Curves",
        list(offered),
        selection_mode="multi",
        wrap=True,
        format_func=lambda name: text.plain(titles[name]),
        key=key,
        persist_state="session",
        help="Choose the curves. The word after the dot is the fill: what replaced hidden pixels.",
    )
    return [choice for name, choice in offered.items() if name in shown]


def _measure_more(snapshot: RunSnapshot) -> None:
    """Offer curves that the run does not have: another metric, or one that it has with other settings."""
    if not state.may_change(snapshot):
        return
    opened, form = f"more-curves-open-{snapshot.id}", f"more-curves-{snapshot.id}"
    with measure_more.popover(
        "More curves", opened, "Measure the same maps again, by another metric or other settings."
    ):
        name = st.selectbox(
            "Metric",
            list(WITH_CURVES),
            format_func=lambda name: WITH_CURVES[name].title,
            key=form,
            persist_state="session",
        )
        there = [choice for choice in snapshot.plan.metrics if choice.name == name]
        choices = metric_forms.inline(name, form, there[0].settings if there else None)
        new = [choice for choice in choices if choice not in there]
        if choices and not new:
            st.caption("The run has these curves. Choose them under Curves, or change a setting.")
        keys = [choice.key for choice in new]
        measure_more.button(
            snapshot.id, new, key="measure", opened=opened, then=partial(_show_too, snapshot.id, snapshot.plan, keys)
        )


def _show_too(run: str, plan: Plan, keys: Sequence[str]) -> None:
    """Show these curves beside those shown."""
    key = f"curves-shown-{run}"
    shown = st.session_state.get(key, _shown_at_first(plan))
    st.session_state[key] = [*shown, *(name for name in keys if name not in shown)]


def _shown_at_first(plan: Plan) -> list[str]:
    return [choice.key for choice in plan.metrics if choice.name in WITH_CURVES][:SHOWN_AT_FIRST]


def _figure(snapshot: RunSnapshot, choice: MetricChoice, measured: Mapping[int, tuple[Measurement, Curve]]) -> None:
    metric, titles = get_metric(choice.name), snapshot.plan.titles()
    title = snapshot.plan.metric_titles()[choice.key]
    if metric.axes is None:
        raise LookupError(f"{metric.title} keeps no curves.")
    # Colours follow the comparison and not the table of methods, in which many more methods share eight of them.
    drawn = partial(
        curves_figure,
        title,
        {titles[method]: curve for method, (_, curve) in measured.items()},
        {titles[method]: measurement.value for method, (measurement, _) in measured.items()},
        metric.axes,
        labels=snapshot.labels,
        places={title: place for place, title in enumerate(titles)},
    )
    chosen = None if metric.sequence is None else st.session_state.get(f"step-{snapshot.id}", STEP) / 100
    about = f"{title}: curves of all methods"
    charts.offer(partial(drawn, chosen=chosen), f"curves-{choice.key}", title, about, paper=drawn)


def _step(
    snapshot: RunSnapshot,
    question: int,
    choices: Sequence[MetricChoice],
    cells: Mapping[int, Cell],
    selected: CellKey | None,
) -> None:
    """The pictures that the model saw at one step of one method's curves, and what it answered."""
    measured = {choice.key: _curves(cells, choice) for choice in choices}
    methods = sorted({method for curves in measured.values() for method in curves})
    titles = snapshot.plan.titles()
    key = f"step-method-{snapshot.id}"
    if st.session_state.get(key) not in methods:
        wanted = selected.method if selected is not None and selected.method in methods else methods[0]
        st.session_state[key] = wanted
    controls, pictures = st.columns([1.2, max(2, len(choices))], gap="medium")
    with controls:
        method = st.selectbox(
            "What the model saw when pixels were ranked by",
            methods,
            format_func=lambda index: titles[index],
            key=key,
            persist_state="session",
            help="Pixels are hidden or shown in the order of this map.",
        )
        percent = st.slider(
            "Share of the image hidden or shown (%)",
            0,
            100,
            value=STEP,
            key=f"step-{snapshot.id}",
            persist_state="session",
            help="How far the image has been hidden or shown: the images beside are what the model was asked.",
        )
    figures = [
        _answer(snapshot, question, CellKey(question, method), choice, measured[choice.key][method][1], percent / 100)
        for choice in choices
        if method in measured[choice.key]
    ]
    with pictures:
        st.html(f'<div class="dc-frames">{"".join(figures)}</div>')


def _seen(snapshot: RunSnapshot, key: CellKey, choice: MetricChoice, share: float) -> Pixels:
    """The very picture that the model saw with this share of its pixels hidden or shown."""
    explanation, sequence = snapshot.cells[key].explanation, get_metric(choice.name).sequence
    if explanation is None or sequence is None:
        raise LookupError("Only finished maps are measured.")
    try:
        classifier = run_pages.model_of(snapshot)
    except ModelError as error:
        raise ModelError(f"The image of a step needs the run's model, which is not here now. {error}") from error
    image = to_tensor(classifier, snapshot.grid.view_of(key.question))
    seed = snapshot.plan.questions[key.question].seed  # that of the question's measurements
    filling = masking.fill(str(choice.settings.to_mapping()["fill"]), image, classifier.mean, seed)
    return masking.step_picture(image, explanation.saliency, filling, share, sequence)


def _answer(
    snapshot: RunSnapshot, question: int, key: CellKey, choice: MetricChoice, curve: Curve, wanted: float
) -> str:
    """One of the pictures with what the model answered, at the step nearest to the share wanted."""
    step = int(abs(curve.shares - wanted).argmin())
    share = step / (len(curve.shares) - 1)
    target = snapshot.grid.target_of(question)
    title, where = text.escaped(snapshot.plan.metric_titles()[choice.key]), text.percent(share, 0)
    lines = [
        f"<b>{title}</b> at {where}",
        f"{text.escaped(snapshot.grid.asked_of(question))} <b>{text.percent(float(curve.values[step]))}</b>",
    ]
    if curve.top is not None and curve.top_values is not None:
        top = int(curve.top[step])
        label = text.escaped(snapshot.grid.label_of(top))
        answer = text.percent(float(curve.top_values[step]))
        lines.append("(top prediction)" if top == target else f"predicted: {label} {answer}")
    pixels = _seen(snapshot, key, choice, share)
    return (
        f'<figure><img src="{png_uri(pixels)}" width="{SIDE}" height="{SIDE}" '
        f'alt="{title}: what the model saw at {where}"><figcaption>{"<br>".join(lines)}</figcaption></figure>'
    )
