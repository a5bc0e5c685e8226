"""A run's maps as stimuli for a study elsewhere: how they look, one of them, and the ZIP."""

from __future__ import annotations

import streamlit as st

from decam.export.stimulus_set import example, in_words, stimulus_zip
from decam.figures.stimulus import APPLIES, Display
from decam.runs.snapshots import RunSnapshot
from decam.settings import Parameter
from decam.ui import text
from decam.ui.shared.fields import field

SIDE = 200
SEED = Parameter("seed", int, 0, "seed of the codes", "Decides the codes that files are named by.", 0, 2**53 - 1)
HELP = (
    "One PNG a map, named by a code that tells neither method nor order; manifest.csv, which says what each is; and a "
    "codebook."
)
ABOUT = (
    "All maps in one size and one look, without text in them. Files have blind names; keep manifest.csv from those who "
    "take part. A study that decam itself runs is made on the page Studies."
)


def show(snapshot: RunSnapshot, file: str) -> None:
    """Draw the choices, a stimulus as an example, and the download."""
    st.markdown("**Stimuli for a study**")
    st.caption(ABOUT)
    choices, beside = st.columns([2, 1], gap="large")
    with choices:
        display, seed = _chosen(snapshot)
        st.download_button(
            "Download stimuli",
            data=lambda: stimulus_zip(snapshot.grid, display, seed),
            file_name=file,
            mime="application/zip",
            help=HELP,
            key="download-stimuli",
            on_click="ignore",
            icon=":material/download:",
        )
    with beside:
        _example(snapshot, display)


def _chosen(snapshot: RunSnapshot) -> tuple[Display, int]:
    """The look and the seed; settings that the view does not use are not offered."""
    parameters = {one.name: one for one in Display.parameters()}

    def put(one: Parameter) -> int | float | str | bool:
        with next(columns):
            return field(f"stimuli-{snapshot.id}-{one.name}", one)

    columns = iter([*st.columns(3), *st.columns(3)])
    values = {"view": put(parameters["view"])}
    values |= {name: put(parameters[name]) for name in (*APPLIES[str(values["view"])], "size")}
    return Display.from_mapping(values), int(put(SEED))


def _example(snapshot: RunSnapshot, display: Display) -> None:
    """The first map as it leaves."""
    key, pixels = example(snapshot.grid, display)
    title = f"{snapshot.plan.picture_of(key.question).name}, {snapshot.plan.titles()[key.method]}"
    st.image(pixels, width=SIDE, alt=f"Stimulus: {title}")
    st.caption(f"{text.plain(title)}: {in_words(display)}.")
