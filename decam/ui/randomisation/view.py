"""A randomisation check on the page: how it stands, its maps, what they mean in words, and its curves."""

from __future__ import annotations

from functools import partial

import streamlit as st

from decam.experiments.kinds.randomisation import TITLES
from decam.experiments.kinds.randomisation_reading import THRESHOLDS, Compared, lines, readings
from decam.experiments.variants import mode_of, variants_of
from decam.export import randomisation as export
from decam.figures.legend import explained
from decam.figures.stages import StageLine, stages_figure
from decam.methods import METHODS
from decam.metrics.similarity import SIMILARITIES
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.charts import figures
from decam.ui.components.live import maps
from decam.ui.components.live import status as live_status
from decam.ui.randomisation import grid
from decam.ui.runs import beside, export_panel, run_view

SIGNED = {True: "Absolute", False: "Signed"}
EXPLAINED = (
    "The number under a map is its similarity to the original map: 1 for the same map. The thin lines in the charts "
    f"show what a random map scores. {explained()}"
)
WEIGHTS = (
    "Random weights are about as large as those they replace, so the network still answers. Matrices and kernels get "
    "mean 0, biases and factors keep their mean and spread. Running averages of batch normalisation stay."
)


def show(snapshot: RunSnapshot | None) -> None:
    """Draw a check; while it waits or runs, the browser draws what comes, and this page what is compared."""
    if snapshot is not None:
        run_view.show(snapshot, _draw)


def _draw(snapshot: RunSnapshot) -> None:
    name = text.plain(snapshot.plan.picture_of(0).name)
    st.markdown(f"**{name}** :gray[· {TITLES[mode_of(snapshot.plan)].lower()}]")
    how = _compared(snapshot)
    _grid(snapshot, how, "check")
    st.caption(f"{EXPLAINED} {THRESHOLDS} {WEIGHTS}")
    beside.show(snapshot, lambda other: _grid(other, how, "check-below"))
    finished = [key for key, cell in snapshot.cells.items() if cell.explanation is not None]
    if finished and not snapshot.active:
        if any(key.question > 0 for key in finished):
            _curves(snapshot, how)
        _downloads(snapshot)


def _grid(snapshot: RunSnapshot, how: Compared, place: str) -> None:
    """Draw the grid of a check, and let the browser follow the check while it is on its way."""
    grid.show(snapshot, how, readings(snapshot.grid, how))
    live = state.live(snapshot)
    if live is not None:
        maps.draw(snapshot, live, "words")
        live_status.again_when_measured(snapshot, live, place)


def _compared(snapshot: RunSnapshot) -> Compared:
    """Draw the choice of what the numbers are."""
    st.session_state.setdefault("sanity-measure", Compared().measure)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="sanity-how"):
        measure = st.segmented_control(
            "Similarity",
            list(SIMILARITIES),
            format_func=lambda name: SIMILARITIES[name].title,
            key="sanity-measure",
            required=True,
            help=" ".join(f"{row.title}: {row.summary}" for row in SIMILARITIES.values()),
        )
        absolute: bool | None = True
        if any(METHODS[choice.name].signed for choice in snapshot.plan.methods):
            st.session_state.setdefault("sanity-values", True)
            absolute = st.segmented_control(
                "Values of signed maps",
                list(SIGNED),
                format_func=lambda value: SIGNED[value],
                key="sanity-values",
                required=True,
                help="Absolute compares where a map is strong, whatever its sign. Signed compares the signs too.",
            )
    return Compared(measure or Compared().measure, absolute is not False)


def _curves(snapshot: RunSnapshot, how: Compared) -> None:
    """One chart a measure, of the values chosen above."""
    names = [variant.stage for variant in variants_of(snapshot.plan)]
    across = "random labels" if mode_of(snapshot.plan) == "labels" else "from the output to the input"
    st.markdown(f"**Similarity to the original map, {across}**")
    with st.container(key="curves"):
        for row in SIMILARITIES.values():
            stage_lines = [
                StageLine(line.title, line.method, line.values, line.floor)
                for line in lines(snapshot.grid, Compared(row.name, how.absolute))
            ]
            drawn = partial(stages_figure, row.title, names, stage_lines, low=row.low)
            with st.container():
                about = f"{row.title} of all methods over the stages"
                figures.offer(drawn, f"sanity-{row.name}", row.title, about)


def _downloads(snapshot: RunSnapshot) -> None:
    """Everything that a run gives away, and the two files that only a check has."""
    st.markdown("**Export**")
    export_panel.show(snapshot, None)
    name = f"decam-sanity-{snapshot.created:%Y%m%d-%H%M}"
    with st.container(horizontal=True, gap="small"):
        export_panel.download(
            "similarities.csv",
            lambda: export.similarities_csv(snapshot.grid),
            f"{name}.csv",
            "text/csv",
            "One line for each method, stage or control, and similarity.",
        )
        export_panel.download(
            "maps.npz",
            lambda: export.maps_npz(snapshot.grid),
            f"{name}.npz",
            "application/octet-stream",
            "All raw maps as NumPy arrays, named method/stage, and the image as the model saw it.",
        )
