"""Text that fits, and files read back by others: dots an inch, text that stays text, fonts inside."""

from __future__ import annotations

import io
import re
import zlib
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rcParams
from matplotlib.figure import Figure
from PIL import Image

from decam.errors import SettingError
from decam.figures import printed
from decam.figures.formats import FORMATS

WORDS = "A figure of $x$ and Füße"


@pytest.fixture
def figure() -> Figure:
    """Two inches by one, with a line of text."""
    with printed.style():
        figure = Figure(figsize=(2, 1))
        printed.put(figure, 0.1, 0.5, WORDS, 7)
    return figure


def test_a_png_has_300_dots_an_inch_on_white(figure: Figure) -> None:
    image = Image.open(io.BytesIO(printed.file_bytes(figure, "png", "A title")))
    assert image.size == (600, 300)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert image.convert("RGB").getpixel((599, 0)) == (255, 255, 255)
    assert image.text["Title"] == "A title"


def test_in_an_svg_text_stays_text(figure: Figure) -> None:
    tree = ElementTree.fromstring(printed.file_bytes(figure, "svg"))
    texts = ["".join(one.itertext()) for one in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [WORDS]
    assert (tree.get("width"), tree.get("height")) == ("144pt", "72pt")


@pytest.mark.slow
def test_a_pdf_embeds_its_font_as_truetype(figure: Figure) -> None:
    content = printed.file_bytes(figure, "pdf")
    assert content.startswith(b"%PDF-1.")
    whole = content + b"".join(_inflated(content))
    assert b"/FontFile2" in whole and b"DejaVuSans" in whole and b"/Type3" not in whole


def _inflated(content: bytes) -> list[bytes]:
    """The streams of a PDF that are packed."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(match[1]))
        except zlib.error:
            continue  # a stream that is not packed is in the file as it is
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_figure_gives_the_same_bytes_and_leaves_settings_alone(figure: Figure, kind: str) -> None:
    before = dict(rcParams)
    assert printed.file_bytes(figure, kind) == printed.file_bytes(figure, kind)
    assert dict(rcParams) == before


def clipped(width: float) -> bytes:
    with printed.style():
        figure = Figure(figsize=(2, 1))
        for left in (0.1, 0.6):
            figure.add_axes((left, 0.1, width, 0.8)).plot([0, 1], [0, 1])
    return printed.file_bytes(figure, "svg")


@pytest.mark.slow
def test_a_difference_in_the_last_digit_of_a_box_does_not_show_in_an_svg() -> None:
    one = clipped(0.3)
    assert clipped(0.3 + 1e-14) == one != clipped(0.31)
    names = re.findall(rb'<clipPath id="([^"]*)"', one)
    assert len(set(names)) == 2
    assert set(re.findall(rb"url\(#([^)]*)\)", one)) == set(names)


def test_another_kind_of_file_is_refused_with_those_that_exist(figure: Figure) -> None:
    with pytest.raises(SettingError, match=r"no kind of figure 'gif'; there are: png, svg, pdf"):
        printed.file_bytes(figure, "gif")


@pytest.mark.slow
@given(st.text(max_size=60), st.floats(0.3, 3), st.integers(1, 3))
def test_what_is_fitted_is_never_wider_and_has_no_more_lines(text: str, width: float, lines: int) -> None:
    rows = printed.fitted(text, width, 7, lines=lines).split("\n")
    assert len(rows) <= lines
    assert all(printed.width_of(row, 7) <= width for row in rows)
    whole = " ".join(text.split())
    if "…" not in "".join(rows):
        assert " ".join(rows) == printed.written(whole)


def test_a_letter_that_the_font_lacks_is_marked() -> None:
    assert printed.written("猫 cat\nÄ") == f"{printed.UNKNOWN} cat Ä"
