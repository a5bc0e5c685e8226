"""The trial of speeds: what it picks, that answers stay what they were, and that its result is remembered."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier
from decam.hardware import processor
from decam.models import tuning
from decam.models.sources import torchvision as torchvision_source
from decam.models.tuning import Round, Trial, choose, noted, pick_round, power_of_two

PLAIN, LAST = Execution(), Execution(channels_last=True)
HALF, HALF_LAST = Execution("bfloat16"), Execution("bfloat16", channels_last=True)


def tiny(name: str = "tiny") -> TorchClassifier:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4),
        nn.ReLU(),
        nn.Conv2d(8, 8, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    return TorchClassifier(name, module, ["a", "b", "c", "d"], input_size=(32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    tuning.forget()
    yield
    tuning.forget()


# What is picked


def test_the_plain_way_stays_unless_another_is_clearly_faster() -> None:
    assert choose([Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.97, 0.0)]).execution == PLAIN
    assert choose([Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.9, 0.0)]).execution == LAST


def test_the_fastest_way_that_answers_alike_is_picked() -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.8, 1e-6), Trial(HALF, 0.5, 0.01), Trial(HALF_LAST, 0.3, 0.02)]
    assert choose(trials).execution == HALF_LAST
    said = "bfloat16 changes probabilities by at most 0.0200 on drawn scenes, where 0.05 is allowed."
    assert noted(trials[3], trials) == replace(HALF_LAST, note=said)


@pytest.mark.parametrize("change", [0.2, float("nan")])
def test_a_faster_way_that_changes_the_answers_is_not_used_and_a_note_says_so(change: float) -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(HALF, 0.2, change)]
    picked = noted(choose(trials), trials)
    assert (picked.precision, picked.channels_last) == ("float32", False)
    assert picked.note.startswith(f"bfloat16 would be faster but changes probabilities by up to {change:.2f}")
    assert picked.note.endswith("where 0.05 is allowed: not used.")


def test_what_was_refused_is_not_mentioned_beside_what_is_faster_still() -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(HALF, 0.5, 0.2), Trial(Execution("float16"), 0.3, 0.01)]
    assert "bfloat16" not in noted(choose(trials), trials).note
    assert noted(trials[0], trials[:1]).note == ""


def test_a_way_that_leaves_cores_idle_is_as_slow_as_its_wall_clock_says() -> None:
    class Waiting(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            time.sleep(0.05)
            return images.mean((2, 3))

    waiting = TorchClassifier("waiting", Waiting(), list("abc"), input_size=(8, 8))
    assert tuning._timed(waiting, [torch.zeros(1, 3, 8, 8)] * 3)[0] >= 0.15


def test_a_way_that_something_held_up_once_is_still_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, turns = Clock(ALL_WAYS, start=0.0), []

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        seconds, answers = clock(classifier, batches, parallel_batches)
        turns.append(classifier.execution.channels_last)
        return (seconds + 10 if turns.count(True) == 1 and classifier.execution.channels_last else seconds), answers

    monkeypatch.setattr(tuning, "_bfloat16_pays", lambda _: False)
    monkeypatch.setattr(tuning, "_timed", timed)
    monkeypatch.setattr(tuning, "SLOWEST", 1.0)
    assert tuning.find(tiny()).channels_last


def rounds(each: dict[int, float]) -> dict[Round, float]:
    return {Round(size): seconds for size, seconds in each.items()}


def test_the_smallest_round_that_is_about_as_fast_as_any_is_picked() -> None:
    assert pick_round(rounds({4: 0.0100, 8: 0.0098, 16: 0.0097}), Round(1)) == Round(4)
    assert pick_round(rounds({4: 0.0200, 8: 0.0110, 16: 0.0100}), Round(1)) == Round(16)


def test_a_round_longer_than_stopping_may_take_is_not_picked() -> None:
    assert pick_round(rounds({4: 0.08, 8: 0.07, 16: 0.05}), Round(1)) == Round(4)
    assert pick_round(rounds({4: 1.0, 8: 1.0}), Round(2)) == Round(2)
    assert pick_round({}, Round(4)) == Round(4)


def test_of_rounds_that_are_about_as_fast_one_with_more_streams_is_picked() -> None:
    assert pick_round({Round(8): 0.0100, Round(4, 2): 0.0101}, Round(1)) == Round(4, 2)
    assert pick_round({Round(4): 0.0100, Round(8, 2): 0.0101, Round(16, 2): 0.0099}, Round(1)) == Round(8, 2)
    assert pick_round({Round(8): 0.0100, Round(4, 2): 0.0150}, Round(1)) == Round(8)


@pytest.mark.parametrize(("value", "size"), [(0.2, 1), (1, 1), (3.9, 2), (4, 4), (1e9, 64)])
def test_batches_are_powers_of_two(value: float, size: int) -> None:
    assert power_of_two(value, 64) == size


@pytest.mark.slow
def test_multiply_adds_are_counted_as_torchvision_publishes_them() -> None:
    for name, published in (("squeezenet1_0", 0.819), ("mobilenet_v3_large", 0.217)):
        counted = tuning._operations(torchvision_source.untrained(name), torch.zeros(1, 3, 224, 224))
        assert counted / 1e9 == pytest.approx(published, rel=0.02)


class Clock:
    """Stands for a machine: seconds of a batch by the way of asking, beside a real answer."""

    def __init__(self, each: dict[tuple[str, bool], float], start: float) -> None:
        self.each, self.start = each, start
        self.asked: list[int] = []

    def __call__(
        self, classifier: TorchClassifier, batches: Sequence[Tensor], _parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        self.asked += [len(batch) for batch in batches]
        way = (classifier.execution.precision, classifier.execution.channels_last)
        images = sum(len(batch) for batch in batches)
        return self.start + self.each[way] * images, classifier.answer(batches[-1])


ALL_WAYS = {("float32", False): 0.010, ("float32", True): 0.008, ("bfloat16", False): 0.005, ("bfloat16", True): 0.003}


def test_on_a_machine_with_fast_bfloat16_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_bfloat16_pays", lambda _: True)
    monkeypatch.setattr(tuning, "_timed", Clock(ALL_WAYS, start=0.0005))
    monkeypatch.setattr(tuning, "SLOWEST", 1.0)
    found = tuning.find(tiny())
    assert (found.precision, found.channels_last) == ("bfloat16", True)
    assert found.batch_size * found.parallel_batches * 0.003 <= tuning.LONGEST_BATCH


def test_on_a_machine_without_bfloat16_it_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({way: seconds for way, seconds in ALL_WAYS.items() if way[0] == "float32"}, start=0.0005)
    monkeypatch.setattr(tuning, "_bfloat16_pays", lambda _: False)
    monkeypatch.setattr(tuning, "_timed", clock)
    assert tuning.find(tiny()).channels_last


def test_half_precision_is_tried_where_the_model_does_not_run_on_the_processor() -> None:
    assert {way.precision for way in tuning.modes(torch.device("cuda"))} == {"float32", "bfloat16", "float16"}
    assert "float16" not in {way.precision for way in tuning.modes(torch.device("cpu"))}
    assert not any(way.cuda_graph for way in tuning.modes(torch.device("cpu")))


def test_on_cuda_every_way_is_also_tried_as_a_recorded_graph() -> None:
    ways = tuning.modes(torch.device("cuda"))
    plain = [way for way in ways if not way.cuda_graph]
    assert [replace(way, cuda_graph=False) for way in ways[len(plain) :]] == plain


def test_a_slow_model_is_asked_one_image_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(dict.fromkeys(ALL_WAYS, 0.3), start=0.0)
    monkeypatch.setattr(tuning, "_timed", clock)
    monkeypatch.setattr(tuning, "SLOWEST", 1.0)
    assert tuning.find(tiny()).batch_size == 1
    assert max(clock.asked) == 1


def test_on_a_busy_machine_a_light_model_still_gets_a_fair_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_timed", Clock(dict.fromkeys(ALL_WAYS, 2.0), start=0.0))
    found = tuning.find(tiny())
    assert found.batch_size * found.parallel_batches == 64


def test_a_way_that_the_device_cannot_do_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(ALL_WAYS, start=0.0)

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        if classifier.execution.precision == "bfloat16":
            raise RuntimeError("no such kernel")
        return clock(classifier, batches, parallel_batches)

    monkeypatch.setattr(tuning, "_bfloat16_pays", lambda _: True)
    monkeypatch.setattr(tuning, "_timed", timed)
    assert tuning.find(tiny()).precision == "float32"


def test_memory_running_out_ends_the_search_for_a_larger_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(dict.fromkeys(ALL_WAYS, 0.001), start=0.01)

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        if len(batches[0]) > 16:
            raise torch.OutOfMemoryError("full")
        return clock(classifier, batches, parallel_batches)

    monkeypatch.setattr(tuning, "_timed", timed)
    monkeypatch.setattr(tuning, "SLOWEST", 1.0)
    found = tuning.find(tiny())
    assert found.batch_size * found.parallel_batches == 16


def test_a_real_trial_leaves_the_classifier_as_it_was() -> None:
    classifier = tiny()
    before = {name: tensor.clone() for name, tensor in classifier.module.state_dict().items()}
    found = tuning.find(classifier)
    assert found.batch_size in (1, 2, 4, 8, 16, 32, 64)
    assert classifier.execution == Execution()
    for name, tensor in classifier.module.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.slow
def test_answers_do_not_depend_on_the_ways_used_before() -> None:
    images = torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    classifier = torchvision_source.untrained("squeezenet1_0")
    for way in (PLAIN, LAST):
        classifier.configure(way)
        fresh, strides = classifier.answer(images), [part.stride() for part in classifier.module.parameters()]
        classifier.configure(LAST if way == PLAIN else PLAIN)
        classifier.configure(way)
        assert [part.stride() for part in classifier.module.parameters()] == strides
        assert torch.equal(classifier.answer(images), fresh)


# What is remembered


def test_a_trial_is_made_once_and_then_read_from_disk(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    found = Execution("float32", True, 32, 2, "a note")
    monkeypatch.setattr(tuning, "find", lambda _: found)
    assert tuning.remembered(tiny()) == found
    assert list(json.loads((data_directory / "speed.json").read_text()).values()) == [
        {
            "precision": "float32",
            "channels_last": True,
            "batch_size": 32,
            "parallel_batches": 2,
            "note": "a note",
            "cuda_graph": False,
        }
    ]
    tuning.forget()
    monkeypatch.setattr(tuning, "find", lambda _: pytest.fail("tried again"))
    assert tuning.remembered(tiny()) == found


@pytest.mark.slow
def test_another_process_asks_in_the_same_way() -> None:
    ours = tuning.remembered(tiny())
    script = (
        "from tests.models.test_tuning import tiny; from decam.models import tuning;"
        "tuning.find = None; print(tuning.remembered(tiny()))"
    )
    theirs = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert theirs.stdout.strip() == repr(ours), theirs.stderr


def test_models_devices_threads_and_versions_are_remembered_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [tuning.machine_key(tiny()), tuning.machine_key(tiny("other"))]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 97)
    keys.append(tuning.machine_key(tiny()))
    monkeypatch.setattr(torch, "__version__", "99.0")
    keys.append(tuning.machine_key(tiny()))
    monkeypatch.setattr(tuning, "_processor", lambda: "Abacus")
    keys.append(tuning.machine_key(tiny()))
    assert len(set(keys)) == 5


WHOLE = {
    "precision": "float32",
    "channels_last": True,
    "batch_size": 8,
    "parallel_batches": 1,
    "note": "",
    "cuda_graph": False,
}


def stored(**changes: object) -> bytes:
    """What is remembered of a model, with some of it as it should not be; None leaves an entry out."""
    entry = {name: value for name, value in (WHOLE | changes).items() if value is not None}
    return json.dumps({"KEY": entry}).encode()


DAMAGED = [
    *(b"", b"{", b"[1, 2]", b"\xff\xfe", b'{"KEY": 3}', b'{"KEY": {"precision": "float32"}}'),
    *(stored(precision="float64"), stored(channels_last=1), stored(cuda_graph=1), stored(note=3)),
    *(
        stored(batch_size=0),
        stored(batch_size="8"),
        stored(parallel_batches=0),
        stored(parallel_batches=None),
        stored(cuda_graph=None),
    ),
]


def test_what_is_whole_is_read(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(stored().replace(b"KEY", tuning.machine_key(tiny()).encode()))
    monkeypatch.setattr(tuning, "find", lambda _: pytest.fail("tried again"))
    assert tuning.remembered(tiny()) == Execution(channels_last=True, batch_size=8)


def test_what_was_remembered_under_earlier_names_is_read(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    data_directory.mkdir(parents=True)
    earlier = stored(parallel_batches=None, cuda_graph=None, streams=3, captured=True)
    (data_directory / "speed.json").write_bytes(earlier.replace(b"KEY", tuning.machine_key(tiny()).encode()))
    monkeypatch.setattr(tuning, "find", lambda _: pytest.fail("tried again"))
    expected = Execution(channels_last=True, batch_size=8, parallel_batches=3, cuda_graph=True)
    assert tuning.remembered(tiny()) == expected


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_memory_is_ignored_and_written_anew(
    content: bytes, monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    key = tuning.machine_key(tiny())
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(content.replace(b"KEY", key.encode()))
    found = Execution(batch_size=4)
    monkeypatch.setattr(tuning, "find", lambda _: found)
    assert tuning.remembered(tiny()) == found
    assert json.loads((data_directory / "speed.json").read_text())[key]["batch_size"] == 4


def test_remembering_one_model_keeps_the_others(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    monkeypatch.setattr(tuning, "find", lambda _: Execution())
    tuning.remembered(tiny("first"))
    tuning.remembered(tiny("second"))
    assert len(json.loads((data_directory / "speed.json").read_text())) == 2
    assert [path.name for path in data_directory.iterdir()] == ["speed.json"]


def test_where_nothing_can_be_written_the_process_remembers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DECAM_DATA", str(tmp_path / "file" / "data"))
    found = Execution(batch_size=2)
    monkeypatch.setattr(tuning, "find", lambda _: found)
    assert tuning.remembered(tiny()) == found
    monkeypatch.setattr(tuning, "find", lambda _: pytest.fail("tried again"))
    assert tuning.remembered(tiny()) == found


def test_ways_that_are_close_on_a_few_images_are_tried_again_on_a_whole_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels last may only pay in larger batches: here it costs as much on one and half as much on more."""
    plain, last = (Execution("float32", layout) for layout in (False, True))
    asked = []

    def timed(
        classifier: TorchClassifier, batches: list[torch.Tensor], parallel_batches: int = 1
    ) -> tuple[float, torch.Tensor]:
        images = sum(len(batch) for batch in batches)
        asked.append((classifier.execution.channels_last, images))
        large = len(batches[0]) * parallel_batches > 2
        seconds = images * 0.1 * (0.5 if large and classifier.execution.channels_last else 1.0)
        return seconds, torch.zeros(len(batches[-1]), 2)

    monkeypatch.setattr(tuning, "_timed", timed)
    monkeypatch.setattr(tuning, "_bfloat16_pays", lambda _: False)
    classifier = tiny()
    pictures = torch.zeros(8, 3, *classifier.input_size)
    trials = [Trial(plain, 0.1, 0.0), Trial(last, 0.1, 0.0)]
    assert tuning._duel(classifier, pictures, trials[0], trials, Round(2, 2)) == trials[1]
    assert tuning._duel(classifier, pictures, trials[0], trials, Round(1, 1)) == trials[0]
    far = [Trial(plain, 0.1, 0.0), Trial(last, 0.2, 0.0)]
    assert tuning._duel(classifier, pictures, far[0], far, Round(2, 2)) == far[0]
    wrong = [Trial(plain, 0.1, 0.0), Trial(last, 0.1, 0.5)]
    assert tuning._duel(classifier, pictures, wrong[0], wrong, Round(2, 2)) == wrong[0]


