"""Small pictures: as data for the page, and as strips of samples that are chosen with one click."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageOps

from decam.classifier import Pixels
from decam.errors import ImageError
from decam.figures import data_uri
from decam.images import samples
from decam.images.samples import Sample
from decam.images.seen_part import Part
from decam.ui import text

SIDE = 192
KINDS = {"scene": "scene", "photograph": "photo"}
"""What a visitor reads of a sample's kind."""
DIMMED = (128, 128, 128)


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
    return _jpeg(ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS))


def _jpeg(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return data_uri(buffer.getvalue(), "image/jpeg")


@st.cache_data(show_spinner=False, max_entries=512)
def view_uri(view: Pixels, side: int) -> str:
    """A model's view as a square thumbnail in a data address."""
    return uri(Image.fromarray(view), side)


@st.cache_data(show_spinner=False, max_entries=512)
def framed_uri(key: str, view: Pixels, part: Part, side: int, _whole: Callable[[], Image.Image]) -> str:
    """A whole picture in a data address, dimmed but for the framed part that is the model's view.

    `key` tells the picture from others. Where the view shows all of the picture, it is the view alone.
    """
    del key  # it names the entry in the cache
    if part.whole or min(part.top, part.left, 1 - part.bottom, 1 - part.right) < 0:
        return view_uri(view, side)
    picture = _whole().convert("RGB")
    picture.thumbnail((2 * side, 2 * side))  # so many that the line is sharp on fine screens
    width, height = picture.size
    corners = (part.left * width, part.top * height, part.right * width, part.bottom * height)
    left, top, right, bottom = (round(corner) for corner in corners)
    shown = Image.blend(picture, Image.new("RGB", picture.size, DIMMED), 0.6)
    shown.paste(Image.fromarray(view).resize((right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))
    line = ImageDraw.Draw(shown)
    line.rectangle((left, top, right - 1, bottom - 1), outline="black", width=3)
    line.rectangle((left, top, right - 1, bottom - 1), outline="white", width=2)
    return _jpeg(shown)


@st.cache_data(show_spinner=False, max_entries=512)
def whole_uri(key: str, side: int, _whole: Callable[[], Image.Image]) -> str:
    """A whole picture as a square thumbnail in a data address; `key` tells it from others."""
    del key  # it names the entry in the cache
    return uri(_whole(), side)


@st.cache_data(show_spinner=False)
def _sample_uri(name: str) -> str:
    try:
        return uri(samples.get(name).load(), SIDE)
    except ImageError:
        return ""  # the button stays, with its title alone


def strip(key: str, shown: Sequence[Sample], chosen: Collection[str], toggle: Callable[[str], None]) -> None:
    """Draw samples as pictures to click; `toggle` is called with the name of the one that was clicked."""
    found = [Tile(sample.name, sample.title, KINDS[sample.kind], _sample_uri(sample.name)) for sample in shown]
    tiles(key, found, chosen, toggle)


def tiles(key: str, shown: Sequence[Tile], chosen: Collection[str], toggle: Callable[[str], None]) -> None:
    """Draw any pictures as `strip` draws samples."""
    st.html(f"<style>{''.join(background(f'{key}-{tile.name}', tile.uri) for tile in shown)}</style>")
    with st.container(horizontal=True, gap="xsmall", key=f"samples-{key}"):
        for tile in shown:
            title = text.plain(tile.title)
            st.button(
                # The framework's buttons cannot be "pressed", so the name says it; no eye sees it.
                f"{title}, chosen" if tile.name in chosen else title,
                key=f"{key}-{tile.name}",
                type="primary" if tile.name in chosen else "secondary",
                help=f"{title} ({tile.kind})",
                on_click=toggle,
                args=(tile.name,),
            )


def background(key: str, uri: str) -> str:
    """The rule that puts a picture behind the button of this key; the framework writes `-` for a colon."""
    rule = f".st-key-{key.replace(':', '-')} button"
    return f"{rule}, {rule}:hover, {rule}:active {{ background-image: url({uri}); }}"
