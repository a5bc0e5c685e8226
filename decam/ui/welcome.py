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


def show_search() -> None:
    """Draw the samples large on the page of one search."""
    with st.container(key="welcome"):
        st.subheader("How does Differential Evolution find what matters?")
        st.markdown(
            "Choose a sample, or drop a picture into the sidebar; then press **Explain** and watch masks breed: the "
            "population, each trial vector, and the pictures that the model is asked about. **Landscapes** shows the "
            "same search where it can be seen whole."
        )
        thumbnails.strip("welcome", SAMPLES, (), pictures.toggle)