def test_a_way_for_which_a_whole_round_is_too_large_is_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, last = (Execution("float32", layout) for layout in (False, True))

    def together(classifier: TorchClassifier, pictures: torch.Tensor, candidate: Round, rounds: int = 2) -> float:
        if classifier.execution.channels_last:
            raise torch.OutOfMemoryError("full")
        return 0.01 * candidate.images * len(pictures) / rounds

    monkeypatch.setattr(tuning, "_together", together)
    classifier = tiny()
    pictures = torch.zeros(8, 3, *classifier.input_size)
    trials = [Trial(plain, 0.1, 0.0), Trial(last, 0.05, 0.0)]
    assert tuning._duel(classifier, pictures, trials[0], trials, Round(2, 2)) == trials[0]


# A busy machine


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many cores other programs use, as the machine is made to say."""
    foreign = [0.0]
    monkeypatch.setattr(processor, "others", lambda _before, _after: foreign[0])
    monkeypatch.setattr(processor, "GLANCE", 0.0)
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    return foreign


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which stands still."""
    now = [1e9]
    monkeypatch.setattr(tuning, "time", SimpleNamespace(time=lambda: now[0], perf_counter=time.perf_counter))
    return now


def results(monkeypatch: pytest.MonkeyPatch, *found: Execution) -> list[Execution]:
    """Trials find these, one after the other; what is left is returned."""
    left = list(found)
    monkeypatch.setattr(tuning, "find", lambda _: left.pop(0))
    return left


