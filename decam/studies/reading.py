"""From the store to what is read of a study: its material for the results, and all files of an export."""

from __future__ import annotations

import re
from collections.abc import Iterator

from decam.studies.document import study_to_json
from decam.studies.export.answers import answers_csv, codebook_csv, participants_csv
from decam.studies.export.preregistration import preregistration
from decam.studies.export.psych_ds import psych_ds_files
from decam.studies.responses import Lane, StudyStore
from decam.studies.results import Material, material, results, table_csv


def material_of(
    store: StudyStore, study: str, lane: Lane, *, kept_only: bool = False, blinded: bool = False
) -> Material:
    """All that a lane of a study has to say; raises StudyError or StoreError where it cannot be read."""
    record = store.get(study)
    participants = store.participants(study, lane)
    digests = {one.digest for one in participants} - {record.digest}
    documents = {digest: store.document(study, digest) for digest in digests}
    answers, folder = store.answers(study, lane), store.folder(study)
    return material(record, participants, answers, folder, kept_only=kept_only, blinded=blinded, documents=documents)


def export_files(store: StudyStore, study: str, lane: Lane) -> Iterator[tuple[str, bytes]]:
    """All files of a study's export as (name with forward slashes, bytes).

    The tables of results come twice: of everybody, and of those whom no rule flags.
    """
    everybody = material_of(store, study, lane)
    answers = store.answers(study, lane)
    yield "answers.csv", answers_csv(everybody.everything)
    yield "participants.csv", participants_csv(everybody.participants, everybody.broken)
    yield "codebook.csv", codebook_csv()
    yield "study.json", study_to_json(everybody.study).encode()
    record = everybody.record
    yield "preregistration.txt", (preregistration(record.study, record.stage, record.digest) + "\n").encode()
    for folder, read in (("everybody", everybody), ("kept", material_of(store, study, lane, kept_only=True))):
        for section, findings in results(read):
            for number, table in enumerate(findings.tables, start=1):
                yield f"results/{folder}/{section.name}-{number}-{file_name(table.title)}.csv", table_csv(table)
    for name, content in psych_ds_files(record, everybody.everything, everybody.participants, answers):
        yield f"psych-ds/{name}", content


def file_name(title: str) -> str:
    """A title as a part of a file's name."""
    return re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "table"
