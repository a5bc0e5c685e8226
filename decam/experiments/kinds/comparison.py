"""A comparison: one model asked about each picture, all methods side by side."""

from __future__ import annotations

from collections.abc import Sequence

from decam.classifier import Execution
from decam.errors import SettingError
from decam.experiments.kinds.base import Kind
from decam.experiments.kinds.leading import leading
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.numerals import several

COMPARISON = "comparison"


def plan(
    model: str,
    device: str,
    pictures: Sequence[PictureChoice],
    methods: Sequence[MethodChoice],
    *,
    targets: Sequence[int | None] = (),
    against: Sequence[int | None] = (),
    metrics: Sequence[MetricChoice] = (),
    seed: int = 0,
    execution: Execution | None = None,
) -> Plan:
    """The plan that asks one model once about each picture.

    `targets` has a class index for each picture or None for the predicted class; empty, it is None for all.
    `against` has the class that each of these is told from, or None. Raises SettingError where these and pictures
    differ in number, and what Plan raises.
    """
    spec = ModelSpec.of(model)
    if targets and len(targets) != len(pictures):
        raise SettingError(
            f"There are {len(targets)} targets for {len(pictures)} images; give one for each, or none at all."
        )
    if against and len(against) != len(pictures):
        raise SettingError(
            f"There are {len(against)} classes to tell the targets from for {len(pictures)} images; give one for "
            "each, or none at all."
        )
    nothing: list[int | None] = [None] * len(pictures)
    asked = zip(targets or nothing, against or nothing, strict=True)
    return Plan(
        kind=COMPARISON,
        device=device,
        pictures=tuple(pictures),
        questions=tuple(
            QuestionSpec(spec, place, target, seed, against=other) for place, (target, other) in enumerate(asked)
        ),
        methods=tuple(methods),
        metrics=tuple(metrics),
        execution=execution,
    )


def _facts(plan: Plan) -> tuple[str, ...]:
    return (several(len(plan.methods), "method"),)


KIND = Kind(name=COMPARISON, title="Recent runs", noun="comparison", facts=_facts, reading=leading, by_picture=True)
