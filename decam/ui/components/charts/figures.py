"""Finished figures on the page, with a quiet toolbar above them, and their files for a paper below."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import plotly.graph_objects as go
import streamlit as st

from decam.export import slug
from decam.figures.formats import FORMATS
from decam.ui import state, text

HIDDEN = ("select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "pan2d")
INK = {False: "#6b6d78", True: "#a3a8b4"}


class Making(Protocol):
    """What draws a chart, for a dark page or a light one."""

    def __call__(self, *, dark: bool) -> go.Figure:
        """The chart."""


def offer(make: Making, key: str, title: str, alt: str = "", *, name: str = "", paper: Making | None = None) -> None:
    """Draw a chart in the theme of the page, and its files below it; `title` stands above it on paper.

    `alt` is what a screen reader says, the title unless given; `name` begins the files, the key unless given. `paper`
    draws the chart of the files where it is another one, such as one without what is chosen on the page.
    """
    with st.container(key=f"offered-{key}", gap="xxsmall"):
        show(make(dark=state.dark()), key, alt or title)
        files(paper or make, key, title, name)


def files(make: Making, key: str, title: str, name: str = "") -> None:
    """Buttons that save a chart for a paper, light whatever the page's theme is; made when one is pressed.

    Each says the title to screen readers alone, which have no chart beside it.
    """
    with st.container(key=f"chart-files-{key}", horizontal=True, gap="small"):
        for kind, mime in FORMATS.items():
            st.download_button(
                f"{kind.upper()} *of {text.plain(title)}*",
                data=partial(_file, make, kind, title),
                file_name=f"{slug(name or key)}.{kind}",
                mime=mime,
                key=f"chart-{kind}-{key}",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                help=f"“{title}” for a paper, on white, as {kind.upper()}.",
            )


def _file(make: Making, kind: str, title: str) -> bytes:
    from decam.figures.paper import paper_bytes  # matplotlib takes a second to import

    return paper_bytes(make(dark=False), kind, title)


def show(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure in the theme of the page; its camera saves it as a picture, a double click resets its zoom."""
    figure.update_layout(
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": INK[state.dark()], "activecolor": "#3b78d8", "orientation": "v"}
    )
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        alt=alt,
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": list(HIDDEN),
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
        },
    )
