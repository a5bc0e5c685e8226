"""New studies in a store: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from decam.studies import archive, frozen, making, templates
from decam.studies.design import Display, Stage, StudyError
from decam.studies.document import study_to_json
from decam.studies.responses import Lane, StudyRecord, StudyStore
from decam.studies.sessions import Sessions
from decam.studies.stimuli import Wanted, offered
from tests.studies.made import damage, run, view

PICTURES = {"cat.jpg": view(1), "dog.jpg": view(2)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    made = StudyStore(tmp_path)
    yield made
    made.close()


def made(store: StudyStore, methods: tuple[str, ...] = ("grad-cam",)) -> StudyRecord:
    runs = [run("one", PICTURES, targets=[0, 1])]
    wanted = Wanted({one.key: "trials" for one in offered(runs).subjects}, methods, ("random",), seed=3)
    return making.from_runs(store, " Which? ", runs, wanted, templates.get("plausibility"), "ada")


def folders(store: StudyStore) -> list[Path]:
    folder = store.directory / "studies"
    return list(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.slow
def test_a_study_of_runs_is_a_draft_with_its_files(store: StudyStore) -> None:
    record = made(store)
    assert (record.stage, record.owner, record.study.name) == (Stage.DRAFT, "ada", "Which?")
    assert record.study.assignment.seed == 3 and store.get(record.id) == record
    assert damage(record.study, store.folder(record.id)) == []


@pytest.mark.slow
def test_of_a_study_that_cannot_be_made_nothing_stays(store: StudyStore) -> None:
    with pytest.raises(StudyError, match="have no method"):
        made(store, ("lime",))
    with pytest.raises(StudyError, match="is not JSON"):
        making.from_file(store, b"nonsense")
    record = made(store)
    with pytest.raises(StudyError, match="files of this study are missing"):
        making.from_file(store, study_to_json(record.study).encode())
    assert [one.id for one in store.recent()] == [record.id] and len(folders(store)) == 1


@pytest.mark.slow
def test_a_study_comes_from_its_file_and_as_a_copy(store: StudyStore) -> None:
    record = made(store)
    content = archive.packed(record.study, store.folder(record.id))
    for again in (making.from_file(store, content, "eve"), making.copy(store, record, "eve")):
        assert again.id != record.id and again.link != record.link and again.owner == "eve"
        assert again.study.stimuli == record.study.stimuli
        assert damage(again.study, store.folder(again.id)) == []
    assert making.copy(store, record).study.name == "Which? (copy)"


@pytest.mark.slow
def test_a_copy_of_a_study_that_lost_a_file_is_not_made(store: StudyStore) -> None:
    record = made(store)
    (store.folder(record.id) / frozen.names(record.study)[0]).unlink()
    with pytest.raises(StudyError, match="cannot be read"):
        making.copy(store, record)
    assert len(store.recent()) == 1


@pytest.mark.slow
def test_pictures_that_somebody_saw_stay_when_all_is_drawn_anew(store: StudyStore) -> None:
    record = made(store)
    before = set(frozen.names(record.study))
    once = making.draw_again(store, record, Display(size=160))
    assert {path.name for path in store.folder(record.id).iterdir()} == set(frozen.names(once.study)) != before
    consent = once.study.blocks[0].settings.from_mapping({"text": "We keep your answers."})
    blocks = (type(once.study.blocks[0])("consent", consent), *once.study.blocks[1:])
    store.save(record.id, type(once.study)(**{**vars(once.study), "blocks": blocks}))
    Sessions(store).enter(record.link, {}, {"width": 1000, "height": 800})
    assert store.participants(record.id, Lane.REHEARSAL)
    twice = making.draw_again(store, store.get(record.id), Display(size=192))
    there = {path.name for path in store.folder(record.id).iterdir()}
    assert there == set(frozen.names(once.study)) | set(frozen.names(twice.study))


@pytest.mark.slow
def test_a_live_study_is_not_drawn_anew_and_gets_no_more_pictures(store: StudyStore) -> None:
    record = made(store)
    runs = [run("two", {"owl.jpg": view(5)})]
    wanted = Wanted({one.key: "trials" for one in offered(runs).subjects}, ("grad-cam",), ("random",))
    grown = making.with_more(store, record, runs, wanted)
    assert [one.name for one in grown.study.stimuli] == ["cat.jpg", "dog.jpg", "owl.jpg"]
    consent = grown.study.blocks[0].settings.from_mapping({"text": "We keep your answers."})
    blocks = (type(grown.study.blocks[0])("consent", consent), *grown.study.blocks[1:])
    store.save(record.id, type(grown.study)(**{**vars(grown.study), "blocks": blocks}))
    store.set_stage(record.id, Stage.PILOT)
    with pytest.raises(StudyError, match="nothing in it can be changed"):
        making.draw_again(store, store.get(record.id), Display(size=160))
    with pytest.raises(StudyError, match="nothing in it can be changed"):
        making.with_more(store, store.get(record.id), runs, wanted)
