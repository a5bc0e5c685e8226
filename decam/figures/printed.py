"""Figures for print, drawn by matplotlib on white paper: type, colours, text that fits, and the files they become."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeAlias

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from decam import __version__
from decam.errors import SettingError, unknown
from decam.figures.formats import FORMATS

DPI = 300
Box: TypeAlias = tuple[float, float, float, float]
TEXT_WIDTH = 7.16
"""Inches across both columns of a journal's page."""
INK, FAINT, LINE = "#1f2430", "#5c606c", "#b9bcc6"
FONT = "DejaVu Sans"  # comes with matplotlib: a figure looks the same wherever it is made
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for a letter that the font lacks."""
_STYLE: dict[Any, Any] = {
    "font.family": [FONT],
    "font.size": 7.0,
    "text.color": INK,
    "text.parse_math": False,  # a name may have two dollars in it
    "axes.edgecolor": LINE,
    "axes.labelcolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "image.composite_image": False,
    "pdf.fonttype": 42,  # TrueType: text can be searched, copied and edited
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "decam",
}
_LOCK = threading.Lock()
_CLIP = re.compile(rb'<clipPath id="(p[0-9a-f]{10})">\s*(<[^>]*>)')


@contextmanager
def style() -> Iterator[None]:
    """The settings of all printed figures; one thread at a time, for matplotlib's settings are everybody's."""
    with _LOCK, rc_context(_STYLE):
        yield


def file_bytes(figure: Figure, kind: str, title: str = "", *, dpi: int = DPI) -> bytes:
    """A figure as a file of a kind in FORMATS, the same bytes each time; a PNG has `dpi` dots an inch.

    In PDF fonts are embedded, in SVG text stays text. Raises SettingError for another kind.
    """
    if kind not in FORMATS:
        raise SettingError(unknown("kind of figure", kind, FORMATS))
    dated: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    about = {"Software" if kind == "png" else "Creator": f"decam {__version__}", "Title": title, **dated[kind]}
    buffer = io.BytesIO()
    with style():
        for axes in figure.axes:
            for image in axes.images:
                # Vector files keep a picture's own pixels; on paper of dots they are spread smoothly.
                image.set_interpolation("bicubic" if kind == "png" else "none")
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=about, facecolor="white")
    return _with_ids_as_drawn(buffer.getvalue()) if kind == "svg" else buffer.getvalue()


def _with_ids_as_drawn(svg: bytes) -> bytes:
    """Each clip path is called after its box as written, to a millionth of a point.

    matplotlib calls it after the box in full precision, whose last digit depends on where in memory a matrix lay.
    """
    for name, box in _CLIP.findall(svg):
        svg = svg.replace(name, b"p" + hashlib.sha256(box).hexdigest()[:10].encode())
    return svg


def written(text: str) -> str:
    """A text in the letters that the font has; each of the others becomes UNKNOWN, a line break a space."""
    return "".join(letter if letter == " " or ord(letter) in _letters() else UNKNOWN for letter in _line(text))


def written_lines(text: str) -> str:
    """As `written`, but each line break stays one."""
    return "\n".join(written(line) for line in text.splitlines())


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at a size in points, in inches."""
    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) / 72


def fitted(text: str, width: float, size: float, *, lines: int = 1, bold: bool = False) -> str:
    """A text broken between words into lines of at most `width` inches; what does not fit ends in an ellipsis."""
    words, rows = written(text).split(), [""]
    for place, word in enumerate(words):
        longer = f"{rows[-1]} {word}".strip()
        if width_of(longer, size, bold=bold) <= width:
            rows[-1] = longer
        elif len(rows) < lines and rows[-1]:
            rows.append(word)
        else:
            rows[-1] = " ".join([rows[-1], *words[place:]]).strip()
            break
    return "\n".join(_cut(row, width, size, bold) for row in rows)


def put(figure: Figure, x: float, y: float, text: str, size: float, **how: Any) -> Text:
    """Write a text at x and y inches from the lower left corner; `how` goes to matplotlib."""
    width, height = figure.get_size_inches()
    return figure.text(x / width, y / height, text, fontsize=size, **how)


def shares(figure: Figure, left: float, bottom: float, width: float, height: float) -> Box:
    """A box in inches as shares of the figure, as axes take it."""
    across, up = figure.get_size_inches()
    return (left / across, bottom / up, width / across, height / up)


def _cut(row: str, width: float, size: float, bold: bool) -> str:
    if width_of(row, size, bold=bold) <= width:
        return row
    while row and width_of(f"{row}…", size, bold=bold) > width:
        row = row[:-1]
    return f"{row.rstrip()}…"


def _line(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())
