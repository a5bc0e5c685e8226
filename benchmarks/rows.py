"""What the benchmark of faithfulness compares: each row's settings, cost and maps."""

from __future__ import annotations

import fnmatch
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.captums import kernel_shap
from decam.classifier import Classifier, Pixels, to_tensor
from decam.experiments.explain import explain_view
from decam.explanation import Map, Question, last
from decam.masking import MaskedQueries, fill
from decam.methods import get as get_method
from decam.methods.activation.cam import CamSettings
from decam.methods.controls.maps import CentreSettings, RandomSettings
from decam.methods.de_cam.method import DeCamSettings
from decam.methods.gradient.baselines import IntegratedGradientsSettings
from decam.methods.perturbation.occlusion_and_rise import OCCLUSION, OcclusionSettings, RiseSettings, rise_masks
from decam.settings import Settings, parameter

PROTOCOL = 1  # one more whenever what is measured changes in a way that settings do not show
STEPS = 100
FILLS = (("mean", "blur"), ("blur", "mean"))  # deletion by the first, insertion from the second; then swapped
CURVES = 2 * len(FILLS) * (STEPS + 1)  # evaluations for the curves of one map
EQUAL = 1000  # evaluations of the competitors that have one budget
PORTION = 64  # masks that RISE draws at a time


@dataclass(frozen=True)
class KernelShapSettings(Settings):
    """Captum's KernelShap on a grid of 7×7 cells, which are replaced by the mean as in RISE and Occlusion."""

    samples: int = parameter(EQUAL, "Random sets of cells, one evaluation each.", low=16, high=50_000)


@dataclass(frozen=True)
class Row:
    """One method at one setting; `seeded` says whether its map depends on the seed."""

    name: str
    method: str
    settings: Settings
    seeded: bool = True

    @property
    def version(self) -> str:
        """What tells results from those of other settings or another protocol."""
        described = [PROTOCOL, STEPS, FILLS, self.method, self.settings.to_mapping()]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]


def all_rows(classifier: Classifier) -> tuple[Row, ...]:
    """Every row that can explain this classifier, in the order of the table."""
    rows = [
        *(Row(f"de-cam-{budget}", "de-cam", DeCamSettings(budget=budget)) for budget in (500, 1000, 2000)),
        *(
            Row(f"random-search-{budget}", "de-cam", DeCamSettings(variant="random search", budget=budget))
            for budget in (500, 1000, 2000)
        ),
        Row("seed-only-1000", "de-cam", DeCamSettings(variant="seed only", budget=1000)),
        Row("plain-1000", "de-cam", DeCamSettings(variant="plain", budget=1000)),
        *(Row(f"rise-{masks}", "rise", RiseSettings(masks=masks)) for masks in (500, 1000, 2000, 4000)),
        Row("grad-cam", "grad-cam", CamSettings(), seeded=False),
        Row("integrated-gradients", "integrated-gradients", IntegratedGradientsSettings(), seeded=False),
        Row("kernel-shap-1000", "kernel-shap", KernelShapSettings()),
        Row("occlusion-1000", "occlusion", occlusion_at(EQUAL, classifier), seeded=False),
        Row("random", "random", RandomSettings()),
        Row("centre", "centre", CentreSettings(), seeded=False),
    ]
    return tuple(row for row in rows if row.method == "kernel-shap" or not get_method(row.method).obstacle(classifier))


def selected(rows: Sequence[Row], patterns: Sequence[str]) -> tuple[Row, ...]:
    """The rows whose names fit one of the patterns (`rise-*`); raises ValueError for a pattern that fits none."""
    for pattern in patterns:
        if not any(fnmatch.fnmatch(row.name, pattern) for row in rows):
            raise ValueError(f"No row fits {pattern!r}; there are: {', '.join(row.name for row in rows)}.")
    return tuple(row for row in rows if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns))


