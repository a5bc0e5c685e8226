"""What the benchmark of faithfulness compares: the label and the settings of each row, and Captum's own KernelShap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from benchmarks.captums import kernel_shap
from decam.benchmark.candidates import Candidate, within_budget
from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import MaskedQueries, fill
from decam.methods import METHODS, Method
from decam.methods import get as get_method
from decam.methods.activation.cam import CamSettings
from decam.methods.controls.maps import CentreSettings, RandomSettings
from decam.methods.de_cam.settings import DeCamSettings
from decam.methods.gradient.baselines import IntegratedGradientsSettings
from decam.methods.perturbation.occlusion_and_rise import OCCLUSION, OcclusionSettings, RiseSettings
from decam.methods.support.interruptible import Checkpoint, run_with_progress
from decam.settings import Settings, parameter

EQUAL = 1000  # evaluations of the competitors that have one budget
APART = ("de-cam", "rise", "occlusion", "grid-kernel-shap")  # black boxes with rows of their own
UNSEEDED = ("feature-ablation", "shap-partition", "greedy-regions", "aise")  # with the fills they come with


@dataclass(frozen=True)
class KernelShapSettings(Settings):
    """Captum's KernelShap on a grid of 7×7 cells, which are replaced by the mean as in RISE and Occlusion."""

    budget: int = parameter(EQUAL, "Random sets of cells, one evaluation each.", low=16, high=50_000, earlier="samples")


def grid_kernel_shap(question: Question, settings: KernelShapSettings, seed: int) -> Steps:
    """Shapley values of the cells of a grid, H×W, signed (Lundberg and Lee 2017)."""
    filling = fill("mean", question.image, question.classifier.mean)
    queries = MaskedQueries(question, filling)

    def work(beat: Checkpoint) -> Map:
        def ask(images: Tensor) -> Tensor:
            answers = queries.pictures(images)[:, question.target]
            beat()
            return answers

        return kernel_shap(ask, question.image, filling, settings.budget, queries.round_size, seed)

    saliency = yield from run_with_progress(work, question.ledger, settings.budget)
    return saliency.astype(np.float32)


def _budget(settings: KernelShapSettings, classifier: Classifier) -> int:
    del classifier
    return settings.budget


GRID_KERNEL_SHAP = Method(
    name="grid-kernel-shap",
    title="KernelShap on a grid",
    family="surrogate",
    summary="Captum's KernelShap on 7×7 cells, for comparison with masks of that grid.",
    reference="Lundberg & Lee, A Unified Approach to Interpreting Model Predictions (2017)",
    url="https://arxiv.org/abs/1705.07874",
    needs=frozenset({"output"}),
    signed=True,
    settings=KernelShapSettings,
    run=grid_kernel_shap,
    cost=_budget,
)


@contextmanager
def own_methods() -> Iterator[None]:
    """Within the context plans may name the methods that only this benchmark has."""
    before = METHODS.get(GRID_KERNEL_SHAP.name)
    METHODS[GRID_KERNEL_SHAP.name] = GRID_KERNEL_SHAP
    try:
        yield
    finally:
        if before is None:  # not within another such context
            del METHODS[GRID_KERNEL_SHAP.name]


def rivals(classifier: Classifier, budget: int) -> list[tuple[str, str, Settings, bool]]:
    """The other methods that need answers alone, at the settings that spend a budget; without those that cannot."""
    names = [name for name, row in METHODS.items() if row.needs == {"output"} and name not in APART]
    found = [(name, within_budget(METHODS[name], budget, classifier)) for name in names]
    return [
        (f"{name}-{budget}", name, settings, name not in UNSEEDED) for name, settings in found if settings is not None
    ]


def candidates(classifier: Classifier, equal: int = EQUAL) -> tuple[Candidate, ...]:
    """Every row that can explain this classifier, in the order of the table; needs `own_methods`.

    `equal` is the budget of the competitors that have one budget, at which DE-CAM and RISE are asked too.
    """
    budgets = sorted({500, 1000, 2000, equal})
    rows: list[tuple[str, str, Settings, bool]] = [
        *((f"de-cam-{budget}", "de-cam", DeCamSettings(budget=budget), True) for budget in budgets),
        *(
            (f"random-search-{budget}", "de-cam", DeCamSettings(variant="random search", budget=budget), True)
            for budget in budgets
        ),
        (f"seed-only-{equal}", "de-cam", DeCamSettings(variant="seed only", budget=equal), True),
        (f"plain-{equal}", "de-cam", DeCamSettings(variant="plain", budget=equal), True),
        *((f"rise-{budget}", "rise", RiseSettings(budget=budget), True) for budget in sorted({*budgets, 4000})),
        ("grad-cam", "grad-cam", CamSettings(), False),
        ("integrated-gradients", "integrated-gradients", IntegratedGradientsSettings(), False),
        (f"grid-kernel-shap-{equal}", GRID_KERNEL_SHAP.name, KernelShapSettings(budget=equal), True),
        (f"occlusion-{equal}", "occlusion", occlusion_at(equal, classifier), False),
        *rivals(classifier, equal),
        ("random", "random", RandomSettings(), True),
        ("centre", "centre", CentreSettings(), False),
    ]
    return tuple(
        Candidate.of(label, method, settings, classifier.name, seeded=seeded)
        for label, method, settings, seeded in rows
        if not get_method(method).obstacle(classifier)
    )


def occlusion_at(budget: int, classifier: Classifier) -> OcclusionSettings:
    """Occlusion with a window about as large as usual and the stride at which it costs about as much as that."""
    usual, side = OcclusionSettings(), max(classifier.input_size)
    tried = [
        OcclusionSettings(window=window / 100, stride=pixels / side, fill=usual.fill)
        for window in range(15, 31)
        for pixels in range(-(-side // 100), side // 8)
    ]
    return min(tried, key=lambda one: (abs(OCCLUSION.cost(one, classifier) - budget), abs(one.window - usual.window)))
