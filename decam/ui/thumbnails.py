"""Small pictures: as data for the page, and as strips of samples that are chosen with one click."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Sequence

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from decam.classifier import Pixels
from decam.errors import ImageError
from decam.images import samples
from decam.images.samples import Sample

SIDE = 192


def pixels(image: Image.Image) -> Pixels:
    """An image as H×W×3 uint8."""
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def uri(image: Image.Image, side: int) -> str:
    """The image cropped to a square of `side` pixels, as JPEG in a data address."""
    buffer = io.BytesIO()
    ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@st.cache_data(show_spinner=False, max_entries=512)
def view_uri(view: Pixels, side: int) -> str:
    """A model's view as a square thumbnail in a data address."""
    return uri(Image.fromarray(view), side)


@st.cache_data(show_spinner=False)
def _sample_uri(name: str) -> str:
    try:
        return uri(samples.get(name).load(), SIDE)
    except ImageError:
        return ""  # the button stays, with its title alone


def strip(key: str, shown: Sequence[Sample], chosen: Collection[str], toggle: Callable[[str], None]) -> None:
    """Draw samples as pictures to click; `toggle` is called with the name of the one that was clicked."""
    rules = [
        f".st-key-{key}-{sample.name} button {{ background-image: url({_sample_uri(sample.name)}); }}"
        for sample in shown
    ]
    st.html(f"<style>{''.join(rules)}</style>")
    with st.container(horizontal=True, gap="xsmall", key=f"samples-{key}"):
        for sample in shown:
            st.button(
                sample.title,
                key=f"{key}-{sample.name}",
                type="primary" if sample.name in chosen else "secondary",
                help=f"{sample.title} ({sample.kind})",
                on_click=toggle,
                args=(sample.name,),
            )
