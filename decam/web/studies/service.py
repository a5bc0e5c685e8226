"""Where the routes find studies: the store of this process's data directory, opened when it is first asked for."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from decam import paths
from decam.errors import DecamError
from decam.studies.responses import NoSuchStudyError, StudyRecord, StudyStore
from decam.studies.sessions import Sessions
from decam.studies.submissions import RefusedError

_LOG = logging.getLogger(__name__)
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


def told(error: DecamError) -> tuple[int, str, str]:
    """What a participant hears of an error: the HTTP status, a sentence, and the reason as a word where there is one.

    What is wrong with the server is logged for its operator: paths and databases are nothing for participants, whose
    page asks again.
    """
    if isinstance(error, RefusedError):
        return error.status, str(error), error.reason
    if isinstance(error, NoSuchStudyError):
        return 404, str(error), "unknown"
    _LOG.error("%s", error)
    return 503, "The server cannot reach its studies now; try again in a moment.", ""
