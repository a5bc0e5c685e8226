"""A sanity check on the page: how it stands, its maps, what they say in words, and its curves."""

from __future__ import annotations

import streamlit as st

from decam.experiments.randomisation_plan import LABELS, SanitySnapshot
from decam.experiments.randomisation_reading import THRESHOLDS, Measured, lines, readings
from decam.export import randomisation as export
from decam.figures.stages import StageLine, stages_figure
from decam.methods import METHODS
from decam.metrics.similarity import SIMILARITIES
from decam.models import catalogue
from decam.ui import state, text
from decam.ui.compare import run_view
from decam.ui.components.charts import figures
from decam.ui.randomisation import grid
from decam.ui.randomisation.form import MODES
from decam.ui.randomisation.session import snapshot_of

SIGNED = {True: "Absolute", False: "Signed"}
EXPLAINED = (
    "Matrices and kernels that are drawn anew have mean 0 and the size that they had, biases and factors the mean and "
    "the spread that they had, so that the network still answers something; running averages of batch normalisation "
    "stay. Every map has a colour scale of its own, the top 1 % of its values clipped; its number is how alike "
    "it is to the original (1: the same map; a random map scores as the thin lines below the curves say)."
)


def show(snapshot: SanitySnapshot | None) -> None:
    """Draw a check; while it waits or runs, only this part of the page is drawn again, once a second."""
    if snapshot is not None:
        active = snapshot.active
        st.fragment(_live, run_every=run_view.POLL if active else None)(snapshot.id, active)


def _live(link: str, active: bool) -> None:
    check = snapshot_of(link)
    if check is None:
        return
    if active and not check.active:
        st.rerun()
    done, total = check.done
    st.markdown(_sentence(check))
    st.html(run_view.bar(done / total if total else 0.0, check.active))
    if check.note:
        st.warning(text.plain(check.note))
    if not check.found.methods:
        return
    how = _measured(check)
    grid.show(check, how, readings(check.plan, check.found, how))
    st.caption(f"{EXPLAINED} {THRESHOLDS}")
    if check.found.compared and not check.active:
        _curves(check, how)
    if check.found.originals and not check.active:
        _downloads(check)


def _measured(check: SanitySnapshot) -> Measured:
    """Draw the choice of what the numbers are."""
    st.session_state.setdefault("sanity-measure", next(iter(SIMILARITIES)))
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
        if _any_signed(check):
            st.session_state.setdefault("sanity-values", True)
            absolute = st.segmented_control(
                "Signed maps by",
                list(SIGNED),
                format_func=lambda value: SIGNED[value],
                key="sanity-values",
                required=True,
                help="Absolute compares where a map is strong, whatever its sign; signed counts the sign too.",
            )
    return Measured(measure or next(iter(SIMILARITIES)), absolute is not False)


def _any_signed(check: SanitySnapshot) -> bool:
    return any(METHODS[choice.name].signed for choice in check.plan.methods)


def _sentence(check: SanitySnapshot) -> str:
    plan, (done, total) = check.plan, check.done
    parts = [f"**{run_view.STATUS[check.status]}**"]
    if check.status == "queued" and check.ahead:
        parts.append(f"{text.several(check.ahead, 'job')} ahead of yours")
    if total:
        parts.append(f"{done} of {text.several(total, 'map')}" if done < total else text.several(total, "map"))
    entry = catalogue.ENTRIES.get(plan.model)
    parts += [entry.title if entry else text.plain(plan.model), text.plain(plan.picture)]
    parts += [MODES[plan.mode].lower(), f"seed {plan.seed}", text.when(check.created)]
    return f"{parts[0]} :gray[· {' · '.join(parts[1:])}]"


def _curves(check: SanitySnapshot, how: Measured) -> None:
    """One chart a measure, of the values chosen above."""
    found = check.found
    names = [variant.name for variant in found.variants]
    across = "random labels" if check.plan.mode == LABELS else "from the output to the input"
    st.markdown(f"**Similarity with the original map, {across}**")
    with st.container(key="curves"):
        for row in SIMILARITIES.values():
            told = [
                StageLine(line.title, line.method, line.values, line.floor)
                for line in lines(check.plan, found, Measured(row.name, how.absolute))
            ]
            figure = stages_figure(row.title, names, told, low=row.low, dark=state.dark())
            with st.container():
                figures.show(figure, f"sanity-{row.name}", f"{row.title} of all methods over the stages")


def _downloads(check: SanitySnapshot) -> None:
    name = f"decam-sanity-{check.created:%Y%m%d-%H%M}"
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "similarities.csv",
            data=lambda: export.similarities_csv(check),
            file_name=f"{name}.csv",
            mime="text/csv",
            key="download-similarities",
            on_click="ignore",
            icon=":material/download:",
            help="One line for each method, stage or control, measure and way of comparing.",
        )
        st.download_button(
            "maps.npz",
            data=lambda: export.maps_npz(check),
            file_name=f"{name}.npz",
            mime="application/octet-stream",
            key="download-sanity-maps",
            on_click="ignore",
            icon=":material/download:",
            help="All raw maps as NumPy arrays under method/stage, and the picture as the model saw it.",
        )
