"""All that there is of a study in one ZIP: its design with pictures, and every lane's answers and results."""

from __future__ import annotations

from decam.studies import archive
from decam.studies.reading import export_files
from decam.studies.responses import Lane, StudyRecord, StudyStore


def everything(store: StudyStore, record: StudyRecord) -> bytes:
    """The ZIP, which can be imported as a study; raises StudyError or StoreError where a part cannot be read.

    The files of each lane that somebody is in lie in a folder called as the lane.
    """
    more: dict[str, bytes] = {}
    for lane in Lane:
        if store.participants(record.id, lane):
            more |= {f"{lane}/{name}": content for name, content in export_files(store, record.id, lane)}
    return archive.packed(record.study, store.folder(record.id), more)
