"""Numbers and names as a reader meets them: short, and safe inside Markdown."""

from __future__ import annotations

import html
import re

from decam.export.standing import spending as spending
from decam.export.standing import when as when
from decam.numerals import fixed as fixed
from decam.numerals import several as several
from decam.shares import percent as percent

# What means something to Markdown anywhere, and what means something only where a line begins.
_INSIDE = re.compile(r"[\\`*\[\]$<~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|:(?=[A-Za-z])")
_FIRST = re.compile(r"^ *(\d*)(?=[#>+.)-])")
# Control characters, line breaks among them, and marks that turn the text behind them around.
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text that Markdown shows as it is, whatever a file was called."""
    return _FIRST.sub(r"\1\\", _INSIDE.sub(r"\\\g<0>", visible(text)))


def escaped(text: str) -> str:
    """Text that HTML shows as it is."""
    return html.escape(visible(text), quote=True)


def visible(text: str) -> str:
    """The text on one line, with a mark for each character that cannot be seen or would reorder what follows it."""
    return _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def shortened(text: str, most: int) -> str:
    """The text with its middle left out where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 1]}…{text[-end:]}"


def millions(count: int) -> str:
    """A count of parameters: 25.6 M."""
    return f"{count / 1e6:.1f} M"


def megabytes(size: int) -> str:
    """Bytes as 98 MB."""
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def evaluations(count: int) -> str:
    """A cost in images through the model."""
    return "free" if count == 0 else f"{count:,}"


def capital(text: str) -> str:
    """The text with a capital first."""
    return text[:1].upper() + text[1:]
