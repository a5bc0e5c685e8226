"""What a visitor sees before any picture is chosen: one line, and the samples right there."""

from __future__ import annotations

import streamlit as st

from decam.images.samples import SAMPLES
from decam.ui import pictures, thumbnails


def show() -> None:
    """Draw the samples large."""
    with st.container(key="welcome"):
        st.subheader("Why does this model see that in your picture?")
        st.markdown(
            "Choose a sample, or drop pictures into the sidebar; then press **Explain** to watch DE-CAM converge "
            "beside other saliency methods."
        )
        thumbnails.strip("welcome", SAMPLES, (), pictures.toggle)
