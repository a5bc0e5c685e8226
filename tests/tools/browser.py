"""The Chromium that the browser tests drive: found where there is one, installed where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-sandbox",
)


def find() -> str | None:
    """The path of a Chromium that starts: $DECAM_CHROMIUM, then one on PATH, then Playwright's own; else None."""
    named = os.environ.get("DECAM_CHROMIUM")
    if named:
        return named if _starts(named) else None
    installed = (path for path in (*map(shutil.which, NAMES), *PLACES) if path and _starts(path))
    return next(installed, None) or _own()


def _own() -> str | None:
    with sync_playwright() as playwright:
        try:
            path = playwright.chromium.executable_path
        except Error:  # Playwright has no browser for this system
            return None
    return path if _starts(path) else None


def _starts(path: str) -> bool:
    """Whether the program is there and answers: Ubuntu's `chromium-browser` may be a note about a snap."""
    if not Path(path).is_file():
        return False
    return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def install() -> None:
    """Install Chromium: from the distribution on Debian as root, elsewhere Playwright's own."""
    release = Path("/etc/os-release")
    debian = release.is_file() and "ID=debian" in release.read_text().splitlines()
    if debian and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "--quiet"], check=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium"], check=True, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> int:
    """Say which Chromium the tests will drive, after installing one if need be."""
    try:
        if find() is None:
            print("No Chromium was found; installing one for the browser tests.", flush=True)
            install()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Chromium could not be installed: {error}", file=sys.stderr)
    chromium = find()
    if chromium is None:
        print(
            "The browser tests need a Chromium: install chromium or Google Chrome, or name one in DECAM_CHROMIUM.",
            file=sys.stderr,
        )
        return 1
    print(f"Browser tests use {chromium}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
