"""The file of results: written at once, read again, and mended where a process ended while it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.results import Hit, Key, Record, Result, Store, places, small


def record(number: int) -> Record:
    key = Key("net", "abc", number, "row", "v")
    return Result(key, "ä.png", 3, 500, 0.1, 0.1 + 0.2, 1 / 3, 0.4, "") if number % 2 else Hit(key, True)


def test_what_was_added_is_there_at_once_and_after_reading_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.jsonl"
    store = Store(path)
    for number in range(3):
        store.add(record(number))
        assert Store(path).records == store.records
    assert list(store.records.values()) == [record(number) for number in range(3)]
    assert record(1).key in store
    assert Key("net", "abc", 1, "row", "other settings") not in store
    assert [one.key.seed for one in store.results()] == [1]
    assert [one.key.seed for one in store.hits()] == [0, 2]


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_last_line_that_was_cut_off_is_dropped_and_written_over(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "results.jsonl"
    store = Store(path)
    for number in range(3):
        store.add(record(number))
    path.write_bytes(path.read_bytes()[:-cut])
    mended = Store(path)
    assert list(mended.records.values()) == [record(0), record(1)]
    mended.add(record(3))
    assert list(Store(path).records.values()) == [record(0), record(1), record(3)]


def test_only_reading_leaves_a_damaged_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path).add(record(0))
    damaged = path.read_bytes() + b'{"kind": "cur'
    path.write_bytes(damaged)
    assert len(Store(path).records) == 1
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("line", ["no JSON", '{"kind": "unknown"}', '{"kind": "scene", "hit": true}', "[]"])
def test_damage_elsewhere_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    Store(path).add(record(0))
    whole = path.read_text()
    path.write_text(whole + line + "\n" + whole)
    with pytest.raises(ValueError, match="Line 2"):
        Store(path)


def test_a_small_map_holds_the_means_of_its_places() -> None:
    saliency = np.random.default_rng(0).random((112, 112), dtype=np.float32)
    expected = saliency.reshape(56, 2, 56, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(places(small(saliency)), expected.ravel(), rtol=1e-5)
    tiny = saliency[:20, :30].copy()
    np.testing.assert_array_equal(places(small(tiny)), tiny.ravel())
