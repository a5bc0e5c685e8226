"""The attention models' files: small, whole, right about scenes, and open to every method that asks for attention."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import get_model

from decam.classifier import TorchClassifier, probabilities, to_tensor
from decam.errors import ModelError
from decam.images.scenes.scene import CLASSES, scene
from decam.models import load_classifier
from decam.models.catalogue import ENTRIES
from decam.models.networks import attends
from decam.models.networks.blocks import INPUT_SIZE
from decam.models.sources.bundled import BUNDLED

ATTENTION = ("abn", "bcnn", "prototypes", "small-vit")


def right(classifier: TorchClassifier, seeds: range, objects: int = 1) -> float:
    """The share of scenes whose first answer names an object."""
    hits = 0
    for seed in seeds:
        drawn = scene(seed, objects=objects)
        answer = probabilities(classifier, to_tensor(classifier, drawn.image)[None])
        hits += int(answer.argmax()) in drawn.labels
    return hits / len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_a_file_of_weights_weighs_at_most_a_megabyte(name: str) -> None:
    assert BUNDLED[name].weights.path.stat().st_size <= 1_000_000
    counted = sum(values.numel() for values in BUNDLED[name].weights.make().parameters())
    assert BUNDLED[name].parameters == counted <= 500_000


@pytest.mark.parametrize("name", ATTENTION)
def test_a_model_loads_by_its_name_and_gives_attention(name: str) -> None:
    classifier = load_classifier(name, device="cpu", exact=True)
    assert classifier.provides == {"output", "gradients", "activations", "attention"}
    assert classifier.with_module(classifier.module).provides == classifier.provides
    assert classifier.labels == CLASSES
    assert classifier.layer in classifier.layers
    answers = classifier.answer(torch.zeros(2, 3, *INPUT_SIZE))
    assert answers.shape == (2, 10)
    torch.testing.assert_close(answers.sum(1), torch.ones(2))


@pytest.mark.parametrize("name", ATTENTION)
@pytest.mark.slow
def test_98_of_100_unseen_scenes_are_right_as_its_card_says(name: str) -> None:
    card = BUNDLED[name].weights.card()
    assert card.tested == 2000
    assert card.accuracy >= 0.98
    assert right(load_classifier(name, device="cpu", exact=True), range(80_000, 80_300)) >= 0.96


@pytest.mark.parametrize("name", ATTENTION)
@pytest.mark.slow
def test_of_two_objects_one_is_named_first(name: str) -> None:
    assert right(load_classifier(name, device="cpu", exact=True), range(90_000, 90_100), objects=2) >= 0.95


@pytest.mark.slow
def test_the_model_of_shuffled_labels_knows_its_own_scenes_by_heart_and_no_others() -> None:
    card = BUNDLED["shuffled"].weights.card()
    assert card.fitted >= 0.95
    assert card.accuracy <= 0.2
    assert right(load_classifier("shuffled", device="cpu", exact=True), range(300)) <= 0.2
    assert "shuffled" not in ENTRIES


def test_the_model_of_shuffled_labels_has_the_embedded_models_layers() -> None:
    one, two = (BUNDLED[name].weights.load() for name in ("embedded", "shuffled"))
    assert [name for name, _ in one.named_modules()] == [name for name, _ in two.named_modules()]


@pytest.mark.parametrize("name", ATTENTION)
def test_one_bit_of_damage_is_told_with_the_way_to_restore_it(name: str, tmp_path: Path) -> None:
    weights = BUNDLED[name].weights
    data = bytearray(weights.path.read_bytes())
    data[-1000] ^= 1
    path = tmp_path / "damaged"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=rf"damaged.*git checkout \S+/{name}\.safetensors.*--model {name}"):
        weights.load(path)


@pytest.mark.parametrize("name", ATTENTION)
def test_weights_of_another_network_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="not this network's"):
        BUNDLED[name].weights.load(BUNDLED["embedded"].weights.path)


@pytest.mark.parametrize("name", ATTENTION)
def test_every_relu_is_used_once_and_leaves_its_input_alone(name: str) -> None:
    model = BUNDLED[name].weights.load()
    calls: dict[str, int] = {}
    relus = {name: module for name, module in model.named_modules() if isinstance(module, nn.ReLU)}
    for label, module in relus.items():
        assert not module.inplace
        module.register_forward_hook(lambda *_, label=label: calls.update({label: calls.get(label, 0) + 1}))
    model(torch.zeros(1, 3, *INPUT_SIZE))
    assert calls == dict.fromkeys(relus, 1)


@pytest.mark.parametrize("name", ATTENTION)
def test_pictures_in_a_batch_do_not_see_each_other(name: str) -> None:
    model = BUNDLED[name].weights.load()
    images = torch.from_numpy(np.stack([scene(seed).image for seed in range(3)])).permute(0, 3, 1, 2).float() / 128 - 1
    with torch.inference_mode():
        together = model(images)
        alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_transformers_of_torchvision_attend_and_convolutional_networks_do_not() -> None:
    with torch.device("meta"):
        assert attends(get_model("vit_b_16")) and attends(get_model("swin_t"))
        assert not attends(get_model("resnet18"))
    assert not attends(BUNDLED["embedded"].weights.make())


def test_a_copy_of_a_model_still_attends() -> None:
    assert all(attends(copy.deepcopy(BUNDLED[name].weights.make())) for name in ATTENTION)