def entry(data_directory: Path) -> dict[str, object]:
    (only,) = json.loads((data_directory / "speed.json").read_text()).values()
    return only


def test_the_result_of_a_busy_machine_holds_until_a_quiet_one_tries_again(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN, HALF_LAST)
    cores[0] = 1.5
    assert tuning.remembered(tiny()) == PLAIN and "busy" in entry(data_directory)
    cores[0] = 0.0
    calendar[0] += 3600
    assert tuning.remembered(tiny()) == PLAIN  # within a process nothing changes
    tuning.forget()
    assert tuning.remembered(tiny()) == HALF_LAST and left == []
    assert "busy" not in entry(data_directory)
    tuning.forget()
    assert tuning.remembered(tiny()) == HALF_LAST


def test_while_the_machine_stays_busy_every_process_asks_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN)
    cores[0] = 2.0
    for _ in range(3):
        assert tuning.remembered(tiny()) == PLAIN and left == []
        calendar[0] += 3600
        tuning.forget()


def test_processes_that_start_together_ask_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, cores: list[float], calendar: list[float]
) -> None:
    left = results(monkeypatch, PLAIN)
    cores[0] = 2.0
    tuning.remembered(tiny())
    cores[0] = 0.0
    calendar[0] += tuning.AGAIN / 2
    tuning.forget()
    assert tuning.remembered(tiny()) == PLAIN and left == []


