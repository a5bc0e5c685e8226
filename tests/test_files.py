"""Files are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from decam.files import drafts, json_digest, json_text, write_atomically, writing_atomically, zipped


def test_a_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with writing_atomically(path) as file:
        file.write(b"ne")
        assert path.read_bytes() == b"old"
        assert len(drafts(tmp_path)) == 1
        file.write(b"w")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, os.strerror(28)), KeyboardInterrupt(), GeneratorExit()])
def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(type(error)), writing_atomically(path) as file:
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_contents_and_name_reach_the_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced, usual = tmp_path / "file", [], os.fsync

    def watched(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))
        usual(handle)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only Linux says which file a handle is")
    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(path, b"new")
    (draft, before), (folder, after) = synced
    assert (draft.startswith(".file."), before) == (True, False)
    assert (folder, after) == (tmp_path.name, True)


def test_a_name_as_long_as_a_system_allows_will_do(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("x" * 255), b"content")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


def test_json_is_written_for_people_and_refuses_what_it_has_no_word_for() -> None:
    assert json_text({"é": [1, 0.5]}) == '{\n  "é": [\n    1,\n    0.5\n  ]\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})


def test_a_digest_is_that_of_the_content_and_not_of_the_order_of_names() -> None:
    assert json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1}) != json_digest({"a": 2, "b": 1})
    assert json_digest(["é"]) == hashlib.sha256(b'["\\u00e9"]').hexdigest()


def test_a_zip_is_the_same_bytes_again_and_packs_only_what_is_not_packed_yet() -> None:
    entries = [("a/text.txt", b"ha" * 500), ("picture.png", b"ha" * 500), ("data.npz", b"ha" * 500)]
    content = zipped(entries)
    assert zipped(entries) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert [(entry.filename, archive.read(entry)) for entry in archive.infolist()] == entries
        packed = [entry.compress_size < entry.file_size for entry in archive.infolist()]
    assert packed == [True, False, False]
