"""Methods that switch regions of the picture off and on: ablation and permutation, and the surrogates LIME and SHAP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from captum.attr import FeatureAblation, FeaturePermutation
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.images.superpixels import superpixels
from decam.masking import FILLS, MaskedQueries, fill, to_pixels
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries, sampled, whole_budget
from decam.methods.support.interruptible import Checkpoint, run_with_progress
from decam.methods.support.seeded_globals import generator_of
from decam.methods.surrogate.regression import WeightedRegression
from decam.settings import Settings, parameter

ENDS = 1e6  # weight of all regions and of none, between which Shapley values share the difference out


@dataclass(frozen=True)
class PermutationSettings(Settings):
    """Which regions are looked at."""

    regions: int = parameter(60, "Superpixels: regions of even colour, one evaluation each.", low=4, high=400)


@dataclass(frozen=True)
class RegionSettings(PermutationSettings):
    """Which regions are looked at, and what replaces them."""

    fill: str = parameter("blur", "What replaces a region that is switched off.", choices=FILLS)


@dataclass(frozen=True)
class KernelShapSettings(Settings):
    """Which regions are looked at, how often, and what replaces them."""

    regions: int = parameter(60, "Superpixels: regions of even colour.", low=4, high=400)
    budget: int = parameter(
        1000, "Random sets of regions, one evaluation each.", low=16, high=50_000, earlier="samples"
    )
    fill: str = parameter("blur", "What replaces a region that is switched off.", choices=FILLS)


@dataclass(frozen=True)
class LimeSettings(KernelShapSettings):
    """Which regions are looked at, how often, what replaces them, and how near a picture must be to count."""

    # Maps of 12 scenes (embedded model) correlate 0.985 with those of 8000 samples; with twice as many, 0.991.
    budget: int = parameter(500, "Random sets of regions, one evaluation each.", low=16, high=50_000, earlier="samples")
    width: float = parameter(
        0.25, "Width of the kernel: images with more regions switched off count less.", low=0.05, high=2.0, step=0.05
    )


@dataclass(frozen=True)
class Regions:
    """A question cut into regions: what Captum's explainers ask, and what they are told about the picture."""

    question: Question
    queries: MaskedQueries
    filling: Tensor
    mask: Tensor

    @classmethod
    def of(cls, question: Question, regions: int, filling: Tensor) -> Regions:
        """So many superpixels of the picture, the same for its three colours."""
        mask = torch.from_numpy(superpixels(to_pixels(question.image), regions)).to(question.image.device)
        return cls(question, MaskedQueries(question, filling), filling, mask.expand(1, 3, *mask.shape))

    def asker(self, checkpoint: Checkpoint) -> Callable[[Tensor], Tensor]:
        """The target's probability for pictures (N×3×H×W to N)."""

        def ask(images: Tensor) -> Tensor:
            answers = self.queries.pictures(images)[:, self.question.target]
            checkpoint()
            return answers

        return ask


Attribute = Callable[[Regions, Any, Checkpoint, torch.Generator], Tensor]


def _explained(attribute: Attribute, cost: Callable[[Any, Classifier], int]) -> Callable[[Question, Any, int], Steps]:
    """A method whose map has one value a region, H×W, signed."""

    def run(question: Question, settings: Any, seed: int) -> Steps:
        name = getattr(settings, "fill", "black")
        filling = fill(name, question.image, question.classifier.mean, seed)
        regions = Regions.of(question, settings.regions, filling)

        def work(checkpoint: Checkpoint) -> Tensor:
            return attribute(regions, settings, checkpoint, generator_of(seed))

        attributed = yield from run_with_progress(work, question.ledger, cost(settings, question.classifier))
        saliency: Map = attributed[0, 0].detach().cpu().numpy().astype(np.float32)
        return saliency

    return run


def _ablation(regions: Regions, settings: RegionSettings, checkpoint: Checkpoint, generator: torch.Generator) -> Tensor:
    del settings, generator
    found: Tensor = FeatureAblation(regions.asker(checkpoint)).attribute(
        regions.question.image.unsqueeze(0),
        baselines=regions.filling.unsqueeze(0),
        feature_mask=regions.mask,
        perturbations_per_eval=regions.queries.round_size,
    )
    return found


