"""Weights are forgotten where that was asked for, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from decam.models import load_classifier
from decam.models.randomise import layers, randomised


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Sequential(nn.Conv2d(16, 8, 3)))


def test_layers_go_from_the_output_to_the_input() -> None:
    assert layers(network()) == ("3.0", "1", "0")


@pytest.mark.parametrize("chosen", [(), ("3.0",), ("3.0", "0"), ("3.0", "1", "0")])
def test_only_chosen_layers_forget(chosen: tuple[str, ...]) -> None:
    module = network()
    forgetful = randomised(module, chosen, seed=1)
    for (name, before), after in zip(module.named_parameters(), forgetful.parameters(), strict=True):
        forgotten = name.rpartition(".")[0] in chosen
        assert (after is before) != forgotten
        if forgotten and before.std() > 0:
            assert not torch.equal(after, before)


def test_matrices_keep_their_mean_square_and_vectors_their_mean_and_deviation() -> None:
    module = nn.Linear(300, 4000)
    with torch.no_grad():
        module.weight.mul_(3).add_(0.5)
        module.bias.mul_(3).add_(0.5)
    drawn = randomised(module, ("",), seed=2)
    assert float(drawn.weight.mean()) == pytest.approx(0, abs=0.01)
    assert float(drawn.weight.std()) == pytest.approx(float(module.weight.square().mean().sqrt()), rel=0.01)
    assert float(drawn.bias.mean()) == pytest.approx(float(module.bias.mean()), abs=0.01)
    assert float(drawn.bias.std()) == pytest.approx(float(module.bias.std()), rel=0.05)


def test_a_layer_gets_the_same_weights_whichever_are_chosen_with_it() -> None:
    module = network()
    one, two = randomised(module, ("3.0",), 3), randomised(module, ("3.0", "0"), 3)
    assert torch.equal(one[3][0].weight, two[3][0].weight)
    assert not torch.equal(one[3][0].weight, randomised(module, ("3.0",), 4)[3][0].weight)


def test_the_embedded_model_without_its_weights_knows_nothing() -> None:
    classifier = load_classifier("embedded", exact=True)
    forgetful = classifier.with_module(randomised(classifier.module, layers(classifier.module), seed=0))
    assert (forgetful.labels, forgetful.input_size, forgetful.layer) == (
        classifier.labels,
        classifier.input_size,
        classifier.layer,
    )
    images = torch.rand(4, 3, *classifier.input_size)
    answers = forgetful.answer(forgetful.normalise(images))
    assert torch.isfinite(answers).all()
    assert not torch.allclose(answers, classifier.answer(classifier.normalise(images)), atol=0.01)


class Tied(nn.Module):
    """Two layers that share one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight


@pytest.mark.parametrize("chosen", [("first",), ("second",), ("first", "second")])
def test_weights_that_two_layers_share_stay_as_they_are_in_the_module_itself(chosen: tuple[str, ...]) -> None:
    module = Tied()
    before = module.first.weight.detach().clone()
    forgetful = randomised(module, chosen, seed=1)
    assert torch.equal(module.first.weight, before)
    assert module.second.weight is module.first.weight
    assert isinstance(forgetful, Tied)
    assert forgetful.first.weight is forgetful.second.weight
    assert not torch.equal(forgetful.first.weight, before)