def test_a_trial_that_is_repeated_in_vain_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path, cores: list[float], calendar: list[float]
) -> None:
    cores[0] = 2.0
    results(monkeypatch, PLAIN)
    tuning.remembered(tiny())
    before = entry(data_directory)
    calendar[0] += 3600
    tuning.forget()
    cores[0] = 0.0

    def find(_: TorchClassifier) -> Execution:
        cores[0] = 2.0  # another program starts
        return HALF

    monkeypatch.setattr(tuning, "find", find)
    assert tuning.remembered(tiny()) == PLAIN
    assert entry(data_directory) == before


def test_what_the_processor_is_built_for_is_left_only_for_what_is_clearly_faster() -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.95, 0.0), Trial(HALF_LAST, 1.1, 0.01)]
    assert choose(trials).execution == LAST
    assert choose(trials, [HALF_LAST, LAST]).execution == HALF_LAST
    assert choose(trials, [HALF_LAST, LAST], margin=1.05).execution == LAST
    # What changes the answers, or cannot be done, gives way to the next that the processor does well.
    slow = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 1.1, 0.0)]
    assert choose([*slow, Trial(HALF_LAST, 0.1, 0.5)], [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST]).execution == PLAIN


@pytest.mark.parametrize(("held_up", "foreign", "expected"), [(2.5, 1.5, True), (2.5, 0.0, False), (30.0, 1.5, False)])
def test_a_processor_with_bfloat16_keeps_it_when_other_programs_hold_up_its_trial(
    held_up: float, foreign: float, expected: bool, monkeypatch: pytest.MonkeyPatch, cores: list[float]
) -> None:
    """bfloat16 is timed as slower than float32: on a busy machine that is not believed unless it is far slower."""
    cores[0] = foreign
    each = {("float32", False): 0.001, ("float32", True): 0.001}
    each |= {("bfloat16", False): 0.001 * held_up, ("bfloat16", True): 0.001 * held_up}
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(tuning, "_timed", Clock(each, start=0.0))
    monkeypatch.setattr(tuning, "SLOWEST", 1.0)
    found = tuning.find(tiny())
    assert ((found.precision, found.channels_last) == ("bfloat16", True)) == expected


