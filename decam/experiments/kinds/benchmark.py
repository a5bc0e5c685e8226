"""A benchmark: models asked about every picture of a dataset, each with as many seeds as that picture gets."""

from __future__ import annotations

from collections.abc import Sequence

from decam.errors import SettingError
from decam.experiments.kinds.base import Kind
from decam.experiments.kinds.leading import leading
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.numerals import several

BENCHMARK = "benchmark"


def plan(
    models: Sequence[str],
    device: str,
    pictures: Sequence[PictureChoice],
    methods: Sequence[MethodChoice],
    *,
    targets: Sequence[int | None] = (),
    seeds: Sequence[Sequence[int]] = (),
    metrics: Sequence[MetricChoice] = (),
) -> Plan:
    """The plan that asks each model about each picture, once with each of that picture's seeds.

    `targets` has a class index for each picture or None for the predicted class; empty, it is None for all. `seeds`
    has the seeds of each picture; empty, it is 0 for all. Raises SettingError where their numbers differ from the
    pictures', and what Plan raises.
    """
    for name, given in (("targets", targets), ("seeds", seeds)):
        if given and len(given) != len(pictures):
            raise SettingError(f"There are {len(pictures)} images but {len(given)} {name}; give each image one.")
    targets = targets or [None] * len(pictures)
    seeds = seeds or [(0,)] * len(pictures)
    return Plan(
        kind=BENCHMARK,
        device=device,
        pictures=tuple(pictures),
        questions=tuple(
            QuestionSpec(ModelSpec.of(model), place, target, seed)
            for model in models
            for place, target in enumerate(targets)
            for seed in seeds[place]
        ),
        methods=tuple(methods),
        metrics=tuple(metrics),
    )


def _facts(plan: Plan) -> tuple[str, ...]:
    return several(len(plan.questions), "question"), several(len(plan.methods), "method")


KIND = Kind(name=BENCHMARK, title="Benchmarks", noun="part of a benchmark", facts=_facts, reading=leading)
