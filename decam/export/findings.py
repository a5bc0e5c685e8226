"""What a run has found, in words: as text beside its maps, and as a part of a page."""

from __future__ import annotations

from html import escape
from itertools import groupby

from decam.experiments.grid import Grid
from decam.experiments.kinds import Reading, reading
from decam.export.standing import unbroken

TITLE = "What this says"


def line(one: Reading) -> str:
    """A finding on one line, its subject before it; nothing in a name breaks the line."""
    return unbroken(f"{one.subject}: {one.sentence}" if one.subject else one.sentence)


def reading_txt(grid: Grid) -> bytes | None:
    """The findings as UTF-8 text, one a line; None where there are none."""
    found = reading(grid)
    return "".join(f"{line(one)}\n" for one in found).encode() if found else None


def reading_html(grid: Grid) -> str:
    """The findings as HTML: what is about the whole run as paragraphs, the rest as a list; empty for none."""
    parts = []
    for about_part, found in groupby(reading(grid), lambda one: bool(one.subject)):
        if about_part:
            rows = (f"<div><dt>{escape(one.subject)}</dt><dd>{escape(one.sentence)}</dd></div>" for one in found)
            parts.append(f"<dl>{''.join(rows)}</dl>")
        else:
            parts += [f"<p>{escape(one.sentence)}</p>" for one in found]
    return "\n".join(parts)
