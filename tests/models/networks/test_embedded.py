"""The embedded model: small, fast to load, right about scenes, and clear about damaged weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from decam.errors import ModelError
from decam.images.scenes.scene import CLASSES, scene
from decam.models.networks import embedded


def _normalised(seeds: range, objects: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes as the classifier hands them over, by the plainest route, and their labels (N×objects)."""
    drawn = [scene(seed, objects=objects) for seed in seeds]
    images = np.stack([one.image for one in drawn]).transpose(0, 3, 1, 2).astype(np.float32) / 255
    mean, std = (np.array(values, np.float32).reshape(1, 3, 1, 1) for values in (embedded.MEAN, embedded.STD))
    return torch.from_numpy((images - mean) / std), torch.tensor([one.labels for one in drawn])


@torch.inference_mode()
def _right(seeds: range) -> float:
    model = embedded.load()
    right = 0
    for first in range(seeds.start, seeds.stop, 100):
        images, labels = _normalised(range(first, min(first + 100, seeds.stop)))
        right += int((model(images).argmax(1) == labels[:, 0]).sum())
    return right / len(seeds)


@pytest.mark.slow
def test_99_of_100_unseen_scenes_are_right() -> None:
    assert _right(range(50_000, 50_500)) >= 0.99


@pytest.mark.slow
def test_the_accuracy_it_states_is_the_accuracy_it_has() -> None:
    card = embedded.card()
    assert card.tested == 2000
    assert card.accuracy >= 0.99
    assert _right(range(2000)) == pytest.approx(card.accuracy, abs=0.0011)


@torch.inference_mode()
@pytest.mark.slow
def test_of_two_objects_it_names_one_first_and_usually_both() -> None:
    images, labels = _normalised(range(60_000, 60_200), objects=2)
    best = embedded.load()(images).topk(2).indices
    assert (best[:, :1] == labels).any(1).float().mean() >= 0.97
    assert (best.sort(1).values == labels.sort(1).values).all(1).float().mean() >= 0.8


@torch.inference_mode()
@pytest.mark.slow
def test_it_knows_an_object_that_is_kept_and_misses_one_that_is_hidden() -> None:
    model = embedded.load()
    kept, hidden = [], []
    for seed in range(70_000, 70_060):
        drawn = scene(seed)
        images, _ = _normalised(range(seed, seed + 1))
        near = torch.from_numpy(drawn.mask).float()[None, None]
        near = (nn.functional.max_pool2d(near, 13, 1, 6) > 0).float()
        both = torch.cat([images * near, images * (1 - near)])  # zero is the mean colour
        answers = model(both).softmax(1)[:, drawn.label]
        kept.append(float(answers[0]))
        hidden.append(float(answers[1]))
    assert np.mean(kept) > 0.7
    assert np.mean(hidden) < 0.25


def test_the_file_of_weights_weighs_at_most_a_megabyte() -> None:
    assert embedded.WEIGHTS.stat().st_size <= 1_000_000


def test_the_last_convolutional_block_answers_at_8_by_8() -> None:
    model = embedded.network().eval()
    seen: list[torch.Size] = []
    layer = embedded.target_layer(model)
    layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output.shape))
    logits = model(torch.zeros(2, 3, *embedded.INPUT_SIZE))
    assert logits.shape == (2, len(CLASSES))
    assert seen == [torch.Size((2, 80, 8, 8))]


def test_every_relu_is_used_once_and_leaves_its_input_alone() -> None:
    model = embedded.load()
    calls: dict[str, int] = {}

    def counted(name: str) -> None:
        calls[name] = calls.get(name, 0) + 1

    relus = {name: module for name, module in model.named_modules() if isinstance(module, nn.ReLU)}
    for name, module in relus.items():
        assert not module.inplace
        module.register_forward_hook(lambda *_, name=name: counted(name))
    model(torch.zeros(1, 3, *embedded.INPUT_SIZE))
    assert calls == dict.fromkeys(relus, 1)


def test_folding_the_normalisation_changes_nothing() -> None:
    torch.manual_seed(0)
    trained = embedded.network()
    images = torch.randn(4, 3, *embedded.INPUT_SIZE)
    for _ in range(3):
        trained(images)  # gives the running statistics something to be
    trained.eval()
    folded = embedded.fused(trained)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert torch.allclose(trained(images), folded(images), atol=1e-4)


def test_weights_and_card_survive_the_file(tmp_path: Path) -> None:
    model = embedded.fused(embedded.network())
    card = replace(embedded.card(), accuracy=0.5, seed=7)
    path = tmp_path / "new" / "weights.safetensors"
    embedded.save(model, card, path)
    assert embedded.card(path) == card
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    again = embedded.load(path)
    assert not again.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor.half().float())


def test_missing_weights_are_named_with_the_way_to_restore_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing: .*none\.safetensors.*git checkout.*python -m decam\.training"):
        embedded.load(tmp_path / "none.safetensors")


def test_a_folder_in_place_of_the_weights_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        embedded.load(tmp_path)


def _flipped(data: bytes) -> bytes:
    return data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:]


def _renamed(data: bytes) -> bytes:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["other"] = header.pop("head.bias")
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    "damage",
    [lambda _data: b"", lambda data: data[:5000], lambda data: b"\0" * len(data), _flipped, _renamed],
    ids=["empty", "truncated", "zeros", "one bit", "another network"],
)
def test_damaged_weights_are_a_clear_error(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "embedded.safetensors"
    assert callable(damage)
    path.write_bytes(damage(embedded.WEIGHTS.read_bytes()))
    with pytest.raises(ModelError, match=r"damaged.*git checkout decam/models/weights/embedded\.safetensors"):
        embedded.load(path)
