"""A benchmark's plan in parts: each is one model asked about one picture, and a run of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from decam.benchmark.datasets import Subject
from decam.classifier import Classifier
from decam.experiments.grid import Grid
from decam.experiments.kinds import benchmark
from decam.experiments.plan import MethodChoice, MetricChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.explanation import Target
from decam.files import json_digest


@dataclass(frozen=True)
class Asked:
    """What tells a question from others, in whatever plan it stands."""

    model: ModelSpec
    sha256: str
    truth: str
    target: int | None
    seed: int
    about: Target | None = None

    @classmethod
    def by(cls, plan: Plan, question: int) -> Asked:
        """The question of that place in a plan."""
        spec = plan.questions[question]
        if spec.about_class:
            return cls(spec.model, "", "", spec.target, spec.seed, spec.about)
        picture = plan.picture_of(question)
        return cls(spec.model, picture.sha256, picture.truth, spec.target, spec.seed)


def grid_of(
    classifier: Classifier,
    subjects: Sequence[Subject],
    methods: Sequence[MethodChoice],
    metrics: Sequence[MetricChoice],
    seed: int | None = None,
) -> Grid:
    """A model asked about pictures, with nothing done yet; with `seed` all get that, else each its own."""
    plan = benchmark.plan(
        [classifier.name],
        str(classifier.device),
        [subject.choice for subject in subjects],
        methods,
        targets=[subject.target for subject in subjects],
        seeds=[(subject.seed if seed is None else seed,) for subject in subjects],
        metrics=metrics,
    )
    views, truths = [subject.view for subject in subjects], [subject.truth for subject in subjects]
    return Grid.empty(plan, views, truths, classifier.labels)


def shards(grid: Grid, *, apart: bool = False) -> list[Grid]:
    """The grid in parts, one a model and picture, in the order of the questions; nothing is done of any.

    Questions about a model's classes are one part: they are cheaper together. Variants of a model stay together, for
    they refer to each other. With `apart` every method is a part by itself: less is lost where one is stopped, and
    nothing is shared between the methods' maps.
    """
    plan = grid.plan
    places: dict[tuple[str, int | None], list[int]] = {}
    for place, question in enumerate(plan.questions):
        places.setdefault((question.model.name, question.picture), []).append(place)
    groups = [(method,) for method in plan.methods] if apart else [plan.methods]
    return [_shard(grid, numbers, methods) for numbers in places.values() for methods in groups]


def _shard(grid: Grid, numbers: Sequence[int], methods: tuple[MethodChoice, ...]) -> Grid:
    plan = grid.plan
    picture = plan.questions[numbers[0]].picture
    own = slice(0) if picture is None else slice(picture, picture + 1)
    moved = {number: place for place, number in enumerate(numbers)}

    def question(number: int) -> QuestionSpec:
        spec = plan.questions[number]
        reference = None if spec.reference is None else moved[spec.reference]
        return dataclasses.replace(spec, picture=None if picture is None else 0, reference=reference)

    part = dataclasses.replace(
        plan,
        pictures=plan.pictures[own],
        questions=tuple(question(number) for number in numbers),
        methods=methods,
    )
    return Grid.empty(part, grid.views[own], grid.truths[own], grid.labels)


def _described(asked: Asked) -> dict[str, object]:
    """What tells a question from others; what only questions about classes have, only where it is there."""
    return {name: value for name, value in dataclasses.asdict(asked).items() if name != "about" or value is not None}


def link_of(plan: Plan) -> str:
    """The link of a plan's run: the same for all plans that ask the same, however their pictures are called.

    Versions, device and execution are not in it, so that a run goes on after an update and on another machine.
    """
    described = {
        "questions": [
            {
                **_described(Asked.by(plan, place)),
                "model": question.model.to_mapping(),
                "reference": question.reference,
            }
            for place, question in enumerate(plan.questions)
        ],
        "methods": [[choice.name, choice.settings.to_mapping()] for choice in plan.methods],
        "metrics": sorted(choice.key for choice in plan.metrics),
    }
    return f"benchmark-{json_digest(described)[:32]}"
