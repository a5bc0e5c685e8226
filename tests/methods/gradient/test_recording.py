"""A recording is the network as a program: run on another picture, its steps give the network's own answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.errors import MethodError
from decam.methods.gradient.recording import Recording


def assigned(x: Tensor) -> Tensor:
    made = x.new_zeros(x.shape)
    made[:, :2] = x[:, 2:4]
    made[:, 2:4] = x[:, :2] * made[:, :2]
    return made + x


def written_through_a_view(x: Tensor) -> Tensor:
    y = x * 2
    y.flatten(1).relu_()
    y.permute(0, 2, 3, 1)[..., 1].mul_(y[:, 2])
    return y.view(1, 4, -1)


def added_up(x: Tensor) -> Tensor:
    total = x.clone()
    kept = total.exp()
    total += kept
    total.clamp_(min=0.3).add_(total)
    return total * kept


def halves(x: Tensor) -> Tensor:
    first, second = (x * 1.5).chunk(2, dim=1)
    first.sigmoid_()
    return torch.cat([second.tanh_(), first], dim=1)


def attended(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return F.scaled_dot_product_attention(tokens, tokens.flip(1), tokens.relu())


def masked(x: Tensor) -> Tensor:
    y = x.clone()
    y[y < 0.2] = -1.0
    return y.masked_fill_(y > 0.8, 2.0)


def into_a_buffer(x: Tensor) -> Tensor:
    return torch.mul(x, x.flip(3), out=torch.empty(x.shape)) + 1


TASKS: list[Callable[[Tensor], Tensor]] = [
    *(assigned, written_through_a_view, added_up, halves, attended, masked, into_a_buffer),
    lambda x: F.rrelu(x - 0.5),
    lambda x: F.rrelu_(x - 0.5),
    lambda x: F.max_pool1d(x.flatten(2), 3),
]


def replayed(recording: Recording, picture: Tensor) -> dict[int | None, Tensor]:
    values: dict[int | None, Tensor] = {
        number: value for number, value in recording.values.items() if number not in _made(recording)
    }
    values[0] = picture
    for step in recording.steps:
        results = step.compute([values[source] for source in step.sources])
        values |= {number: made for number, made in zip(step.outputs, results, strict=True) if made is not None}
    return values


def _made(recording: Recording) -> set[int | None]:
    return {number for step in recording.steps for number in step.outputs}


@pytest.mark.parametrize("task", TASKS, ids=[getattr(task, "__name__", "task") for task in TASKS])
def test_the_steps_run_on_another_picture_give_what_the_code_gives(task: Callable[[Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    picture, other = torch.rand(2, 1, 4, 6, 6, generator=generator)
    with torch.no_grad():
        recording = Recording(picture.clone())
        with recording:
            answer = task(next(iter(recording.values.values())))
        number = recording.number(answer)
        assert number is not None
        torch.testing.assert_close(recording.values[number], task(picture.clone()))
        torch.testing.assert_close(replayed(recording, other)[number], task(other.clone()))


@pytest.mark.parametrize("first", [True, False])
def test_a_transformer_is_recorded_by_operators_of_which_none_is_a_whole_attention(first: bool) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=first).eval()
    tokens = torch.rand(1, 5, 8)
    leaf = tokens.clone().requires_grad_()
    recording = Recording(leaf)
    with recording:
        answer = layer(leaf)
    names = {step.name for step in recording.steps}
    assert not any("attention" in name or "encoder" in name for name in names) and any(
        "softmax" in name for name in names
    )
    torch.testing.assert_close(answer, layer(tokens))


def test_values_stay_what_they_were_before_their_memory_was_written_to() -> None:
    picture = torch.tensor([[-1.0, 2.0]])
    recording = Recording(picture)
    with recording:
        doubled = picture * 2
        doubled.relu_()
    step = recording.steps[-1]
    assert step.name == "relu"
    assert recording.values[step.sources[0]].tolist() == [[-2.0, 4.0]]
    assert recording.number(doubled) == step.outputs[0]
    assert recording.values[recording.number(doubled) or 0].tolist() == [[0.0, 4.0]]


def test_what_only_has_the_shape_of_a_picture_does_not_depend_on_it() -> None:
    picture = torch.rand(1, 3)
    recording = Recording(picture)
    with recording:
        made = torch.zeros_like(picture) + torch.arange(3)
    assert recording.number(made) is None and recording.steps == []


def test_sparse_activations_are_refused_in_a_sentence() -> None:
    picture = torch.rand(2, 3)
    with pytest.raises(MethodError, match="sparse tensors"), Recording(picture):
        picture.to_sparse()
