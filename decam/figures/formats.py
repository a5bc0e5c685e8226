"""What a figure for print can become; known without matplotlib, which takes a second to import."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FORMATS: Mapping[str, str] = MappingProxyType({"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"})
"""The kinds of file that a figure becomes, with the type that a browser knows them by."""
MOST_ROWS = 60
"""Questions that a figure has room for: with more of them it could not be drawn at 300 dots an inch."""
