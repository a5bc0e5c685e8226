"""The trial on machines made up and on this one: what it finds, and that answers stay what they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from decam.classifier import ENGINES, Execution, TorchClassifier
from decam.classifier.engines import table
from decam.errors import ModelError
from decam.hardware import processor
from decam.models.sources import torchvision as torchvision_source
from decam.models.tuning import timing, trial, ways
from decam.models.tuning.choices import LONGEST_BATCH, Round, Trial
from decam.models.tuning.closeness import Closeness, Judge
from tests.models.tuning.machine import ALL_WAYS, LAST, OPENVINO, PLAIN, Clock, tiny


@pytest.mark.slow
def test_a_way_that_leaves_cores_idle_is_as_slow_as_its_wall_clock_says() -> None:
    class Waiting(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            time.sleep(0.05)
            return images.mean((2, 3))

    waiting = TorchClassifier("waiting", Waiting(), list("abc"), input_size=(8, 8))
    assert timing.timed(waiting, [torch.zeros(1, 3, 8, 8)] * 3)[0] >= 0.15


def test_a_way_that_something_held_up_once_is_still_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, turns = Clock(ALL_WAYS, start=0.0), []

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        seconds, answers = clock(classifier, batches, parallel_batches)
        turns.append(classifier.execution.channels_last)
        return (seconds + 10 if turns.count(True) == 1 and classifier.execution.channels_last else seconds), answers

    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: False)
    monkeypatch.setattr(timing, "timed", timed)
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    assert trial.find(tiny()).channels_last


@pytest.mark.slow
def test_multiply_adds_are_counted_as_torchvision_publishes_them() -> None:
    for name, published in (("squeezenet1_0", 0.819), ("mobilenet_v3_large", 0.217)):
        counted = timing.operations(torchvision_source.untrained(name), torch.zeros(1, 3, 224, 224))
        assert counted / 1e9 == pytest.approx(published, rel=0.02)


@pytest.mark.slow
def test_on_a_machine_with_fast_bfloat16_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: True)
    monkeypatch.setattr(timing, "timed", Clock(ALL_WAYS, start=0.0005))
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(tiny())
    assert (found.precision, found.channels_last) == ("bfloat16", True)
    assert found.batch_size * found.parallel_batches * 0.003 <= LONGEST_BATCH


def test_on_a_machine_without_bfloat16_it_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({way: seconds for way, seconds in ALL_WAYS.items() if way[0] == "float32"}, start=0.0005)
    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: False)
    monkeypatch.setattr(timing, "timed", clock)
    assert trial.find(tiny()).channels_last


def test_half_precision_is_tried_where_the_model_does_not_run_on_the_processor() -> None:
    assert {way.precision for way in ways.modes(torch.device("cuda"))} == {"float32", "bfloat16", "float16"}
    assert "float16" not in {way.precision for way in ways.modes(torch.device("cpu"))}


def test_on_cuda_every_way_is_also_tried_as_a_recorded_graph() -> None:
    modes = ways.modes(torch.device("cuda"))
    plain = [way for way in modes if way.engine == "eager"]
    assert [replace(way, engine="eager") for way in modes[len(plain) :]] == plain
    assert {way.engine for way in modes[len(plain) :]} == {"cuda-graph"}


def test_a_slow_model_is_asked_one_image_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(dict.fromkeys(ALL_WAYS, 0.3), start=0.0)
    monkeypatch.setattr(timing, "timed", clock)
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    assert trial.find(tiny()).batch_size == 1
    assert max(clock.asked) == 1


def test_on_a_busy_machine_a_light_model_still_gets_a_fair_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "timed", Clock(dict.fromkeys(ALL_WAYS, 2.0), start=0.0))
    found = trial.find(tiny())
    assert found.batch_size * found.parallel_batches == 64


def test_a_way_that_the_device_cannot_do_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(ALL_WAYS, start=0.0)

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        if classifier.execution.precision == "bfloat16":
            raise RuntimeError("no such kernel")
        return clock(classifier, batches, parallel_batches)

    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: True)
    monkeypatch.setattr(timing, "timed", timed)
    assert trial.find(tiny()).precision == "float32"


def test_memory_running_out_ends_the_search_for_a_larger_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(dict.fromkeys(ALL_WAYS, 0.001), start=0.01)

    def timed(
        classifier: TorchClassifier, batches: Sequence[Tensor], parallel_batches: int = 1
    ) -> tuple[float, Tensor]:
        if len(batches[0]) > 16:
            raise torch.OutOfMemoryError("full")
        return clock(classifier, batches, parallel_batches)

    monkeypatch.setattr(timing, "timed", timed)
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(tiny())
    assert found.batch_size * found.parallel_batches == 16


def test_a_way_in_which_the_module_itself_would_answer_for_its_engine_is_no_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("full")

    recorded = replace(ENGINES["cuda-graph"], serves=lambda _: True)
    monkeypatch.setitem(ENGINES, "cuda-graph", recorded)
    monkeypatch.setattr(ways, "ENGINES", {**ways.ENGINES, "cuda-graph": recorded})
    monkeypatch.setattr(table, "CudaGraph", full)
    classifier = tiny()
    classifier.configure(Execution(engine="cuda-graph"))
    with pytest.raises(ModelError, match="not enough memory to record a batch of 16"):
        timing.timed(classifier, [timing.probe(classifier)])
    assert trial.find(tiny()).engine == "eager"


def test_a_real_trial_leaves_the_classifier_as_it_was() -> None:
    classifier = tiny()
    before = {name: tensor.clone() for name, tensor in classifier.module.state_dict().items()}
    found = trial.find(classifier)
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


def test_ways_that_are_close_on_a_few_images_are_tried_again_on_a_whole_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels last may only pay in larger batches: here it costs as much on one and half as much on more."""
    plain, last = (Execution("float32", layout) for layout in (False, True))
    asked: list[tuple[bool, int]] = []

    def timed(
        classifier: TorchClassifier, batches: list[torch.Tensor], parallel_batches: int = 1
    ) -> tuple[float, torch.Tensor]:
        images = sum(len(batch) for batch in batches)
        asked.append((classifier.execution.channels_last, images))
        large = len(batches[0]) * parallel_batches > 2
        seconds = images * 0.1 * (0.5 if large and classifier.execution.channels_last else 1.0)
        return seconds, torch.zeros(len(batches[-1]), 2)

    monkeypatch.setattr(timing, "timed", timed)
    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: False)
    classifier = tiny()
    pictures = torch.zeros(8, 3, *classifier.input_size)
    judge = Judge(classifier, plain, 0.1)

    def duel(trials: list[Trial], whole: Round) -> Execution:
        return trial._duel(classifier, pictures, trials[0], trials, whole, judge)[0].execution

    trials = [Trial(plain, 0.1), Trial(last, 0.1)]
    assert duel(trials, Round(2, 2)) == last
    assert duel(trials, Round(1, 1)) == plain
    assert duel([Trial(plain, 0.1), Trial(last, 0.2)], Round(2, 2)) == plain
    assert duel([Trial(plain, 0.1), Trial(last, 0.1, Closeness(0.9, 0.0))], Round(2, 2)) == plain


