"""Class maps: what some classes are to some models, with no picture at hand."""

from __future__ import annotations

from collections.abc import Sequence

from decam.classifier import Execution
from decam.errors import SettingError
from decam.experiments.kinds.base import Kind
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.explanation import Target, Unit

CLASS_MAPS = "class maps"


def plan(
    models: Sequence[str],
    device: str,
    targets: Sequence[int | Target],
    methods: Sequence[MethodChoice],
    *,
    seeds: Sequence[int] = (0,),
    pictures: Sequence[PictureChoice] = (),
    execution: Execution | None = None,
) -> Plan:
    """The plan that asks each model about each target, once with each seed.

    A target is a class index, several in a tuple, which one map raises at once, or a unit of a layer. `pictures` are
    the user's own samples, for methods that are asked to use them. Questions of one model follow each other, its seeds
    one after the other, and of each seed the targets in their order. Raises SettingError where models, targets or seeds
    are missing or one is there twice, and what Plan raises.
    """
    for noun, given in (("model", models), ("class", targets), ("seed", seeds)):
        if not given:
            raise SettingError(f"No {noun} was given; class maps need at least one.")
        if len(set(given)) != len(given):
            raise SettingError(f"A {noun} is given twice; give each once.")
    return Plan(
        kind=CLASS_MAPS,
        device=device,
        pictures=tuple(pictures),
        questions=tuple(
            _question(ModelSpec.of(model), target, seed) for model in models for seed in seeds for target in targets
        ),
        methods=tuple(methods),
        execution=execution,
    )


def _question(model: ModelSpec, target: int | Target, seed: int) -> QuestionSpec:
    if isinstance(target, Unit):
        return QuestionSpec(model, None, None, seed, unit=target)
    first, *others = (target,) if isinstance(target, int) else target
    return QuestionSpec(model, None, first, seed, also=tuple(others))


def targets_of(plan: Plan) -> tuple[Target, ...]:
    """The targets of a plan, each once, in the order of its questions."""
    return tuple(dict.fromkeys(question.about for question in plan.questions))


def facts(plan: Plan) -> tuple[str, ...]:
    """How many classes or units a plan asks about, and with how many seeds where there are several."""
    count = len(targets_of(plan))
    seeds = len({question.seed for question in plan.questions})
    noun = "unit" if all(question.unit is not None for question in plan.questions) else "class"
    said = [f"{count} {noun if count == 1 else noun + ('es' if noun == 'class' else 's')}"]
    return (*said, f"{seeds} seeds") if seeds > 1 else tuple(said)


KIND = Kind(name=CLASS_MAPS, title="Earlier class maps", noun="gallery", facts=facts)
