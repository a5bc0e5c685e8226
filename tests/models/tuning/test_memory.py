"""The results of trials are remembered, and made anew where a busy machine misled them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from decam.classifier import Execution, TorchClassifier
from decam.models.tuning import memory
from decam.models.tuning.trial import Result
from tests.models.tuning.machine import HALF, HALF_LAST, LAST, PLAIN, tiny


def test_a_trial_is_made_once_and_then_read_from_disk(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    found = Execution("float32", True, 32, 2, "a note")
    monkeypatch.setattr(memory, "search", lambda _: Result(found))
    assert memory.remembered(tiny()) == found
    assert list(json.loads((data_directory / "speed.json").read_text()).values()) == [
        {
            "precision": "float32",
            "channels_last": True,
            "batch_size": 32,
            "parallel_batches": 2,
            "note": "a note",
            "engine": "eager",
        }
    ]
    memory.forget()
    monkeypatch.setattr(memory, "search", lambda _: pytest.fail("tried again"))
    assert memory.remembered(tiny()) == found


@pytest.mark.slow
def test_another_process_asks_in_the_same_way() -> None:
    ours = memory.remembered(tiny())
    script = (
        "from tests.models.tuning.machine import tiny; from decam.models.tuning import memory;"
        "memory.search = None; print(memory.remembered(tiny()))"
    )
    theirs = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert theirs.stdout.strip() == repr(ours), theirs.stderr


def test_models_devices_threads_and_versions_are_remembered_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [memory.machine_key(tiny()), memory.machine_key(tiny("other"))]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 97)
    keys.append(memory.machine_key(tiny()))
    monkeypatch.setattr(torch, "__version__", "99.0")
    keys.append(memory.machine_key(tiny()))
    monkeypatch.setattr(memory, "_processor", lambda: "Abacus")
    keys.append(memory.machine_key(tiny()))
    assert len(set(keys)) == 5


def test_a_file_of_weights_that_takes_the_place_of_another_is_tried_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tried = tmp_path / "mine.pt", [Result(HALF), Result(LAST)]
    monkeypatch.setattr(memory, "search", lambda _: tried.pop(0))
    found = []
    for content in (b"first", b"second", b"first"):
        path.write_bytes(content)
        memory.forget()
        found.append(memory.remembered(tiny(str(path))))
    assert found == [HALF, LAST, HALF]


WHOLE = {
    "precision": "float32",
    "channels_last": True,
    "batch_size": 8,
    "parallel_batches": 1,
    "note": "",
    "engine": "eager",
}


def stored(**changes: object) -> bytes:
    """What is remembered of a model, with some of it as it should not be; None leaves an entry out."""
    entry = {name: value for name, value in (WHOLE | changes).items() if value is not None}
    return json.dumps({"KEY": entry}).encode()


DAMAGED = [
    *(b"", b"{", b"[1, 2]", b"\xff\xfe", b'{"KEY": 3}', b'{"KEY": {"precision": "float32"}}'),
    *(stored(precision="float64"), stored(channels_last=1), stored(engine=1), stored(note=3)),
    *(
        stored(batch_size=0),
        stored(batch_size="8"),
        stored(parallel_batches=0),
        stored(parallel_batches=None),
        stored(engine=None),
        stored(engine="abacus"),
        stored(engine=[]),
    ),
]


def test_what_is_whole_is_read(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(stored().replace(b"KEY", memory.machine_key(tiny()).encode()))
    monkeypatch.setattr(memory, "search", lambda _: pytest.fail("tried again"))
    assert memory.remembered(tiny()) == Execution(channels_last=True, batch_size=8)


def test_what_was_remembered_under_earlier_names_is_read(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    data_directory.mkdir(parents=True)
    earlier = stored(parallel_batches=None, engine=None, streams=3, captured=True)
    (data_directory / "speed.json").write_bytes(earlier.replace(b"KEY", memory.machine_key(tiny()).encode()))
    monkeypatch.setattr(memory, "search", lambda _: pytest.fail("tried again"))
    expected = Execution(channels_last=True, batch_size=8, parallel_batches=3, engine="cuda-graph")
    assert memory.remembered(tiny()) == expected


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_memory_is_ignored_and_written_anew(
    content: bytes, monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    key = memory.machine_key(tiny())
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(content.replace(b"KEY", key.encode()))
    found = Execution(batch_size=4)
    monkeypatch.setattr(memory, "search", lambda _: Result(found))
    assert memory.remembered(tiny()) == found
    assert json.loads((data_directory / "speed.json").read_text())[key]["batch_size"] == 4


def test_remembering_one_model_keeps_the_others(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    monkeypatch.setattr(memory, "search", lambda _: Result(Execution()))
    memory.remembered(tiny("first"))
    memory.remembered(tiny("second"))
    assert len(json.loads((data_directory / "speed.json").read_text())) == 2
    assert [path.name for path in data_directory.iterdir()] == ["speed.json"]


def test_where_nothing_can_be_written_the_process_remembers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DECAM_DATA", str(tmp_path / "file" / "data"))
    found = Execution(batch_size=2)
    monkeypatch.setattr(memory, "search", lambda _: Result(found))
    assert memory.remembered(tiny()) == found
    monkeypatch.setattr(memory, "search", lambda _: pytest.fail("tried again"))
    assert memory.remembered(tiny()) == found


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which stands still."""
    now = [1e9]
    monkeypatch.setattr(memory, "time", SimpleNamespace(time=lambda: now[0], perf_counter=time.perf_counter))
    return now