def test_what_the_processor_is_built_for_is_tried_even_when_time_is_up(
    monkeypatch: pytest.MonkeyPatch, cores: list[float]
) -> None:
    cores[0] = 1.5
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(tuning, "_timed", Clock(dict.fromkeys(ALL_WAYS, 5.0), start=0.0))
    monkeypatch.setattr(tuning, "BUDGET", -1.0)
    found = tuning.find(tiny())
    assert (found.precision, found.channels_last) == ("bfloat16", True)


def test_results_of_older_trials_are_left_alone_and_tried_anew(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    key = tuning.machine_key(tiny())
    older = key.removesuffix(f" | {tuning._TRIAL}")
    assert older != key
    data_directory.mkdir(parents=True)
    (data_directory / "speed.json").write_bytes(stored().replace(b"KEY", older.encode()))
    results(monkeypatch, HALF_LAST)
    assert tuning.remembered(tiny()) == HALF_LAST
    kept = json.loads((data_directory / "speed.json").read_text())
    assert kept[older] == WHOLE and set(kept) == {older, key}


@pytest.mark.parametrize("mark", [{"busy": "yes"}, {"busy": True}, {"rate": -1.0}, {"rate": float("nan")}, {"more": 1}])
def test_marks_that_are_damaged_are_no_memory(mark: dict[str, object]) -> None:
    assert tuning._parse(WHOLE | mark) is None
    assert tuning._parse(WHOLE | {"busy": 1e9, "rate": 20.0}) == Execution(channels_last=True, batch_size=8)


# What runs say about the trial


def trialled(monkeypatch: pytest.MonkeyPatch, rate: float) -> TorchClassifier:
    """A classifier asked as a trial found, which measured so many images a second."""
    classifier = tiny()

    def find(_: TorchClassifier) -> Execution:
        tuning._measured[tuning.machine_key(classifier)] = rate
        return Execution(batch_size=2)

    monkeypatch.setattr(tuning, "find", find)
    classifier.configure(tuning.remembered(classifier))
    return classifier


@pytest.mark.usefixtures("cores")
def test_runs_that_are_much_faster_than_the_trial_have_it_repeated(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    classifier = trialled(monkeypatch, 50.0)
    assert entry(data_directory)["rate"] == 50.0
    tuning.observe(classifier, 500, 5.0)
    tuning.observe(classifier, 500, 5.0)
    assert tuning.remembered(classifier) == Execution(batch_size=2)
    tuning.forget()
    results(monkeypatch, HALF_LAST)
    assert tuning.remembered(classifier) == HALF_LAST


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
        tuning.observe(classifier, evaluations, seconds)
    assert entry(data_directory) == before


@pytest.mark.usefixtures("cores")
def test_runs_asked_in_another_way_say_nothing_about_the_trial(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    classifier = trialled(monkeypatch, 50.0)
    before = entry(data_directory)
    classifier.configure(LAST)
    for _ in range(3):
        tuning.observe(classifier, 500, 1.0)
    assert entry(data_directory) == before
