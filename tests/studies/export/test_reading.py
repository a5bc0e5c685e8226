"""An export of a study in a store has everybody and everything, whatever became of the draft meanwhile."""

from __future__ import annotations

import csv
import dataclasses
import io

from decam.studies.analysis.exclusions import choose
from decam.studies.reading import export_files
from decam.studies.responses import Lane, StudyStore
from decam.studies.sessions import Sessions
from tests.studies.taking_part import DEVICE, opened, small, take


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_whoever_left_before_any_answer_is_listed_with_what_flags_them(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, dataclasses.replace(small(), exclusions={"unfinished": choose("unfinished").settings}))
    for sequence, identity in enumerate(("left", "stayed")):
        visit = sessions.enter(record.link, {"PROLIFIC_PID": identity}, DEVICE)
        take(sessions, record, sequence, visit.code, None if identity == "stayed" else 0)
    people = table(dict(export_files(store, record.id, Lane.LIVE))["participants.csv"])
    assert {row["identity"]: row["flags"] for row in people} == {"left": "Unfinished", "stayed": ""}
