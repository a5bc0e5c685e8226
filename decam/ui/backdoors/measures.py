"""The measures of a search by names that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

from decam.ui import text

_DOT = " · "


def apart(titles: Sequence[str]) -> list[str]:
    """Titles without what most of them begin with; where none begins like most, as they are."""
    heads = [title.partition(_DOT)[0] for title in titles if _DOT in title]
    usual = next((head for head in heads if 2 * heads.count(head) > len(titles)), None)
    return [text.capital(title.partition(_DOT)[2]) if _begins(title, usual) else title for title in titles]


def _begins(title: str, head: str | None) -> bool:
    return head is not None and title.startswith(head + _DOT)
