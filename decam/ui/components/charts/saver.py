"""Buttons that save a chart of the page as SVG and as PNG, as it looks there."""

from __future__ import annotations

import re

import streamlit as st

from decam.ui.components import component_key, source, styles

_SAVER = st.components.v2.component(
    "decam_saver", css=styles("shared/base.css", "charts/saver.css"), js=source("charts/saver.js")
)


def saver(chart: str, name: str, title: str) -> None:
    """Draw the buttons for the chart with the key `chart`; `name` begins the files, and `title` says what they show."""
    place = re.sub("[^a-zA-Z0-9_-]", "-", chart)  # the class that Streamlit makes from a key
    data = {"chart": place, "name": name, "title": title}
    _SAVER(key=component_key(f"saver-{chart}"), data=data, height="content")
