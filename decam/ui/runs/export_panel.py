"""What can be taken away from a run: one ZIP, the settings that repeat it, and its tables by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from decam import export
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.plan import Plan
from decam.export import drawing, page, recipes, tables
from decam.figures.legend import CLIPPING
from decam.figures.look import Look
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.runs import run_grid, stimuli_panel

CONTENTS = {
    True: "Overlays (PNG), raw maps (NPZ), curves and metrics (CSV), images as the model saw them, and settings.",
    False: "Maps as images (PNG) and as raw numbers (NPZ), what each is worth, and settings.",
}
"""What the ZIP holds, by whether the run is about pictures."""
ONE_BY_ONE = {
    True: "The grid saves each overlay as PNG, and below each chart are its PNG, SVG and PDF. "
    "The replay needs the whole ZIP, because it checks the images too.",
    False: "The replay needs the whole ZIP, because it checks the maps too.",
}
RECIPES: Mapping[str, tuple[Callable[[Plan], str], str | None]] = {
    "Python": (recipes.python_text, "python"),
    "Command": (recipes.command_text, "bash"),
    "BibTeX": (recipes.bibtex, None),
}
"""The settings of a run as text, and the language that it is coloured by."""
FIGURE_HELP = {
    "Figure": "All images, maps and colour bars as one figure",
    "Curves": "The curves of all metrics that keep one, a row an image",
}
REPLAY = "python -m decam replay settings.json"


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the downloads; each file is made when its button is pressed."""
    del selected
    look = run_grid.look(snapshot)
    if not any(cell.explanation is not None for cell in snapshot.cells.values()):
        st.caption("There is something to export as soon as the first map is finished.")
        return
    name = f"decam-{snapshot.created:%Y%m%d-%H%M}"
    whole, parts = st.columns([1, 1], gap="large")
    with whole:
        st.markdown("**Everything in one file**")
        download(
            "Download ZIP",
            lambda: export.zip_bytes(
                snapshot.grid, look, _created(snapshot), name=snapshot.name, remark=snapshot.remark
            ),
            f"{name}.zip",
            "application/zip",
            CONTENTS[bool(snapshot.plan.pictures)],
            primary=True,
        )
        download(
            "Download page",
            lambda: page.page_bytes(
                snapshot.grid, look, _created(snapshot), name=snapshot.name, remark=snapshot.remark
            ),
            f"{name}.html",
            page.HTML,
            "One HTML file that opens anywhere, without internet: maps with their opacity, zoom, curves, generations.",
        )
        if snapshot.plan.pictures:
            st.caption(f"Overlays as this page shows maps: {_look(look)}.")
        st.caption("Unzip it and run this to make the same maps again:")
        st.code(REPLAY, language="bash")
    with parts:
        st.markdown("**One by one**")
        with st.container(horizontal=True, gap="small"):
            download(
                "metrics.csv",
                lambda: tables.metrics_csv(snapshot.grid),
                f"{name}-metrics.csv",
                "text/csv",
                "One line for each map: what every metric gives it, evaluations, seconds.",
            )
            download(
                "curves.csv",
                lambda: tables.curves_csv(snapshot.grid),
                f"{name}-curves.csv",
                "text/csv",
                "One line for each point of each metric's curves.",
            )
            download(
                "settings.json",
                lambda: _settings(snapshot, look),
                f"{name}-settings.json",
                "application/json",
                "Model, methods with their settings, seeds and versions.",
            )
        st.caption(ONE_BY_ONE[bool(snapshot.plan.pictures)])
    figures, recipe = st.columns([1, 1], gap="large")
    with figures:
        _figures(snapshot, look, name)
    with recipe:
        _recipe(snapshot)
    if snapshot.plan.pictures and not snapshot.plan.about_classes:
        stimuli_panel.show(snapshot, f"{name}-stimuli.zip")


def _recipe(snapshot: RunSnapshot) -> None:
    """Draw the settings as text to copy: Python, a command and the papers; where one cannot be had, why."""
    st.markdown("**Settings to copy**")
    kind = st.segmented_control(
        "Settings as",
        list(RECIPES),
        default=next(iter(RECIPES)),
        required=True,
        label_visibility="collapsed",
        key=f"recipe-{snapshot.id}",
        persist_state="session",
    )
    make, language = RECIPES[kind]
    try:
        st.code(make(snapshot.plan), language=language, wrap_lines=False, height=300)
    except SettingError as error:
        st.caption(text.plain(str(error)))


def _figures(snapshot: RunSnapshot, look: Look, name: str) -> None:
    """Draw the choice of values under maps, and the files of a figure for a paper."""
    grid, titles = snapshot.grid, snapshot.plan.metric_titles()
    st.markdown("**Figure for a paper**")
    if len(snapshot.plan.questions) > drawing.MOST_ROWS:
        st.caption(f"A figure has room for {drawing.MOST_ROWS} rows. Take single maps from the ZIP instead.")
        return
    metrics: list[str] = []
    if titles and snapshot.plan.pictures:
        metrics = st.multiselect(
            "Values under maps",
            list(titles),
            format_func=lambda key: text.plain(titles[key]),
            key=f"figure-metrics-{snapshot.id}",
            persist_state="session",
            wrap=True,
            placeholder="None",
            help="Metrics whose values stand under each map. The best of each row is bold.",
        )
    _kinds("Figure", lambda kind: drawing.figure_bytes(grid, kind, look, metrics=metrics), f"{name}-maps")
    if drawing.has_curves(grid):
        _kinds("Curves", lambda kind: drawing.curves_bytes(grid, kind), f"{name}-curves")
    st.caption(
        "White paper, titles of rows and columns, colour bars with their values. PNG has 300 dots an inch; in SVG and "
        "PDF text stays text."
    )


def _kinds(title: str, make: Callable[[str], bytes], file: str) -> None:
    with st.container(horizontal=True, gap="small"):
        for kind, mime in drawing.FORMATS.items():
            label = f"{title} {kind.upper()}"
            download(label, partial(make, kind), f"{file}.{kind}", mime, f"{FIGURE_HELP[title]} ({kind.upper()}).")


def _look(look: Look) -> str:
    """How overlays are drawn, in words."""
    ends = "to the extremes" if look.extremes else CLIPPING
    scale = f"one scale a method, {ends}" if look.shared else f"a scale for each map, {ends}"
    words = [look.colours, f"opacity {round(100 * look.opacity)} %", "by rank" if look.ranks else scale]
    return ", ".join([*words, *(["contours"] if look.contours else [])])


def _settings(snapshot: RunSnapshot, look: Look) -> bytes:
    files = export.files(snapshot.grid, look, _created(snapshot), name=snapshot.name, remark=snapshot.remark)
    return next(content for name, content in files if name == "settings.json")


def _created(snapshot: RunSnapshot) -> str:
    return snapshot.created.isoformat(timespec="seconds")


def download(label: str, make: Callable[[], bytes], file: str, mime: str, help: str, *, primary: bool = False) -> None:
    """A button that makes a file when it is pressed, not before."""
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
