"""Recorded graphs: what is copied in and out, and when the module itself answers. Stand-ins take the GPU's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier
from decam.classifier.engines import table
from decam.errors import ModelError
from decam.explanation import Question
from decam.hardware.cuda_graph import WARM, CudaGraph
from decam.masking import MaskedQueries, fill


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))


class Recorder:
    """A stand-in for CUDA's graphs: replaying runs `forward` on the memory that was recorded, as a GPU would."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        self.forward, self.calls = forward, 0
        self.made: CudaGraph | None = None

    def __call__(self, batch: Tensor) -> Tensor:
        self.calls += 1
        return self.forward(batch)

    def replay(self) -> None:
        assert self.made is not None
        self.made._answers.copy_(self.forward(self.made._given))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder(network())
    stream = SimpleNamespace(wait_stream=lambda _: None)

    @contextmanager
    def within(*_: object, **__: object) -> Iterator[None]:
        yield

    for name, stand_in in (
        ("current_stream", lambda _: stream),
        ("Stream", lambda _: stream),
        ("stream", within),
        ("graph", within),
        ("CUDAGraph", lambda: SimpleNamespace(replay=found.replay)),
    ):
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return found


@torch.no_grad()
def test_batches_of_any_size_up_to_the_recorded_one_are_answered_as_by_the_module(recorder: Recorder) -> None:
    recorder.made = found = CudaGraph(recorder, torch.zeros(6, 3, 8, 8))
    assert recorder.calls == WARM + 1
    batches = [torch.rand(count, 3, 8, 8) for count in (6, 1, 4)]
    answers = [found(batch) for batch in batches]
    for batch, answer in zip(batches, answers, strict=True):
        torch.testing.assert_close(answer, recorder.forward(batch))
    assert recorder.calls == WARM + 1, "replaying does not call the module again"


class Counting:
    """A stand-in for a recorded graph."""

    made = asked = 0

    def __init__(self, forward: Callable[[Tensor], Tensor], example: Tensor) -> None:
        type(self).made += 1
        self.forward, self.size = forward, len(example)

    def __call__(self, batch: Tensor) -> Tensor:
        type(self).asked += 1
        assert len(batch) <= self.size
        return self.forward(batch)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    Counting.made = Counting.asked = 0
    monkeypatch.setattr(table, "CudaGraph", Counting)
    anywhere = replace(table.ENGINES["cuda-graph"], serves=lambda _: True)
    monkeypatch.setitem(table.ENGINES, "cuda-graph", anywhere)
    return Counting


def test_a_graph_answers_where_that_is_asked_for_and_nobody_looks_inside(counting: type[Counting]) -> None:
    net = TorchClassifier(
        "net", network(), list("abcde"), input_size=(8, 8), execution=Execution(batch_size=4, engine="cuda-graph")
    )
    images = torch.rand(4, 3, 8, 8)
    wanted = torch.softmax(net.module(images), 1)
    for count in (4, 2):
        torch.testing.assert_close(net.answer(images[:count]), wanted[:count])
    assert (counting.made, counting.asked) == (1, 2)
    net.answer(torch.rand(5, 3, 8, 8))
    assert counting.asked == 2, "a batch that is larger than the recorded one goes to the module"
    seen: list[int] = []
    handle = net.module[0].register_forward_hook(lambda *_: seen.append(1))
    net.answer(images)
    handle.remove()
    assert counting.asked == 2 and seen == [1]
    net.configure(Execution(batch_size=2, engine="cuda-graph"))
    net.answer(images[:2])
    assert (counting.made, counting.asked) == (2, 3), "another way of asking is recorded anew"
    net.configure(Execution())
    net.answer(images)
    assert (counting.made, counting.asked) == (2, 3)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "not enough memory to record a batch of 8",
        ),
        (
            RuntimeError("operation not permitted when stream is capturing\nmore"),
            "not permitted when stream is capturing",
        ),
        (ModelError("net failed on a batch of 8"), "net failed on a batch of 8"),
    ],
)
def test_what_cannot_be_recorded_is_answered_by_the_module_and_recorded_where_another_way_can(
    error: Exception, reason: str, counting: type[Counting], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(counting):  # type: ignore[valid-type,misc]  # a class that the fixture gives
        def __init__(self, forward: Callable[[Tensor], Tensor], example: Tensor) -> None:
            if len(example) > 4:
                raise error
            super().__init__(forward, example)

    monkeypatch.setattr(table, "CudaGraph", Small)
    net = TorchClassifier(
        "net", network(), list("abcde"), input_size=(8, 8), execution=Execution(batch_size=8, engine="cuda-graph")
    )
    image = torch.rand(3, 8, 8)
    asking = MaskedQueries(Question(net, image, 0), fill("mean", image, net.mean))
    masks = torch.rand(20, 1, 8, 8)
    answers = torch.cat(list(asking.batches(masks)))
    shown = net.normalise(masks * image + (1 - masks) * torch.tensor(net.mean).view(3, 1, 1))
    torch.testing.assert_close(answers, torch.softmax(net.module(shown), 1), rtol=1e-4, atol=1e-5)
    assert reason in net.engine_note and net.engine_note.endswith("), so PyTorch does.")
    net.configure(Execution(batch_size=4, engine="cuda-graph"))
    net.answer(shown[:4])
    assert Small.asked == 1 and net.engine_note == ""


def test_a_plan_from_a_gpu_is_followed_on_a_processor_by_the_module_itself() -> None:
    net = TorchClassifier(
        "net", network(), list("abcde"), input_size=(8, 8), execution=Execution(batch_size=4, engine="cuda-graph")
    )
    images = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(net.answer(images), torch.softmax(net.module(images), 1))
