"""What a visitor sees before any picture is chosen: one line, and the samples right there."""

from __future__ import annotations

import streamlit as st

from decam.images.samples import SAMPLES
from decam.ui.shared import pictures, thumbnails


def show() -> None:
    """Draw the samples large."""
    _samples(
        "Why does this model see that in your picture?",
        "Choose a sample, or drop pictures into the sidebar; then press **Explain** to watch DE-CAM converge "
        "beside other saliency methods.",
    )


def show_search() -> None:
    """Draw the samples large on the page of one search."""
    _samples(
        "How does Differential Evolution find what matters?",
        "Choose a sample, or drop a picture into the sidebar; then press **Explain** and watch masks breed: the "
        "population, each trial vector, and the pictures that the model is asked about. **Landscapes** shows the "
        "same search where it can be seen whole.",
    )


def _samples(title: str, text: str) -> None:
    with st.container(key="welcome"):
        st.subheader(title)
        st.markdown(text)
        thumbnails.strip("welcome", SAMPLES, (), pictures.toggle)


def show_sanity() -> None:
    """Draw the samples large on the page of sanity checks."""
    _samples(
        "Does the map show what the model learnt?",
        "Choose a sample, or drop a picture into the sidebar; then press **Randomise**: the model forgets stage by "
        "stage, from its output to its input, and each method makes its map again. A map that stays as it was never "
        "showed what the model had learnt (Adebayo et al. 2018).",
    )
