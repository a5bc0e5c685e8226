"""The file of judgements: written at once, read again, mended, and added to by several processes together."""

from __future__ import annotations

import math
import multiprocessing
from pathlib import Path

import pytest

from benchmarks.scene_file import Asked, Journal, Judged, Key, Known

METRIC = Known("iou", "1")


def judged(number: int, *values: float) -> Judged:
    rows = tuple(Known(f"method-{place}", "a") for place in range(len(values)))
    return Judged(Asked("net", 1, number, 0), METRIC, rows, values)


def test_what_was_added_is_there_at_once_and_after_reading_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scenes.jsonl"
    journal = Journal(path)
    for number in range(3):
        journal.add(judged(number, 0.1 + 0.2, number / 3))
        assert Journal(path).values == journal.values
    assert journal.values[Key(Asked("net", 1, 2, 0), METRIC, Known("method-1", "a"))] == 2 / 3
    assert Key(Asked("net", 1, 2, 0), METRIC, Known("method-1", "other settings")) not in journal
    assert Key(Asked("net", 2, 2, 0), METRIC, Known("method-1", "a")) not in journal


def test_a_metric_that_says_nothing_is_kept_as_having_been_asked(tmp_path: Path) -> None:
    path = tmp_path / "scenes.jsonl"
    Journal(path).add(judged(0, math.nan, 1.0))
    nothing, one = Journal(path).values.values()
    assert math.isnan(nothing) and one == 1.0
    assert b"NaN" not in path.read_bytes()


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_last_line_that_was_cut_off_is_dropped_and_written_over(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "scenes.jsonl"
    journal = Journal(path)
    for number in range(3):
        journal.add(judged(number, 0.5))
    path.write_bytes(path.read_bytes()[:-cut])
    mended = Journal(path)
    assert [key.asked.number for key in mended.values] == [0, 1]
    mended.add(judged(3, 0.25))
    assert [key.asked.number for key in Journal(path).values] == [0, 1, 3]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        '{"asked": {}}',
        '{"asked": {"model": "net", "objects": 1, "number": 0, "which": 0}, "metric": {"name": "iou", "version": "1"}, '
        '"rows": [{"name": "a", "version": "a"}], "values": []}',
    ],
)
def test_damage_elsewhere_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "scenes.jsonl"
    Journal(path).add(judged(0, 0.5))
    whole = path.read_text()
    path.write_text(whole + line + "\n" + whole)
    with pytest.raises(ValueError, match="Line 2"):
        Journal(path)


def test_two_that_add_in_turns_know_what_the_other_has_added(tmp_path: Path) -> None:
    path = tmp_path / "scenes.jsonl"
    one, other = Journal(path), Journal(path)
    for number in range(4):
        (one, other)[number % 2].add(judged(number, 0.5))
    one.refresh()
    other.refresh()
    assert one.values == other.values == Journal(path).values
    assert len(one.values) == 4


def fill(path: Path, first: int, count: int) -> None:
    journal = Journal(path)
    for number in range(first, first + count):
        journal.add(judged(number, *[number / 7] * 40))


@pytest.mark.slow
def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scenes.jsonl"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=fill, args=(path, 1000 * place, 100)) for place in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    found = {key.asked.number for key in Journal(path).values}
    assert found == {1000 * place + number for place in range(3) for number in range(100)}
