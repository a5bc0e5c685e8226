"""What runs in the browser: each component's Python, scripts and rules side by side."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def source(*names: str) -> str:
    """Several files of these folders, named as "folder/file", as one."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
