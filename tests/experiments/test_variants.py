"""Variants of a model: what is drawn anew, and that each is the same whenever it is made."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from decam.classifier import TorchClassifier
from decam.errors import MethodError, SettingError
from decam.experiments.questions import ModelSpec, Variant
from decam.experiments.variants import models_by, variants


@pytest.fixture
def small() -> TorchClassifier:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    return TorchClassifier("small", module, list("abc"), input_size=(20, 20))


def weights(classifier: TorchClassifier) -> dict[str, torch.Tensor]:
    return {name: part.detach().clone() for name, part in classifier.module.named_parameters()}


def changed(one: TorchClassifier, other: TorchClassifier) -> set[str]:
    before, after = weights(one), weights(other)
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_original_is_the_model_that_was_loaded(small: TorchClassifier) -> None:
    asked: list[str] = []

    def load(name: str) -> TorchClassifier:
        asked.append(name)
        return small

    assert models_by(load)(ModelSpec("anything")) is small and asked == ["anything"]


@pytest.mark.parametrize(("mode", "expected"), [("cascading", [{"4"}, {"4", "0"}]), ("independent", [{"4"}, {"0"}])])
def test_the_stages_of_a_variant_are_drawn_anew_and_no_others(mode, expected, small: TorchClassifier) -> None:
    before = weights(small)
    models = models_by(lambda _: small)
    found = variants(small, mode, seed=3)
    total = sum(part.numel() for part in small.module.parameters())
    for variant, layers in zip(found, expected, strict=True):
        model = models(ModelSpec("small", variant))
        assert {name.split(".")[0] for name in changed(small, model)} == layers
        own = sum(part.numel() for name, part in before.items() if name.split(".")[0] in layers)
        assert variant.share == pytest.approx(own / total) and variant.seed == 3
        assert (model.name, list(model.labels), model.input_size) == ("small", ["a", "b", "c"], (20, 20))
    assert all(torch.equal(before[name], part) for name, part in weights(small).items())


def test_a_variant_is_the_same_each_time_and_another_with_another_seed(small: TorchClassifier) -> None:
    models = models_by(lambda _: small)
    one, again, other = (models(ModelSpec("small", Variant("cascading", "0", seed=seed))) for seed in (1, 1, 2))
    assert not changed(one, again)
    assert changed(one, other) >= {"0.weight", "4.weight"}


def test_random_labels_are_another_model_of_the_catalogue(small: TorchClassifier) -> None:
    asked: list[str] = []

    def load(name: str) -> TorchClassifier:
        asked.append(name)
        return small

    (variant,) = variants(small, "labels")
    assert (variant.share, variant.stage) == (1.0, "shuffled labels")
    models_by(load)(ModelSpec("embedded", variant))
    assert asked == ["shuffled"]
    with pytest.raises(SettingError, match="There is no resnet18 trained on shuffled labels here"):
        models_by(load)(ModelSpec("resnet18", variant))


def test_what_has_no_weights_has_no_variants(rectangle_classifier, small: TorchClassifier) -> None:
    for mode in ("cascading", "independent"):
        with pytest.raises(MethodError, match="PyTorch model, and rectangle is none"):
            variants(rectangle_classifier, mode)
        with pytest.raises(MethodError, match="PyTorch model, and rectangle is none"):
            models_by(lambda _: rectangle_classifier)(ModelSpec("rectangle", Variant(mode, "4")))
    with pytest.raises(SettingError, match="small has no stage 'attic'; it has: 4, 0"):
        models_by(lambda _: small)(ModelSpec("small", Variant("independent", "attic")))