def shuffled(images: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (1×3×H×W) whose pixels within a mask (1×3×H×W, booleans) have changed places, colours together."""
    inside = mask[0, 0].flatten().nonzero()[:, 0]
    moved = images.flatten(2).clone()
    order = torch.randperm(len(inside), generator=generator).to(inside.device)
    moved[:, :, inside] = moved[:, :, inside[order]]
    return moved.view_as(images)


def _permutation(
    regions: Regions, settings: PermutationSettings, checkpoint: Checkpoint, generator: torch.Generator
) -> Tensor:
    del settings
    explainer = FeaturePermutation(regions.asker(checkpoint), perm_func=partial(shuffled, generator=generator))
    explainer._min_examples_per_batch_grouped = (
        None  # Captum shuffles among pictures, of which it wants two: here within one
    )
    found: Tensor = explainer.attribute(regions.question.image.unsqueeze(0), feature_mask=regions.mask)
    return found


def nearness(width: float, original: Tensor, perturbed: Tensor, switched: Tensor, **_: object) -> Tensor:
    """How much a set of regions (1×D of zeros and ones) counts: sqrt(exp(−d²/width²)), d its cosine distance to all."""
    del original, perturbed
    distance = 1 - switched.float().mean().sqrt()
    return torch.exp(-0.5 * (distance / width) ** 2)


def even_sets(original: Tensor, *, generator: torch.Generator, num_interp_features: int, **_: object) -> Tensor:
    """A set of regions (1×D of zeros and ones) in which each is with probability ½, as Captum's Lime draws them."""
    return torch.bernoulli(torch.full((1, num_interp_features), 0.5), generator=generator).long().to(original.device)


def shapley_sets(
    original: Tensor, *, generator: torch.Generator, num_interp_features: int, **_: object
) -> Iterator[Tensor]:
    """Sets of regions (1×D of zeros and ones): all, none, and then by the weights of Shapley's values.

    The size k has a probability in proportion to 1 / (k (D − k)), and all sets of a size have the same: Lundberg and
    Lee (2017), theorem 2, as Captum's KernelShap draws them.
    """
    count = num_interp_features
    sizes = torch.arange(count, dtype=torch.float32)
    chances = (count - 1) / (sizes * (count - sizes))
    chances[0] = 0.0
    yield torch.ones(1, count, dtype=torch.long, device=original.device)
    yield torch.zeros(1, count, dtype=torch.long, device=original.device)
    while True:
        size = int(torch.multinomial(chances, 1, generator=generator))
        ranks = torch.randn(1, count, generator=generator).argsort(descending=True).argsort()
        yield (ranks < size).long().to(original.device)


def shapley_design(count: int, features: int, generator: torch.Generator) -> Tensor:
    """The first `count` of `shapley_sets`, count×features."""
    sets = shapley_sets(torch.empty(0), generator=generator, num_interp_features=features)
    return torch.cat(list(islice(sets, count)))


def shapley_weights(rows: Tensor) -> Tensor:
    """How much each set of a `shapley_design` counts (N): all and none so much that their difference is shared out."""
    weights = torch.ones(len(rows))
    weights[:2] = ENDS
    return weights


def _even_design(count: int, features: int, generator: torch.Generator) -> Tensor:
    sets = (even_sets(torch.empty(0), generator=generator, num_interp_features=features) for _ in range(count))
    return torch.cat(list(sets))


def _regressed(
    design: Callable[[int, int, torch.Generator], Tensor], weights: Callable[[Any, Tensor], Tensor], ridge: float
) -> Callable[[Question, Any, int], Steps]:
    """A method that fits a weighted linear model to the answers for sets of regions: its coefficients, H×W, signed.

    As Captum's Lime and KernelShap compute it, with the same sets, and with a map at any time.
    """

    def run(question: Question, settings: Any, seed: int) -> Steps:
        queries = BudgetedQueries(question, settings.fill, seed, settings.budget)
        regions = torch.from_numpy(superpixels(to_pixels(question.image), settings.regions))

        def masks(rows: Tensor) -> Tensor:
            return rows.bool()[:, regions].unsqueeze(1)

        def read(rows: Tensor, answers: Tensor) -> Map:
            regression = WeightedRegression(ridge)
            regression.fit([(rows, answers, weights(settings, rows))])
            found: Map = regression.representation()[0][regions].numpy()
            return found

        rows = design(settings.budget, settings.regions, generator_of(seed))
        return (yield from sampled(queries, rows, masks, read))

    return run


def _near(settings: LimeSettings, rows: Tensor) -> Tensor:
    """LIME's weights of sets of regions (N×D)."""
    return torch.stack([nearness(settings.width, row, row, row.unsqueeze(0)) for row in rows])


def _shapley(settings: KernelShapSettings, rows: Tensor) -> Tensor:
    del settings
    return shapley_weights(rows)


def _each(settings: PermutationSettings, classifier: Classifier) -> int:
    """Every region once, and the whole picture."""
    del classifier
    return settings.regions + 1


FEATURE_ABLATION = Method(
    name="feature-ablation",
    title="Feature ablation",
    family="perturbation",
    summary="Switches off one superpixel after another and records how far the probability falls.",
    formula=r"M_c(r) = p^c(x) - p^c(x \text{ without } r)",
    reference="Zeiler & Fergus, Visualizing and Understanding Convolutional Networks (2014), on superpixels",
    url="https://arxiv.org/abs/1311.2901",
    strengths="One evaluation a region, and regions follow the image's own edges.",
    misleads="A region counts for nothing where another one tells the same; the hole itself is a visual cue.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=RegionSettings,
    run=_explained(_ablation, _each),
    cost=_each,
)

FEATURE_PERMUTATION = Method(
    name="feature-permutation",
    title="Feature permutation",
    family="perturbation",
    summary="Shuffles the pixels of one superpixel after another and records how far the probability falls.",
    formula=r"M_c(r) = p^c(x) - p^c(x \text{ with the pixels of } r \text{ shuffled})",
    reference="Fisher, Rudin & Dominici, All Models are Wrong, but Many are Useful (2019), within one image",
    url="https://arxiv.org/abs/1801.01489",
    strengths="No fill to choose: a region keeps its colours and loses its structure.",
    misleads="What is said by colour alone stays, so a region that matters by its colour counts for nothing.",
    needs=frozenset({"output"}),
    signed=True,
    settings=PermutationSettings,
    run=_explained(_permutation, _each),
    cost=_each,
)

LIME = Method(
    name="lime",
    title="LIME",
    family="surrogate",
    summary="Fits a linear model to the answers for random sets of superpixels, near ones counting more.",
    formula=r"\arg\min_w \sum_z \pi(z) \big(p^c(x_z) - w \cdot z - b\big)^2 + \lVert w \rVert^2",
    reference="Ribeiro, Singh & Guestrin, “Why Should I Trust You?” Explaining the Predictions of Any "
    "Classifier (2016)",
    url="https://arxiv.org/abs/1602.04938",
    strengths="Works for any model; the linear fit's error can be checked.",
    misleads="Changes with the seed, the kernel's width and how the image was cut into regions.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=LimeSettings,
    run=_regressed(_even_design, _near, ridge=1.0),
    cost=whole_budget,
)

KERNEL_SHAP = Method(
    name="kernel-shap",
    title="KernelSHAP",
    family="surrogate",
    summary=(
        "Estimates each superpixel's Shapley value: its average contribution over all orders in which regions are "
        "revealed."
    ),
    formula=r"\phi_r = \sum_{S \not\ni r} \frac{|S|! \, (n - |S| - 1)!}{n!} \big(p^c(x_{S \cup r}) - p^c(x_S)\big)",
    reference="Lundberg & Lee, A Unified Approach to Interpreting Model Predictions (2017)",
    url="https://arxiv.org/abs/1705.07874",
    strengths="The only shares that are fair by Shapley's axioms; they add up to the probability's difference.",
    misleads="Most sets of regions are images that nobody has seen; with few samples the values are noise.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=KernelShapSettings,
    run=_regressed(shapley_design, _shapley, ridge=0.0),
    example=SHORT,
    cost=whole_budget,
)
