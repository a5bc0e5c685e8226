"""Small pictures: as data for the page, and as strips of samples that are chosen with one click."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from decam.classifier import Pixels
from decam.errors import ImageError
from decam.images import samples
from decam.images.samples import Sample
from decam.ui import text

SIDE = 192


@dataclass(frozen=True)
class Tile:
    """A picture to click: what it is called by the page, what the visitor reads, and its thumbnail."""

    name: str
    title: str
    kind: str
    uri: str


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
    found = [Tile(sample.name, sample.title, sample.kind, _sample_uri(sample.name)) for sample in shown]
    tiles(key, found, chosen, toggle)


def tiles(key: str, shown: Sequence[Tile], chosen: Collection[str], toggle: Callable[[str], None]) -> None:
    """Draw any pictures as `strip` draws samples."""
    st.html(f"<style>{''.join(background(f'{key}-{tile.name}', tile.uri) for tile in shown)}</style>")
    with st.container(horizontal=True, gap="xsmall", key=f"samples-{key}"):
        for tile in shown:
            title = text.plain(tile.title)
            st.button(
                title,
                key=f"{key}-{tile.name}",
                type="primary" if tile.name in chosen else "secondary",
                help=f"{title} ({tile.kind})",
                on_click=toggle,
                args=(tile.name,),
            )


def background(key: str, uri: str) -> str:
    """The rule that puts a picture behind the button of this key; the framework writes `-` for a colon."""
    return f".st-key-{key.replace(':', '-')} button {{ background-image: url({uri}); }}"
