"""New studies in a store: from finished runs, from a file, and as a copy of another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from decam.figures.stimulus import SHARED, Display
from decam.runs.snapshots import RunSnapshot
from decam.studies import archive, frozen, templates
from decam.studies.design import Study, StudyError
from decam.studies.drawing import redrawn
from decam.studies.responses import Lane, StudyRecord, StudyStore
from decam.studies.stimuli import Wanted, freeze, joined
from decam.studies.templates import Template


def from_runs(
    store: StudyStore, name: str, runs: Sequence[RunSnapshot], wanted: Wanted, template: Template, owner: str = ""
) -> StudyRecord:
    """A new draft with the wanted maps of runs and the template's blocks; raises StudyError as `freeze` does."""
    study = templates.begun(template, Study(name.strip()))
    study = dataclasses.replace(study, assignment=dataclasses.replace(study.assignment, seed=wanted.seed))

    def filled(folder: Path) -> Study:
        conditions, stimuli = freeze(runs, wanted, study.display, folder)
        return dataclasses.replace(study, conditions=conditions, stimuli=stimuli)

    return _made(store, study, filled, owner)


def with_more(store: StudyStore, record: StudyRecord, runs: Sequence[RunSnapshot], wanted: Wanted) -> StudyRecord:
    """The draft with further pictures and conditions of runs; what it has stays as it is.

    Maps are all drawn anew where those of a method share a scale, which further maps may widen.
    """
    folder = store.folder(record.id)
    conditions, stimuli = freeze(runs, wanted, record.study.display, folder)
    study = joined(record.study, conditions, stimuli)
    shared = study.display.scale == SHARED
    return store.save(record.id, redrawn(study, study.display, folder) if shared else study, record.digest)


def from_file(store: StudyStore, content: bytes, owner: str = "") -> StudyRecord:
    """A new draft from the ZIP of an export; raises StudyError where it is no study, or lacks some of its files."""
    study = archive.document_of(content)

    def filled(folder: Path) -> Study:
        missing = archive.unpack(content, study, folder)
        if missing:
            raise StudyError(
                f"{len(missing)} of {len(frozen.names(study))} files of this study are missing, such as {missing[0]}. "
                "Give the ZIP of the export, which has them, in place of study.json."
            )
        return study

    return _made(store, study, filled, owner)


def copy(store: StudyStore, record: StudyRecord, owner: str = "") -> StudyRecord:
    """A new draft that is as another study, without its participants."""
    before = store.folder(record.id)

    def filled(folder: Path) -> Study:
        for name in frozen.names(record.study):
            path = Path(name)
            frozen.keep(folder, frozen.read(before, path.stem, path.suffix), path.suffix)
        return named

    named = dataclasses.replace(record.study, name=f"{record.study.name} (copy)")
    return _made(store, named, filled, owner)


def draw_again(store: StudyStore, record: StudyRecord, display: Display) -> StudyRecord:
    """The draft with all maps drawn in another manner.

    Files of the earlier manner go, unless somebody has taken part: their road still leads to them.
    """
    folder = store.folder(record.id)
    saved = store.save(record.id, redrawn(record.study, display, folder), record.digest)
    if not any(store.participants(record.id, lane) for lane in Lane):
        frozen.sweep(saved.study, folder)
    return saved


def _made(store: StudyStore, study: Study, filled: Callable[[Path], Study], owner: str) -> StudyRecord:
    """Keep a study and what `filled` puts into its folder; neither stays where that fails."""
    # Without its pictures first: a study names no file that is not there.
    record = store.add(dataclasses.replace(study, conditions=(), stimuli=()), owner)
    try:
        return store.save(record.id, filled(store.folder(record.id)), record.digest)
    except BaseException:
        store.delete(record.id)
        raise
