"""What can be taken away from a run: one ZIP, the settings that repeat it, and its tables by themselves."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from decam import export
from decam.experiments.cells import CellKey
from decam.export import tables
from decam.runs.snapshots import RunSnapshot
from decam.ui.compare import run_grid

CONTENTS = {
    True: "Overlays (PNG), raw maps (NPZ), curves and metrics (CSV), pictures as the model saw them, and settings.",
    False: "Maps as pictures (PNG) and as raw numbers (NPZ), what each is worth, and settings.",
}
"""What the ZIP holds, by whether the run is about pictures."""
ONE_BY_ONE = {
    True: "The grid of the Compare page saves each overlay, and the camera above a figure saves that figure, as PNG. "
    "The replay needs the whole ZIP, since it checks the pictures too.",
    False: "The replay needs the whole ZIP, since it checks the maps too.",
}
REPLAY = "python -m decam replay settings.json"


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the downloads; each file is made when its button is pressed."""
    del selected
    look = export.Look(extremes=run_grid.extremes(snapshot))
    if not any(cell.explanation is not None for cell in snapshot.cells.values()):
        st.caption("There is something to export as soon as the first map is finished.")
        return
    name = f"decam-{snapshot.created:%Y%m%d-%H%M}"
    whole, parts = st.columns([1, 1], gap="large")
    with whole:
        st.markdown("**Everything in one file**")
        _download(
            "Download ZIP",
            lambda: export.zip_bytes(snapshot.grid, look, _created(snapshot)),
            f"{name}.zip",
            "application/zip",
            CONTENTS[bool(snapshot.plan.pictures)],
            primary=True,
        )
        if snapshot.plan.pictures:
            colours = "run to each map's extremes" if look.extremes else "leave out the top 1 % of each map's values"
            st.caption(f"As on this page, colours of overlays {colours}.")
        st.caption("Unpacked, its settings make the same maps again:")
        st.code(REPLAY, language="bash")
    with parts:
        st.markdown("**One by one**")
        with st.container(horizontal=True, gap="small"):
            _download(
                "metrics.csv",
                lambda: tables.metrics_csv(snapshot.grid),
                f"{name}-metrics.csv",
                "text/csv",
                "One line for each map: what every metric gives it, evaluations, seconds.",
            )
            _download(
                "curves.csv",
                lambda: tables.curves_csv(snapshot.grid),
                f"{name}-curves.csv",
                "text/csv",
                "One line for each point of each metric's curves.",
            )
            _download(
                "settings.json",
                lambda: _settings(snapshot, look),
                f"{name}-settings.json",
                "application/json",
                "Model, methods with their settings, seeds and versions.",
            )
        st.caption(ONE_BY_ONE[bool(snapshot.plan.pictures)])


def _settings(snapshot: RunSnapshot, look: export.Look) -> bytes:
    files = export.files(snapshot.grid, look, _created(snapshot))
    return next(content for name, content in files if name == "settings.json")


def _created(snapshot: RunSnapshot) -> str:
    return snapshot.created.isoformat(timespec="seconds")


def _download(label: str, make: Callable[[], bytes], file: str, mime: str, help: str, *, primary: bool = False) -> None:
    st.download_button(
        label,
        data=make,
        file_name=file,
        mime=mime,
        help=help,
        key=f"download-{label}",
        on_click="ignore",
        type="primary" if primary else "secondary",
        icon=":material/download:",
    )
