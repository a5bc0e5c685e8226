"""What a visitor sees before any picture is chosen: one line, and the samples right there."""

from __future__ import annotations

import streamlit as st

from decam.images.samples import SAMPLES
from decam.ui.shared import pictures, thumbnails


def show() -> None:
    """Draw the samples large."""
    _samples(
        "Which pixels make the model say “cat”?",
        "Pick a sample or upload your own images, then press **Explain**. Saliency methods answer side by side while "
        "you watch DE-CAM converge.",
    )


def show_search() -> None:
    """Draw the samples large on the page of one search."""
    _samples(
        "How does Differential Evolution find the pixels that matter?",
        "Pick a sample or upload an image, then press **Explain** and watch masks evolve: the population, each trial "
        "vector, and the images the model is asked about. **Landscapes** shows the same algorithm on functions of "
        "two variables, where you can see the whole search.",
    )


def _samples(title: str, text: str) -> None:
    with st.container(key="welcome"):
        st.header(title)
        st.markdown(text)
        thumbnails.strip("welcome", SAMPLES, (), pictures.toggle)


def show_sanity() -> None:
    """Draw the samples large on the page of sanity checks."""
    _samples(
        "Does the map show what the model learned?",
        "Pick a sample or upload an image, then press **Randomise**. The model's weights are replaced by random ones, "
        "layer by layer from the output, and every map is recomputed. A map that does not change never showed what the "
        "model learned (Adebayo et al. 2018).",
    )
