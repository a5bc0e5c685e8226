"""A module belongs to whoever brought it: it is left as it was found, whatever is done with it here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import decam
from decam.classifier import Execution, TorchClassifier, probabilities
from decam.errors import DecamError, ModelError
from decam.methods import METHODS
from decam.metrics import METRICS
from decam.models import tuning
from tests.classifier.wrap import networks

SIZE = (24, 24)
QUICK = networks.QUICK | {name: {"samples": 4} for name in ("smoothgrad", "vargrad", "gradient-shap")}


class Owned(nn.Module):
    """A network in the middle of its training: normalised by batches, with dropout, some of it frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.third = nn.Sequential(nn.Conv2d(8, 8, 3, stride=2), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.pool(self.third(self.second(self.first(images)))).flatten(1)))


def owned() -> Owned:
    torch.manual_seed(0)
    module = Owned().train()
    module.second.eval()  # its owner keeps these statistics
    module.first[0].requires_grad_(False)
    module(torch.rand(4, 3, *SIZE)).sum().backward()
    module.third.register_forward_hook(lambda *_: None)
    return module


def state(module: nn.Module) -> dict[str, Any]:
    """All that an owner could find changed."""
    found: dict[str, Any] = {}
    for name, part in module.named_modules():
        hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)
        found[f"{name}.mode"] = (part.training, *(list(each) for each in hooks), sorted(vars(part)))
    for name, part in (*module.named_parameters(), *module.named_buffers()):
        found[name] = (
            id(part),
            part.data_ptr(),
            part.detach().clone().numpy().tobytes(),
            part.stride(),
            part.dtype,
            part.device,
            part.requires_grad,
            None if part.grad is None else part.grad.clone().numpy().tobytes(),
        )
    return found


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture
def module() -> Owned:
    return owned()


def wrapped(module: nn.Module, **more: Any) -> TorchClassifier:
    found = decam.wrap(module, labels=["a", "b", "c"], input_size=SIZE, **more)
    assert isinstance(found, TorchClassifier)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_leaves_the_owners_module_as_it_was(method: str, module: Owned, view: np.ndarray) -> None:
    before = state(module)
    classifier = wrapped(module)
    assert state(module) == before
    with suppress(*((DecamError,) if METHODS[method].family == "attention" else ())):
        decam.explain(classifier, view, method, target=1, **QUICK.get(method, {}))
    assert state(module) == before
    steps = decam.explain_steps(classifier, view, method, target=1, **QUICK.get(method, {}))
    with suppress(StopIteration, DecamError):
        next(steps)
    steps.close()
    assert state(module) == before


@pytest.mark.slow
def test_a_speed_trial_and_another_layout_leave_the_owners_module_as_it_was(module: Owned) -> None:
    before, classifier = state(module), wrapped(module)
    tuning.find(classifier)
    assert state(module) == before
    classifier.configure(Execution(channels_last=True))
    assert not classifier.shares_weights
    assert state(module) == before


@pytest.mark.slow
def test_measuring_and_randomising_leave_the_owners_module_as_it_was(module: Owned, view: np.ndarray) -> None:
    before, classifier = state(module), wrapped(module)
    found = decam.explain(classifier, view, "grad-cam", target=0)
    decam.measure(classifier, view, found, steps=5)
    decam.measure(classifier, view, found, metrics=[name for name in METRICS if name in ("max-sensitivity", "road")])
    decam.sanity_check(classifier, view, ["grad-cam", "guided-backprop"])
    assert state(module) == before


