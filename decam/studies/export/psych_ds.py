"""A Psych-DS folder: one CSV a participant, machine-readable metadata, the raw rows beside them.

The layout follows psych-ds.github.io: `dataset_description.json`, `data/…_data.csv` with key-value file names, UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from decam import __version__
from decam.files import json_text
from decam.numerals import several
from decam.studies.design import Study
from decam.studies.document import study_to_json
from decam.studies.export.answers import COLUMNS, Given, answers_csv, codebook_csv, public_id
from decam.studies.responses import Answer, Participant, StudyRecord


def psych_ds_files(
    record: StudyRecord, rows: Sequence[Given], participants: Sequence[Participant], answers: Sequence[Answer]
) -> Iterator[tuple[str, bytes]]:
    """All files of the folder as (name with forward slashes, bytes)."""
    name = file_name(record.study)
    yield "dataset_description.json", _description(record)
    yield "README.md", _readme(record.study, len(participants)).encode()
    yield "CHANGES.md", b"Written from the answers as they were at the time of the export.\n"
    for code, theirs in groupby(rows, key=lambda row: row.participant.code):
        given = list(theirs)
        yield f"data/study-{name}_subject-{public_id(given[0].participant)}_data.csv", answers_csv(given)
        raw = [_raw(one) for one in answers if one.participant == code]
        path = f"data/raw/study-{name}_subject-{public_id(given[0].participant)}_answers.json"
        yield path, (json.dumps(raw, indent=1, ensure_ascii=False) + "\n").encode()
    yield f"documentation/study-{name}_codebook.csv", codebook_csv()
    yield f"materials/study-{name}_study.json", study_to_json(record.study).encode()


def file_name(study: Study) -> str:
    """A study's name with letters and digits alone, as key-value file names need it."""
    return "".join(character for character in study.name if character.isascii() and character.isalnum())[:40] or "study"


def _raw(answer: Answer) -> dict[str, object]:
    """An answer as it is stored, without the participant's code."""
    return {
        "id": answer.id,
        "step": answer.step,
        "attempt": answer.attempt,
        "values": dict(answer.values),
        "started": answer.started,
        "ended": answer.ended,
        "duration": answer.duration,
        "blurred": answer.blurred,
        "events": [dict(event) for event in answer.events],
        "digest": answer.digest,
    }


def _description(record: StudyRecord) -> bytes:
    entries = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": record.study.name,
        "description": record.study.hypothesis.question or "Answers of people who were asked about saliency maps.",
        "schemaVersion": "Psych-DS 0.4.0",
        "identifier": f"sha256:{record.digest}",
        "creator": {"@type": "SoftwareApplication", "name": "decam", "version": __version__},
        "inLanguage": record.study.language,
        "variableMeasured": [
            {"@type": "PropertyValue", "name": column.name, "description": column.says, "unitText": column.kind}
            for column in COLUMNS
        ],
    }
    return json_text(entries).encode()


def _readme(study: Study, count: int) -> str:
    return (
        f"# {study.name}\n\n"
        f"Answers of {several(count, 'participant')} in a study of saliency maps.\n"
        f"Made with decam {__version__}.\n\n"
        "- `data/` has one table a participant; its columns are explained in `dataset_description.json`.\n"
        "- `data/raw/` has the same answers as they were stored.\n"
        "- `documentation/` has the codebook, `materials/` the whole study.\n"
    )
