"""The measures of a search by names that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

from decam.ui import text

_DOT = " · "


def apart(titles: Sequence[str]) -> list[str]:
    """Titles without what all of them begin with."""
    heads = {title.partition(_DOT)[0] for title in titles}
    alike = len(heads) == 1 and all(_DOT in title for title in titles)
    return [text.capital(title.partition(_DOT)[2]) if alike else title for title in titles]
