"""A lesson's texts as HTML: facts filled in, terms explained on hover and focus, paragraphs, lists and bold words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from itertools import count

from decam.errors import SettingError
from decam.lessons.base import Fact
from decam.lessons.glossary import TERMS, term

_FACT = re.compile(r"\{(\w+)\}")
_TERM = re.compile(r"\[\[(?:([^\]|]+)\|)?([^\]|]+)\]\]")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def filled(text: str, facts: Mapping[str, Fact]) -> str:
    """The text with its facts read; raises SettingError for a fact that the lesson does not have."""

    def read(found: re.Match[str]) -> str:
        if found[1] not in facts:
            raise SettingError(f"The text names the fact {found[1]!r}; its lesson has: {', '.join(facts) or 'none'}.")
        return facts[found[1]]()

    return _FACT.sub(read, text)


def plain(text: str, facts: Mapping[str, Fact]) -> str:
    """The text without marks, for what shows no HTML: buttons, options, what is read aloud."""
    return _BOLD.sub(r"\1", _TERM.sub(lambda found: found[1] or found[2], filled(text, facts)))


def inline(text: str, facts: Mapping[str, Fact], place: str = "") -> str:
    """One line as HTML. Terms have their explanation beside them where `place` says where on the page the text is."""
    numbers = count(1)

    def explained(found: re.Match[str]) -> str:
        words, named = found[1] or found[2], term(found[2])
        if named is None:
            raise SettingError(f"The text names the term {found[2]!r}, which decam/lessons/glossary.py lacks; add it.")
        if not place:
            return words
        anchor = f"term-{place}-{next(numbers)}"
        return (
            f'<span class="dc-term"><span tabindex="0" aria-describedby="{anchor}">{words}</span>'
            f'<span role="tooltip" id="{anchor}"><b>{escape(named)}.</b> {escape(TERMS[named])}</span></span>'
        )

    safe = escape(filled(text, facts), quote=False)
    return _BOLD.sub(r"<b>\1</b>", _TERM.sub(explained, safe))


def html(text: str, facts: Mapping[str, Fact], place: str = "") -> str:
    """A text as paragraphs, parted by empty lines; lines that begin with a dash are a list."""
    parts = []
    for number, part in enumerate(filter(None, re.split(r"\n\s*\n", text.strip()))):
        lines = [line.strip() for line in part.splitlines()]
        where = f"{place}-{number}" if place else ""
        if all(line.startswith("- ") for line in lines):
            items = (inline(line[2:], facts, f"{where}-{at}" if where else "") for at, line in enumerate(lines))
            parts.append("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
        else:
            parts.append(f"<p>{inline(' '.join(lines), facts, where)}</p>")
    return "".join(parts)
