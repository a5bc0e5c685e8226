"""Finished figures on the page, with a quiet toolbar above them."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from decam.ui import state

HIDDEN = ("select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "pan2d")
INK = {False: "#6b6d78", True: "#a3a8b4"}


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
