"""Where the routes find studies: the store of this process's data directory, opened when it is first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from decam import paths
from decam.errors import DecamError
from decam.studies.responses import NoSuchStudyError, StudyRecord, StudyStore
from decam.studies.sessions import Sessions

_lock = threading.Lock()
_opened: dict[tuple[Path, str], Sessions] = {}


def sessions() -> Sessions:
    """Those who take part in the studies of this data directory; one value for the whole process."""
    place = (paths.directory(), paths.database_url())
    with _lock:
        if place not in _opened:
            _opened[place] = Sessions(StudyStore(*place))
        return _opened[place]


def record(link: str) -> StudyRecord:
    """The study of a link; raises NoSuchStudyError where it leads to none, and StoreError."""
    return sessions().store.by_link(link)


def folder(link: str) -> Path:
    """Where the pictures of a link's study lie; raises as `record` does."""
    store = sessions().store
    return store.folder(store.id_of(link))


def status_of(error: DecamError) -> int:
    """The HTTP status of an error: 404 for a link that leads nowhere, else 503, after which a page asks again."""
    return 404 if isinstance(error, NoSuchStudyError) else 503
