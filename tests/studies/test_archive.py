"""A study as a ZIP: whole when it comes back, the same bytes for the same study, and refused where it was altered."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from decam.studies import archive, frozen
from decam.studies.design import Display, Study, StudyError
from decam.studies.document import study_to_json
from decam.studies.stimuli import Wanted, freeze, offered
from tests.studies.made import damage, run, view


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """A study of one picture and its folder."""
    folder = tmp_path_factory.mktemp("study")
    runs = [run("one", {"cat.jpg": view(1)})]
    wanted = Wanted({one.key: "trials" for one in offered(runs).subjects}, ("grad-cam",), ("random",))
    conditions, stimuli = freeze(runs, wanted, Display(size=128), folder)
    return Study("A study", conditions=conditions, stimuli=stimuli), folder


def altered(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The ZIP with each file as `change` makes it; None leaves one out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
        for name in before.namelist():
            new = change(name, before.read(name))
            if new is not None:
                after.writestr(name, new)
    return buffer.getvalue()


def test_a_study_comes_back_whole_from_its_zip(kept: tuple[Study, Path], tmp_path: Path) -> None:
    study, folder = kept
    content = archive.packed(study, folder, {"notes.txt": b"more"})
    assert archive.document_of(content) == study
    assert archive.unpack(content, study, tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == set(frozen.names(study))
    assert damage(study, tmp_path) == []
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.read("notes.txt") == b"more" and opened.testzip() is None


def test_the_same_study_gives_the_same_bytes(kept: tuple[Study, Path]) -> None:
    assert archive.packed(*kept) == archive.packed(*kept)


def test_a_document_alone_is_a_study_whose_files_are_missing(kept: tuple[Study, Path], tmp_path: Path) -> None:
    study, folder = kept
    content = study_to_json(study).encode()
    assert archive.document_of(content) == study
    assert archive.unpack(content, study, tmp_path) == list(frozen.names(study))
    assert archive.unpack(content, study, folder) == []


def test_a_file_that_the_zip_lacks_is_named(kept: tuple[Study, Path], tmp_path: Path) -> None:
    study, folder = kept
    gone = frozen.names(study)[1]
    content = altered(archive.packed(study, folder), lambda name, old: None if name.endswith(gone) else old)
    assert archive.unpack(content, study, tmp_path) == [gone]


def test_a_file_that_was_altered_in_the_zip_is_refused(kept: tuple[Study, Path], tmp_path: Path) -> None:
    study, folder = kept
    one = frozen.names(study)[0]
    content = altered(archive.packed(study, folder), lambda name, old: b"other" if name.endswith(one) else old)
    with pytest.raises(StudyError, match="is not what it was when the ZIP was made"):
        archive.unpack(content, study, tmp_path)
    assert not (tmp_path / one).exists()


def test_only_the_studys_own_files_leave_the_zip(kept: tuple[Study, Path], tmp_path: Path) -> None:
    study, folder = kept
    content = archive.packed(study, folder, {"files/../../escape.txt": b"out", "files/more.png": b"more"})
    archive.unpack(content, study, tmp_path / "inner")
    assert {path.name for path in (tmp_path / "inner").iterdir()} == set(frozen.names(study))
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_a_zip_that_is_no_study_or_is_cut_short_is_a_sentence(kept: tuple[Study, Path]) -> None:
    study, folder = kept
    whole = archive.packed(study, folder)
    for content, sentence in (
        (whole[:200], "is damaged or incomplete"),
        (altered(whole, lambda name, old: None if name == "study.json" else old), r"has no study\.json"),
        (altered(whole, lambda name, old: b"{" if name == "study.json" else old), "is not JSON"),
        (b"", "is not JSON"),
        (b"\x89PNG", "is not JSON"),
    ):
        with pytest.raises(StudyError, match=sentence):
            archive.document_of(content)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    kept: tuple[Study, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive.packed(*kept)
    monkeypatch.setattr(archive, "LARGEST", 100)
    with pytest.raises(StudyError, match="is larger than"):
        archive.document_of(content)
    monkeypatch.setattr(archive, "MOST", 2)
    with pytest.raises(StudyError, match="more than 2 files"):
        archive.document_of(content)