def test_a_way_for_which_a_whole_round_is_too_large_is_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, last = (Execution("float32", layout) for layout in (False, True))

    def together(classifier: TorchClassifier, pictures: torch.Tensor, candidate: Round, rounds: int = 2) -> float:
        if classifier.execution.channels_last:
            raise torch.OutOfMemoryError("full")
        return 0.01 * candidate.images * len(pictures) / rounds

    monkeypatch.setattr(timing, "together", together)
    classifier = tiny()
    pictures = torch.zeros(8, 3, *classifier.input_size)
    trials = [Trial(plain, 0.1), Trial(last, 0.05)]
    judge = Judge(classifier, plain, 0.1)
    assert trial._duel(classifier, pictures, trials[0], trials, Round(2, 2), judge) == (trials[0], trials)


@pytest.mark.parametrize(("held_up", "foreign", "expected"), [(2.5, 1.5, True), (2.5, 0.0, False), (30.0, 1.5, False)])
def test_a_processor_with_bfloat16_keeps_it_when_other_programs_hold_up_its_trial(
    held_up: float, foreign: float, expected: bool, monkeypatch: pytest.MonkeyPatch, cores: list[float]
) -> None:
    """bfloat16 is timed as slower than float32: on a busy machine that is not believed unless it is far slower."""
    cores[0] = foreign
    each = {("float32", False): 0.001, ("float32", True): 0.001}
    each |= {("bfloat16", False): 0.001 * held_up, ("bfloat16", True): 0.001 * held_up}
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(timing, "timed", Clock(each, start=0.0))
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(tiny())
    assert ((found.precision, found.channels_last) == ("bfloat16", True)) == expected


