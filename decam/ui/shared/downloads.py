"""Weights fetched in the background, so that the page stays usable while they come."""

from __future__ import annotations

import threading
from collections.abc import Generator

from decam.experiments.status import Status
from decam.models import catalogue
from decam.models.catalogue import Download, Entry
from decam.runs.queue import Ending, Queue


class Downloads:
    """The downloads of this process, one at a time; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._queue = Queue()
        self._lock = threading.Lock()
        self._progress: dict[str, Download] = {}
        self._errors: dict[str, str] = {}

    def start(self, entry: Entry) -> None:
        """Fetch the weights of an entry unless they are coming already."""
        with self._lock:
            if entry.name in self._progress:
                return
            self._progress[entry.name] = Download(0, entry.size)
            self._errors.pop(entry.name, None)

        def arrived(progress: Download) -> None:
            with self._lock:
                self._progress[entry.name] = progress

        def ended(ending: Ending) -> None:
            with self._lock:
                self._progress.pop(entry.name, None)
                if ending.reason is Status.FAILED:
                    self._errors[entry.name] = ending.sentence

        self._queue.submit(entry.name, "", "network", lambda: _steps(entry), arrived, ended)

    def stop(self, name: str) -> None:
        """Give up a download; nothing of it is left behind."""
        self._queue.stop(name)

    def close(self) -> None:
        """Give up all downloads and take no more."""
        self._queue.close()

    def progress(self, name: str) -> Download | None:
        """How far the download is; None where there is none."""
        with self._lock:
            return self._progress.get(name)

    def error(self, name: str) -> str:
        """Why the last download failed, as a sentence; empty where it did not."""
        with self._lock:
            return self._errors.get(name, "")


def _steps(entry: Entry) -> Generator[Download, None, None]:
    """The download without its result: the path is the catalogue's to know."""
    yield from catalogue.download(entry)