def test_a_failing_method_leaves_the_owners_module_as_it_was(module: Owned, view: np.ndarray) -> None:
    classifier = wrapped(module)
    calls: list[int] = []

    def failing(*_: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("broken on purpose")

    handle = module.first.register_forward_hook(failing)
    before = state(module)
    with pytest.raises(ModelError, match=r"Owned failed on a batch of .*\(ValueError: broken on purpose\)"):
        decam.explain(wrapped(module, layers=["third"]), view, "rise", budget=32)
    assert state(module) == before
    with pytest.raises(ModelError, match=r"Owned failed on a batch of .*\(ValueError: broken on purpose\)"):
        wrapped(module)
    assert state(module) == before
    handle.remove()
    assert decam.explain(classifier, view, "rise", budget=32).saliency.shape == SIZE


def test_answers_are_those_of_evaluation_mode_though_the_module_trains(module: Owned) -> None:
    images = torch.rand(5, 3, *SIZE, generator=torch.Generator().manual_seed(2))
    classifier = wrapped(module, mean=(0, 0, 0), std=(1, 1, 1))
    got = probabilities(classifier, images)
    module.eval()
    torch.testing.assert_close(got, module(images).softmax(1).detach())


def test_a_step_of_training_is_seen_while_weights_are_shared_and_not_at_all_afterwards(module: Owned) -> None:
    images = torch.rand(2, 3, *SIZE)
    classifier = wrapped(module)
    assert classifier.shares_weights
    first = probabilities(classifier, images)
    _train(module)
    second = probabilities(classifier, images)
    torch.testing.assert_close(second, probabilities(wrapped(module), images))
    assert not torch.allclose(first, second)
    classifier.configure(Execution(channels_last=True))
    third = probabilities(classifier, images)
    _train(module)
    assert torch.equal(third, probabilities(classifier, images))


def _train(module: nn.Module) -> None:
    optimiser = torch.optim.SGD(module.parameters(), 0.5)
    optimiser.zero_grad()
    module(torch.rand(4, 3, *SIZE))[:, 0].sum().backward()
    optimiser.step()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_asked_in_single_by_a_copy(dtype: torch.dtype, module: Owned, view: np.ndarray) -> None:
    module.to(dtype)
    before = {name: (part.dtype, part.data_ptr()) for name, part in module.state_dict(keep_vars=True).items()}
    classifier = wrapped(module)
    assert not classifier.shares_weights
    assert {part.dtype for part in classifier.module.parameters()} == {torch.float32}
    assert decam.explain(classifier, view, "grad-cam").saliency.dtype == np.float32
    after = {name: (part.dtype, part.data_ptr()) for name, part in module.state_dict(keep_vars=True).items()}
    assert before == after
    reference = owned().to(dtype).float()
    torch.testing.assert_close(
        probabilities(classifier, torch.zeros(1, 3, *SIZE)), probabilities(wrapped(reference), torch.zeros(1, 3, *SIZE))
    )


def test_weights_that_lie_channels_last_stay_so_and_are_all_copied(module: Owned) -> None:
    module.to(memory_format=torch.channels_last)
    before, classifier = state(module), wrapped(module)
    assert not classifier.shares_weights
    assert state(module) == before


class Counting(nn.Module):
    """Counts its questions in a buffer, and standardises by batches whatever mode it is in."""

    count: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.count += len(images)
        self.norm.train()
        return self.head((self.norm(images) * 3).mean((2, 3)))


def test_buffers_that_a_forward_changes_are_changed_in_the_copy_alone(view: np.ndarray) -> None:
    module = Counting().eval()
    before, classifier = state(module), wrapped(module)
    decam.explain(classifier, view, "gradient")
    decam.explain(classifier, view, "rise", budget=32)
    assert state(module) == before
    assert module.count == 0 and not module.norm.running_mean.any() and not module.norm.training
    assert classifier.module.count > 32


class Guarded(Owned):
    """Holds what cannot be copied, and a part that leads back to it."""

    def __init__(self) -> None:
        import threading

        super().__init__()
        self.lock = threading.Lock()
        self.again: Callable[[torch.Tensor], torch.Tensor] = self.once
        self.tools = [threading.Lock(), self.third]

    def once(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        with self.lock:
            return self.again(images)


@pytest.mark.parametrize("method", ["grad-cam", "gradient", "rise", "untrained"])
def test_a_module_with_a_lock_is_copied_around_it(method: str, view: np.ndarray) -> None:
    torch.manual_seed(0)
    plain = Owned()
    guarded = Guarded()
    guarded.load_state_dict(plain.state_dict())
    before = state(guarded)
    classifier = wrapped(guarded, layer="third")
    assert classifier.module.tools[1] is classifier.module.third
    got = decam.explain(classifier, view, method, **QUICK.get(method, {}))
    wanted = decam.explain(wrapped(plain, layer="third"), view, method, **QUICK.get(method, {}))
    np.testing.assert_array_equal(got.saliency, wanted.saliency)
    assert state(guarded) == before


class Single(Owned):
    """There is only one of it."""

    def __deepcopy__(self, memo: object) -> Single:
        raise TypeError("there is only one")


def test_a_module_that_cannot_be_copied_answers_and_says_which_method_needs_more(view: np.ndarray) -> None:
    torch.manual_seed(0)
    module = Single().train()
    module.second.eval()
    before = state(module)
    classifier = wrapped(module)
    found = decam.explain(classifier, view, "rise", budget=64)
    torch.manual_seed(0)
    expected = decam.explain(wrapped(Owned()), view, "rise", budget=64)
    np.testing.assert_array_equal(found.saliency, expected.saliency)
    assert state(module) == before
    sentence = r"Grad-CAM needs the model's activations and gradients, which Single does not give: .*there is only one"
    with pytest.raises(DecamError, match=sentence):
        decam.explain(classifier, view, "grad-cam")
    with pytest.raises(DecamError, match="weights of Single cannot be drawn anew"):
        decam.sanity_check(classifier, view, ["rise"])
    with pytest.raises(ModelError, match="must be in float32 on cpu"):
        wrapped(Single().half())
    assert state(module) == before


def test_results_that_a_module_keeps_do_not_stop_it_from_being_copied(view: np.ndarray) -> None:
    module = owned()
    module.kept = module(torch.rand(2, 3, *SIZE))  # cannot be deep-copied: it is no leaf
    nn.utils.weight_norm(module.head)
    classifier = wrapped(module)
    assert decam.explain(classifier, view, "gradient").saliency.any()


@pytest.mark.slow
def test_threads_that_ask_a_module_without_a_copy_leave_its_modes(view: np.ndarray) -> None:
    import threading

    torch.manual_seed(0)
    module = Single().train()
    before, classifier = state(module), wrapped(module)
    threads = [threading.Thread(target=lambda: decam.explain(classifier, view, "rise", budget=200)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(module) == before
