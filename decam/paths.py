"""Where runs and their database are kept, and whether several people share this server."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def directory() -> Path:
    """The data directory: DECAM_DATA, or this user's own place for application data.

    That place is %LOCALAPPDATA%\\decam on Windows, ~/Library/Application Support/decam on macOS and elsewhere
    $XDG_DATA_HOME/decam, by default ~/.local/share/decam. The directory need not exist yet.
    """
    chosen = os.environ.get("DECAM_DATA", "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    return _home() / "decam"


def database_url() -> str:
    """Where the rows of runs live, by DECAM_DATABASE_URL; empty for a file in the data directory.

    Such a URL is sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.
    """
    return os.environ.get("DECAM_DATABASE_URL", "").strip()


def shared() -> bool:
    """Whether DECAM_SHARED=1 says that visitors are strangers to each other, who list only their own runs."""
    return os.environ.get("DECAM_SHARED", "").strip().lower() in {"1", "true", "yes", "on"}


def _home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