def results(monkeypatch: pytest.MonkeyPatch, *found: Execution) -> list[Execution]:
    """Trials find these, one after the other; what is left is returned."""
    left = list(found)
    monkeypatch.setattr(memory, "search", lambda _: Result(left.pop(0)))
    return left


def entry(data_directory: Path) -> dict[str, object]:
    (only,) = json.loads((data_directory / "speed.json").read_text()).values()
    return only


def test_the_result_of_a_busy_machine_holds_until_a_quiet_one_tries_again(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN, HALF_LAST)
    cores[0] = 1.5
    assert memory.remembered(tiny()) == PLAIN and "busy" in entry(data_directory)
    cores[0] = 0.0
    calendar[0] += 3600
    assert memory.remembered(tiny()) == PLAIN  # within a process nothing changes
    memory.forget()
    assert memory.remembered(tiny()) == HALF_LAST and left == []
    assert "busy" not in entry(data_directory)
    memory.forget()
    assert memory.remembered(tiny()) == HALF_LAST


def test_while_the_machine_stays_busy_every_process_asks_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN)
    cores[0] = 2.0
    for _ in range(3):
        assert memory.remembered(tiny()) == PLAIN and left == []
        calendar[0] += 3600
        memory.forget()


def test_processes_that_start_together_ask_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN)
    cores[0] = 2.0
    memory.remembered(tiny())
    cores[0] = 0.0
    calendar[0] += memory.AGAIN / 2
    memory.forget()
    assert memory.remembered(tiny()) == PLAIN and left == []


def test_a_trial_that_is_repeated_in_vain_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path, cores: list[float], calendar: list[float]
) -> None:
    cores[0] = 2.0
    results(monkeypatch, PLAIN)
    memory.remembered(tiny())
    before = entry(data_directory)
    calendar[0] += 3600
    memory.forget()
    cores[0] = 0.0

    def search(_: TorchClassifier) -> Result:
        cores[0] = 2.0  # another program starts
        return Result(HALF)

    monkeypatch.setattr(memory, "search", search)
    assert memory.remembered(tiny()) == PLAIN
    assert entry(data_directory) == before


def test_results_of_older_trials_are_left_alone_and_tried_anew(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    key = memory.machine_key(tiny())
    older = key.removesuffix(f" | {memory._TRIAL}")
    assert older != key
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(stored().replace(b"KEY", older.encode()))
    results(monkeypatch, HALF_LAST)
    assert memory.remembered(tiny()) == HALF_LAST
    kept = json.loads((data_directory / "speed.json").read_text())
    assert kept[older] == WHOLE and set(kept) == {older, key}


@pytest.mark.parametrize("mark", [{"busy": "yes"}, {"busy": True}, {"rate": -1.0}, {"rate": float("nan")}, {"more": 1}])
def test_marks_that_are_damaged_are_no_memory(mark: dict[str, object]) -> None:
    assert memory._parse(WHOLE | mark) is None
    assert memory._parse(WHOLE | {"busy": 1e9, "rate": 20.0}) == Execution(channels_last=True, batch_size=8)


def trialled(monkeypatch: pytest.MonkeyPatch, rate: float) -> TorchClassifier:
    """A classifier asked as a trial found, which measured so many images a second."""
    classifier = tiny()

    def search(_: TorchClassifier) -> Result:
        return Result(Execution(batch_size=2), rate)

    monkeypatch.setattr(memory, "search", search)
    classifier.configure(memory.remembered(classifier))
    return classifier


@pytest.mark.usefixtures("cores")
def test_runs_that_are_much_faster_than_the_trial_have_it_repeated(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    classifier = trialled(monkeypatch, 50.0)
    assert entry(data_directory)["rate"] == 50.0
    memory.observe(classifier, 500, 5.0)
    memory.observe(classifier, 500, 5.0)
    assert memory.remembered(classifier) == Execution(batch_size=2)
    memory.forget()
    results(monkeypatch, HALF_LAST)
    assert memory.remembered(classifier) == HALF_LAST


@pytest.mark.parametrize(
    "runs",
    [
        [(500, 5.0)],  # once
        [(500, 5.0), (500, 10.0), (500, 5.0)],  # not in a row
        [(500, 8.0)] * 5,  # hardly faster
        [(500, 100.0)] * 5,  # slower
        [(100, 1.0)] * 5,  # too few to say anything
    ],
)
@pytest.mark.usefixtures("cores")
def test_other_runs_leave_the_trial_as_it_is(
    runs: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    classifier = trialled(monkeypatch, 50.0)
    before = entry(data_directory)
    for evaluations, seconds in runs:
        memory.observe(classifier, evaluations, seconds)
    assert entry(data_directory) == before


@pytest.mark.usefixtures("cores")
def test_runs_asked_in_another_way_say_nothing_about_the_trial(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    classifier = trialled(monkeypatch, 50.0)
    before = entry(data_directory)
    classifier.configure(LAST)
    for _ in range(3):
        memory.observe(classifier, 500, 1.0)
    assert entry(data_directory) == before