def occlusion_at(budget: int, classifier: Classifier) -> OcclusionSettings:
    """Occlusion with a window about as large as usual and the stride at which it costs about as much as that."""
    usual, side = OcclusionSettings(), max(classifier.input_size)
    tried = [
        OcclusionSettings(window=window / 100, stride=pixels / side, fill=usual.fill)
        for window in range(15, 31)
        for pixels in range(-(-side // 100), side // 8)
    ]
    return min(tried, key=lambda one: (abs(OCCLUSION.cost(one, classifier) - budget), abs(one.window - usual.window)))


def costs(rows: Sequence[Row], classifier: Classifier) -> list[int]:
    """Evaluations that each row takes when all are made together: RISE's smaller budgets are prefixes."""
    most = max((row.settings.masks for row in rows if isinstance(row.settings, RiseSettings)), default=0)
    return [_cost(row, most, classifier) for row in rows]


def _cost(row: Row, most: int, classifier: Classifier) -> int:
    match row.settings:
        case RiseSettings(masks=masks):
            return masks if masks == most else masks % PORTION
        case KernelShapSettings(samples=samples):
            return samples
        case settings:
            return int(get_method(row.method).cost(settings, classifier))


@dataclass(frozen=True)
class Made:
    """A row's map with the evaluations that it rests on."""

    row: Row
    saliency: Map
    evaluations: int


def make(classifier: Classifier, view: Pixels, target: int, seed: int, rows: Sequence[Row]) -> Iterator[Made]:
    """The maps of the rows for one picture (H×W×3 uint8); those of RISE share their masks."""
    for method, group in itertools.groupby(rows, lambda row: row.method):
        if method == "rise":
            yield from _rise(_question(classifier, view, target), list(group), seed)
            continue
        for row in group:
            if isinstance(row.settings, KernelShapSettings):
                yield _kernel_shap(_question(classifier, view, target), row, row.settings, seed)
            else:
                explanation = last(explain_view(classifier, view, row.method, row.settings, target, seed))
                yield Made(row, explanation.saliency, explanation.evaluations)


def _question(classifier: Classifier, view: Pixels, target: int) -> Question:
    return Question(classifier, to_tensor(classifier, view), target)


def _kernel_shap(question: Question, row: Row, settings: KernelShapSettings, seed: int) -> Made:
    filling = fill("mean", question.image, question.classifier.mean)
    queries = MaskedQueries(question, filling)

    def ask(images: Tensor) -> Tensor:
        return queries.pictures(images)[:, question.target]

    saliency = kernel_shap(ask, question.image, filling, settings.samples, queries.round_size, seed)
    return Made(row, saliency, question.ledger.evaluations)


def _rise(question: Question, rows: Sequence[Row], seed: int) -> Iterator[Made]:
    by_budget = {row.settings.masks: row for row in rows if isinstance(row.settings, RiseSettings)}
    for budget, saliency in rise_maps(question, sorted(by_budget), seed):
        yield Made(by_budget[budget], saliency, budget)


def rise_maps(question: Question, budgets: Sequence[int], seed: int) -> Iterator[tuple[int, Map]]:
    """RISE's maps at ascending budgets, each the very map that a run of its own makes.

    All runs of a seed draw the same masks up to the last full portion of the smaller budget; only the rest of that
    portion, whose shifts depend on how many masks are drawn with them, is asked apart.
    """
    settings, classifier = RiseSettings(), question.classifier
    size = classifier.input_size
    queries = MaskedQueries(question, fill(settings.fill, question.image, classifier.mean, seed))
    generator = torch.Generator().manual_seed(seed)

    def add(total: Tensor, count: int, drawn_by: torch.Generator) -> Tensor:
        masks = rise_masks(count, settings, size, drawn_by)
        place = 0
        for answers in queries.batches(masks.to(question.image.device)):
            part = masks[place : place + len(answers)].view(len(answers), -1)
            total = total + answers[:, question.target].cpu() @ part
            place += len(answers)
        return total

    total, done = torch.zeros(size[0] * size[1]), 0
    for budget in budgets:
        while budget - done >= PORTION:
            total = add(total, PORTION, generator)
            done += PORTION
        rest = total
        if budget > done:
            branch = torch.Generator()
            branch.set_state(generator.get_state())
            rest = add(total, budget - done, branch)
        yield budget, (rest / (budget * settings.visible)).view(size).numpy()
