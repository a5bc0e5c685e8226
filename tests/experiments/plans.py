"""A plan with every method and metric, and one that asks a model and a variant of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from decam.classifier import Execution
from decam.experiments.kinds import comparison
from decam.experiments.plan import (
    MethodChoice,
    MetricChoice,
    PictureChoice,
    Plan,
    usual_metrics,
)
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.methods import METHODS
from decam.metrics import METRICS, RANDOMISATION

PICTURES = (PictureChoice("a.png"), PictureChoice("Löwe.jpg", sha256="ab", truth="cd"))


def a_plan(**changes: Any) -> Plan:
    plan = comparison.plan(
        "embedded",
        "cpu",
        PICTURES,
        [MethodChoice.default(name) for name in METHODS],
        targets=[None, 291],
        metrics=[*usual_metrics(), *(MetricChoice.default(name) for name in (*METRICS, *RANDOMISATION))],
        execution=Execution("bfloat16", True, 32, 2, "fastest"),
    )
    return dataclasses.replace(plan, **changes)


def two_models(**changes: Any) -> Plan:
    """A plan that asks a model and a variant of it about one picture."""
    variant = ModelSpec("embedded", Variant("cascading", "head", 0.01, 5))
    names = ("sparsity", "similarity-ssim", "control-similarity-ssim")
    plan = Plan(
        kind="randomisation",
        device="cpu",
        pictures=(PictureChoice("a.png"),),
        questions=(QuestionSpec(ModelSpec("embedded"), 0, 3), QuestionSpec(variant, 0, 3, reference=0)),
        methods=(MethodChoice.default("random"),),
        metrics=tuple(MetricChoice.default(name) for name in names),
    )
    return dataclasses.replace(plan, **changes)