def test_what_the_processor_is_built_for_is_tried_even_when_time_is_up(
    monkeypatch: pytest.MonkeyPatch, cores: list[float]
) -> None:
    cores[0] = 1.5
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(timing, "timed", Clock(dict.fromkeys(ALL_WAYS, 5.0), start=0.0))
    monkeypatch.setattr(trial, "BUDGET", -1.0)
    found = trial.find(tiny())
    assert (found.precision, found.channels_last) == ("bfloat16", True)


@pytest.mark.usefixtures("engines")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "foreign", "engine"),
    [(2.0, 0.0, "openvino"), (2.0, 1.5, "openvino"), (0.5, 0.0, "eager"), (0.5, 1.5, "openvino"), (0.1, 1.5, "eager")],
)
def test_an_engine_is_chosen_by_its_times_and_a_busy_machine_is_believed_less(
    factor: float, foreign: float, engine: str, monkeypatch: pytest.MonkeyPatch, cores: list[float]
) -> None:
    cores[0] = foreign
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(processor, "has_vectors", lambda: True)
    monkeypatch.setattr(timing, "timed", Clock(ALL_WAYS, start=0.0, faster={"openvino": factor}))
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(tiny())
    assert (found.engine, found.precision, found.channels_last) == (engine, "bfloat16", True)
    assert "mean change of a probability" in found.note
    assert trial.find(tiny(), ["eager"]).engine == "eager"


@pytest.mark.usefixtures("engines")
def test_on_a_cpu_engines_that_arrange_memory_themselves_are_tried_in_one_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ways, "_bfloat16_pays", lambda _: True)
    for vectors in (False, True):
        monkeypatch.setattr(processor, "has_vectors", lambda found=vectors: found)
        by_openvino = [way for way in ways.modes(torch.device("cpu")) if way.engine == "openvino"]
        assert [(way.precision, way.channels_last) for way in by_openvino] == [
            ("float32", vectors),
            ("bfloat16", vectors),
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("engines")
def test_an_engine_that_cannot_answer_is_no_candidate_and_the_note_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Branching(nn.Module):
        """Its steps depend on the values of the pictures."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny().module

        def forward(self, images: Tensor) -> Tensor:
            answers = self.inner(images)
            return answers if float(images.mean()) > 0 else 2 * answers

    classifier = TorchClassifier("branching", Branching(), list("abcd"), input_size=(32, 32))
    monkeypatch.setattr(timing, "timed", Clock(ALL_WAYS, start=0.0))
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(classifier)
    assert found.engine == "eager"
    assert "OpenVINO cannot answer for branching (" in found.note and found.note.endswith("), so PyTorch does.")
    assert classifier.notes == (), "the classifier is asked as before"


@pytest.mark.parametrize("failure", [RuntimeError("broken"), MemoryError("full")])
@pytest.mark.usefixtures("engines")
def test_an_engine_that_breaks_down_is_no_candidate(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: TorchClassifier, normalised: Tensor) -> Tensor:
        if self.execution.engine != "eager":
            raise failure
        return usual(self, normalised)

    usual = TorchClassifier.answer
    monkeypatch.setattr(TorchClassifier, "answer", answer)
    monkeypatch.setattr(timing, "timed", Clock(ALL_WAYS, start=0.0))
    monkeypatch.setattr(trial, "SLOWEST", 1.0)
    found = trial.find(tiny())
    assert found.engine == "eager" and f"OpenVINO failed ({failure})." in found.note
    assert found != OPENVINO
