"""One line on work that is awaited, with a bar, for pages that look again and again."""

from __future__ import annotations

import streamlit as st

from decam.export.standing import Standing
from decam.ui import text
from decam.ui.compare import run_view


def line(title: str, stands: Standing) -> None:
    """Say that the work `title` waits behind others, or how far it has come."""
    facts = " · ".join(text.plain(fact) for fact in (title, *stands.facts))
    st.markdown(f"**:material/{stands.icon}: {stands.title}** :gray[· {facts}]")
    st.html(run_view.bar(stands.share, True))
