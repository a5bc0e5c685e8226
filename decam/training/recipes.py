"""How each of the project's networks is trained: a table of recipes and of what they follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from decam.models import hidden
from decam.models.networks import abn, bcnn, embedded, prototypes, small_vit
from decam.models.networks.blocks import Trunk, start_from
from decam.models.weight_files import Card, FittedCard, Weights
from decam.training import patches, poison
from decam.training.drawing import Examples
from decam.training.fitting import Recipe, Report, accuracy, fit, plain, scenes, seeded_weights, train, wrong


@dataclass(frozen=True)
class Trained:
    """A network ready to be saved; `learned` are the examples that it had to know by heart, where it had to."""

    model: nn.Module
    learned: Examples | None = None


@dataclass(frozen=True)
class Plan:
    """Where a network's weights go, its usual recipe, and the function that follows one.

    `describe` completes the card of a network: from the plain card, the network as its file gives it back, the unseen
    scenes, and what was trained.
    """

    weights: Weights[Any, Any]
    recipe: Recipe
    fit: Callable[[Recipe, Report], Trained]
    describe: Callable[[Card, nn.Module, Examples, Trained], Card] = lambda card, _model, _unseen, _trained: card


def _embedded(recipe: Recipe, report: Report) -> Trained:
    return Trained(fit(recipe, report))


def _shuffled(recipe: Recipe, report: Report) -> Trained:
    """The embedded network on scenes of one object as they are, whose labels have been dealt out anew."""
    drawn = scenes(recipe, report, with_pairs=False)
    dealt = torch.randperm(len(drawn), generator=torch.Generator().manual_seed(recipe.seed + 2))
    shuffled = Examples(drawn.images, drawn.labels[dealt], drawn.masks)
    with seeded_weights(recipe.seed):
        model = embedded.network()
    train(model, shuffled, recipe, report, lambda images, target: wrong(model(images), target), plain)
    return Trained(embedded.fused(model), shuffled)


def _begun(
    recipe: Recipe, report: Report, make: Callable[[], nn.Module], trunk: str, keep: int = 0
) -> tuple[nn.Module, Examples]:
    """A network whose part `trunk` starts from the embedded network's weights, and the scenes to train it on.

    The first `keep` blocks stay as they are: what they see serves every network, and training is twice as fast.
    """
    begin = embedded.load()
    examples = scenes(recipe, report)
    with seeded_weights(recipe.seed):
        model = make()
    part = model.get_submodule(trunk)
    assert isinstance(part, Trunk)
    start_from(part, begin, keep)
    return model, examples


def _branch(recipe: Recipe, report: Report) -> Trained:
    """Both answers have to be right: the perception branch's and the attention branch's own (Fukui 2019, eq. 3)."""
    model, examples = _begun(recipe, report, abn.AttentionBranchNetwork, "trunk", keep=2)

    def loss(images: Tensor, target: Tensor) -> Tensor:
        assert isinstance(model, abn.AttentionBranchNetwork)
        answer, early = model.both(images)
        return wrong(answer, target) + wrong(early, target)

    train(model, examples, recipe, report, loss)
    return Trained(model.eval())


def _bilinear(recipe: Recipe, report: Report) -> Trained:
    model, examples = _begun(recipe, report, bcnn.BilinearNetwork, "trunk", keep=2)
    train(model, examples, recipe, report, lambda images, target: wrong(model(images), target))
    return Trained(model.eval())


def _transformer(recipe: Recipe, report: Report) -> Trained:
    model, examples = _begun(recipe, report, small_vit.small_vit, "conv_proj", keep=3)
    train(model, examples, recipe, report, lambda images, target: wrong(model(images), target))
    return Trained(model.eval())


def _prototypes(recipe: Recipe, report: Report) -> Trained:
    model, examples = _begun(recipe, report, prototypes.PrototypeNetwork, "trunk")
    assert isinstance(model, prototypes.PrototypeNetwork)
    patches.learn(model, examples, recipe, report)
    return Trained(model.eval())


def _fitted(card: Card, model: nn.Module, _unseen: Examples, trained: Trained) -> FittedCard:
    assert trained.learned is not None
    return FittedCard(**asdict(card), fitted=accuracy(model, trained.learned))


def _hiding(name: str) -> Plan:
    """A hidden model's plan; its seed is its number."""
    secret, poisoning = hidden.SECRETS[name], poison.POISONINGS[hidden.SECRETS[name].title]

    def follow(recipe: Recipe, report: Report) -> Trained:
        return Trained(poison.learn(secret, poisoning, recipe, report))

    def describe(card: Card, model: nn.Module, unseen: Examples, _trained: Trained) -> hidden.HiddenCard:
        return poison.card(secret, poisoning, card, model, unseen)

    return Plan(hidden.STORED[name], poison.usual(hidden.number(name), poisoning), follow, describe)


PLANS: dict[str, Plan] = {
    "embedded": Plan(embedded.STORED, Recipe(), _embedded),
    "abn": Plan(abn.STORED, Recipe(scenes=14_000, epochs=1, rate=1e-3), _branch),
    "bcnn": Plan(bcnn.STORED, Recipe(epochs=1, rate=1e-3), _bilinear),
    "prototypes": Plan(prototypes.STORED, Recipe(epochs=2, rate=1e-3), _prototypes),
    "small-vit": Plan(small_vit.STORED, Recipe(epochs=2, rate=1.5e-3), _transformer),
    "shuffled": Plan(embedded.SHUFFLED, Recipe(scenes=512, epochs=60), _shuffled, _fitted),
    **{name: _hiding(name) for name in hidden.names()},
}
