"""How good the maps of a run already were while they were made: measured on request, over the evaluations spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from decam.experiments.cells import Cell, CellKey
from decam.experiments.history import FRAME_SIZE
from decam.experiments.plan import MetricChoice, Plan, paired_metrics, usual_metrics
from decam.figures.anytime import AnytimeLine, anytime_figure
from decam.metrics import get as get_metric
from decam.metrics.anytime import ANYTIME_DELETION, ANYTIME_INSERTION, AnytimeSettings
from decam.metrics.base import Curve
from decam.metrics.curves import cost
from decam.metrics.faithfulness import INSERTION
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.charts import figures as charts
from decam.ui.runs import measure_more
from decam.ui.shared import stopped

QUANTITIES: Mapping[str, tuple[str, float, float]] = {
    "difference": ("Insertion − deletion", 1.0, -1.0),
    "insertion": ("Insertion", 1.0, 0.0),
    "deletion": ("Deletion", 0.0, 1.0),
}
"""What the chart may show: its title, and how much of insertion and of deletion goes into it."""
STOPPED = "The dashed line is where the search could have stopped; the reason is under its curves."
MEANING = {
    "difference": "Higher is better: what the map ranks first carries the decision.",
    "insertion": "Higher is better: the pixels that the map ranks first bring the class back soon.",
    "deletion": "Lower is better: without the pixels that the map ranks first the class is soon gone.",
}


def show(snapshot: RunSnapshot, place: CellKey) -> None:
    """Draw the chart of one picture's maps, or the button that has them measured."""
    st.markdown("**Faithfulness over the evaluations spent**")
    insertion, deletion = choices(snapshot.plan)
    if not {insertion, deletion} <= set(snapshot.plan.metrics):
        _offer(snapshot, (insertion, deletion))
        return
    cells = {key.method: cell for key, cell in sorted(snapshot.cells.items()) if key.question == place.question}
    curves = {method: found for method, cell in cells.items() if (found := _curves(cell, insertion, deletion))}
    if not curves:
        st.caption(_missing(snapshot, cells, insertion))
        return
    with st.container(key="anytime", gap="small"):
        shown = _quantity(snapshot)
        _chart(snapshot, place, curves, shown)
        for sentence in _words(snapshot, place, shown, (insertion, deletion), list(curves.values())):
            st.caption(text.plain(sentence))


def choices(plan: Plan) -> tuple[MetricChoice, MetricChoice]:
    """Insertion and deletion of the maps on the way, each as the plan measures its finished maps first of all."""
    pairs = [pair for pair in paired_metrics(plan.metrics) if pair[0].name == INSERTION.name]
    insertion, deletion = (pairs or paired_metrics(usual_metrics()))[0]
    return _on_the_way(ANYTIME_INSERTION.name, insertion), _on_the_way(ANYTIME_DELETION.name, deletion)


def _on_the_way(name: str, finished: MetricChoice) -> MetricChoice:
    return MetricChoice.default(name, **finished.settings.to_mapping())


def _offer(snapshot: RunSnapshot, wanted: tuple[MetricChoice, MetricChoice]) -> None:
    """Say what measuring would show and cost, beside the button for it, to whoever may change the run."""
    if not state.may_change(snapshot):
        return
    maps = len(snapshot.cells)
    most = sum(get_metric(choice.name).cost(choice.settings, maps) for choice in wanted)
    points = max(settings.points for settings in _settings(wanted))
    st.caption(
        f"How good was each map after 100 evaluations, after 500, at the end? At most {points} maps of each method are "
        f"measured on the way, by insertion and deletion. That takes at most {most:,} evaluations for "
        f"{text.several(maps, 'map')}. They are counted apart: a method's own evaluations stay as they are."
    )
    st.button(
        "Measure maps on the way",
        key="measure-anytime",
        icon=":material/timeline:",
        help="Measures the maps that were kept on the way. Maps are not recomputed.",
        on_click=measure_more.add,
        args=(state.runs().measure, snapshot.id, wanted),
    )


def _settings(choices: Sequence[MetricChoice]) -> list[AnytimeSettings]:
    return [choice.settings for choice in choices if isinstance(choice.settings, AnytimeSettings)]


def _curves(cell: Cell, insertion: MetricChoice, deletion: MetricChoice) -> tuple[Curve, Curve, int] | None:
    """Both curves of a map and the evaluations that it cost; None where one is not there."""
    found = [cell.measurements.get(choice.key) for choice in (insertion, deletion)]
    curves = [one.curve for one in found if one is not None and one.curve is not None]
    return (curves[0], curves[1], cell.evaluations) if len(curves) == 2 else None


def _missing(snapshot: RunSnapshot, cells: Mapping[int, Cell], choice: MetricChoice) -> str:
    notes = [one.note for cell in cells.values() if (one := cell.measurements.get(choice.key)) and one.note]
    if notes:
        return text.plain(notes[0])
    if snapshot.active:
        return "The curves appear here as soon as a map is finished and measured."
    return "No map of this image has been measured on the way. Continue the run to measure its maps."


def _quantity(snapshot: RunSnapshot) -> str:
    chosen = st.segmented_control(
        "Measured by",
        list(QUANTITIES),
        format_func=lambda name: QUANTITIES[name][0],
        default="difference",
        key=f"anytime-by-{snapshot.id}",
        required=True,
        help="Insertion shows the pixels that a map ranks first, deletion hides them.",
    )
    return chosen or "difference"


def _chart(snapshot: RunSnapshot, place: CellKey, curves: Mapping[int, tuple[Curve, Curve, int]], shown: str) -> None:
    title, of_insertion, of_deletion = QUANTITIES[shown]
    titles, judged = snapshot.plan.titles(), stopped.of(snapshot, place)
    lines = {
        titles[method]: AnytimeLine(
            np.rint(insertion.shares * spent).astype(int).tolist(),
            (of_insertion * insertion.values + of_deletion * deletion.values).tolist(),
        )
        for method, (insertion, deletion, spent) in curves.items()
    }
    places = {titles[method]: method for method in curves}
    drawn = partial(anytime_figure, lines, title, places, stopped=None if judged is None else judged.evaluations)
    about = f"{title} of each method's maps over the evaluations spent"
    charts.offer(drawn, f"anytime-{place.question}", about)


def _words(
    snapshot: RunSnapshot,
    place: CellKey,
    shown: str,
    measured: tuple[MetricChoice, MetricChoice],
    curves: list[tuple[Curve, Curve, int]],
) -> list[str]:
    """What the chart means, what measuring cost, and where the search could have stopped; one paragraph each."""
    judged, points = stopped.of(snapshot, place), sum(len(insertion.shares) for insertion, _, _ in curves)
    spent = sum(cost(settings, points) for settings in _settings(measured))
    return [
        f"Each point is the map that a method had after so many evaluations, the last one its finished map. "
        f"{MEANING[shown]} The sooner a line is good, the fewer evaluations its method needs.",
        f"Measuring these {points} maps took {spent:,} evaluations, which are not counted into the methods'. Maps on "
        f"the way were kept with at most {FRAME_SIZE} pixels a side.",
        *([] if judged is None or judged.evaluations is None else [STOPPED]),
    ]
