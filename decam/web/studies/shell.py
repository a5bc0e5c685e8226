"""The page of a study as HTML, the same for all: the script fills it in. Texts in it are escaped, and never markup."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from decam.studies.wording import Wording

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

# Nothing comes from elsewhere, nothing runs that is written into a page, and no form leads away. Platforms such as
# Mechanical Turk show a study in a frame of theirs, so participants' pages may be framed, and previews by this server.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'"
PREVIEW_POLICY = f"{POLICY}; frame-ancestors 'self'"

# What the browser draws itself, and when the dark colours hold.
_SYSTEM = ("light dark", "(prefers-color-scheme: dark)")
_THEMES = {"light": ("light", "not all"), "dark": ("dark", "all")}

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="{scheme}">
<title>{title}</title>
<link rel="icon" href="{files}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{files}/page.css">
<link rel="stylesheet" href="{files}/dark.css" media="{dark}">
{script}</head>
<body{data}>
<main>{content}</main>
</body>
</html>
"""


@dataclass(frozen=True)
class File:
    """A script or a style sheet of the page."""

    content: bytes
    media_type: str


@cache
def files() -> dict[str, File]:
    """All files of the page by their names."""
    found = sorted(path for path in _FOLDER.iterdir() if path.suffix in _TYPES)
    return {path.name: File(path.read_bytes(), _TYPES[path.suffix]) for path in found}


@cache
def version() -> str:
    """A name for the present content of all files, under which browsers may keep them for good."""
    content = b"".join(name.encode() + one.content for name, one in files().items())
    return hashlib.sha256(content).hexdigest()[:16]


def page(wording: Wording, up: str = "", preview: str = "", theme: str = "") -> str:
    """The page whose script takes the participant along; `up` leads to /study/, `preview` to the preview's routes.

    `theme` is "light" or "dark"; any other follows the visitor's system.
    """
    texts = json.dumps(own_texts(wording.texts), ensure_ascii=False)
    data = f' data-texts="{escape(texts)}"' + (f' data-preview="{escape(preview)}"' if preview else "")
    script = f'<script type="module" src="{up}files/{version()}/page.js"></script>\n'
    content = f'<p class="waiting">{escape(wording("page.loading"))}</p>'
    content += f"<noscript><p>{escape(wording('page.script'))}</p></noscript>"
    return _filled(wording, up, script, data, content, theme)


def refusal(wording: Wording, sentence: str, up: str = "") -> str:
    """A page without a script that says why there is nothing here."""
    content = f'<section class="message"><h1>{escape(wording("page.refused"))}</h1><p>{escape(sentence)}</p></section>'
    return _filled(wording, up, "", "", content)


def _filled(wording: Wording, up: str, script: str, data: str, content: str, theme: str = "") -> str:
    scheme, dark = _THEMES.get(theme, _SYSTEM)
    return _PAGE.format(
        language=escape(wording.language),
        direction=escape(wording.direction),
        title=escape(wording("page.title")),
        files=f"{up}files/{version()}",
        script=script,
        scheme=scheme,
        dark=dark,
        data=data,
        content=content,
    )


def own_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts of the page itself; all others are in the screens already."""
    return {key: text for key, text in texts.items() if key.startswith("page.")}
