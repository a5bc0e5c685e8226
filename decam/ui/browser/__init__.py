"""What runs in the browser: scripts and rules for the parts of a page that the framework's own widgets cannot draw."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def source(*names: str) -> str:
    """Several of this folder's files as one."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
