"""The components that follow a run while it goes on, with no rerun of the page: Python, script and rules together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LiveRun:
    """Where the browser hears of a run, and the version of it that the page has drawn, as a decimal text."""

    url: str
    version: str
