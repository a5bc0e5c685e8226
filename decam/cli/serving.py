"""The command app: serve the dashboard in this process."""

from __future__ import annotations

import argparse
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import decam
from decam.errors import DecamError

# What the extra `app` of pyproject.toml installs, by the names that are imported.
NEEDED = ("streamlit", "plotly", "sqlalchemy")

EVERY_ADDRESS = ("0.0.0.0", "::")

# Streamlit reads the settings beside the script that it runs, so they hold whatever the current folder is.
SCRIPT = Path(decam.__file__).parent / "ui" / "entry" / "app.py"


def app(given: argparse.Namespace) -> int:
    """Serve the dashboard until Ctrl-C; raises DecamError where a library that it needs is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise DecamError(f"The dashboard needs {', '.join(missing)}; install what it needs: pip install 'decam[app]'.")
    host = "localhost" if given.address in EVERY_ADDRESS else given.address
    print(f"DE-CAM dashboard: http://{host}:{given.port} (Ctrl-C ends it)", flush=True)
    sys.argv = [
        *("streamlit", "run", str(SCRIPT), "--server.port", str(given.port), "--server.address", given.address),
        *("--server.headless", "true", "--browser.serverAddress", "localhost"),
    ]
    try:
        # Streamlit belongs to decam.ui; in this process, so that signals and the exit code need no passing on.
        runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
