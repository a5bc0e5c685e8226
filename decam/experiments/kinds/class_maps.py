"""Class maps: what some classes are to some models, with no picture at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from decam.classifier import Execution
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds.base import Kind, Reading
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.explanation import ClassExplanation, Target, Unit
from decam.models.catalogue import title_of
from decam.numerals import fixed, minus, several

CLASS_MAPS = "class maps"
NOTHING = "No better than a random map"


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
    units = all(question.unit is not None for question in plan.questions)
    said = [several(count, "unit") if units else several(count, "class", "classes")]
    return (*said, f"{seeds} seeds") if seeds > 1 else tuple(said)


def map_title(plan: Plan, key: CellKey) -> str:
    """What tells a map from the others of its target: model, seed and method, each where there are several of them."""
    question = plan.questions[key.question]
    parts = []
    if len({one.model.name for one in plan.questions}) > 1:
        parts.append(title_of(question.model.name))
    if len({one.seed for one in plan.questions}) > 1:
        parts.append(f"seed {question.seed}")
    if len(plan.methods) > 1:
        parts.append(plan.titles()[key.method])
    return " · ".join(parts)


def worth(made: ClassExplanation, unit: bool) -> str:
    """What a map is worth in words: its fidelity, what there is without it, and what a random map does."""
    fidelity, without, control = (_value(value, unit) for value in (made.fidelity, made.baseline, made.control))
    return f"{fidelity} with the map, {without} without, {control} with a random map of the same size"


def nothing(made: ClassExplanation, unit: bool) -> str:
    """What is said of a map where a random map of the same size does as much, to the digits shown; else empty."""
    if not _compared(made):
        return ""
    values = (made.fidelity, made.control) if unit else (round(made.fidelity, 2), round(made.control, 2))
    return NOTHING if values[0] <= values[1] else ""


def _compared(made: ClassExplanation) -> bool:
    return math.isfinite(made.fidelity) and math.isfinite(made.control)


def _value(value: float, unit: bool) -> str:
    if not math.isfinite(value):
        return "–"
    return minus(f"{value:#.3g}") if unit else fixed(value)


def _reading(grid: Grid) -> tuple[Reading, ...]:
    """A sentence a finished map; before them, of several maps, how many are better than a random one."""
    made = {key: cell.explanation for key, cell in sorted(grid.cells.items())}
    found = {key: one for key, one in made.items() if isinstance(one, ClassExplanation)}
    units = {key: grid.plan.questions[key.question].unit is not None for key in found}
    parts = tuple(Reading(_subject(grid, key), _sentence(one, units[key])) for key, one in found.items())
    judged = [not nothing(one, units[key]) for key, one in found.items() if _compared(one)]
    if len(judged) < 2:
        return parts
    count = f"{sum(judged)} of {len(judged)} maps {'is' if sum(judged) == 1 else 'are'}"
    return (Reading("", f"{count} better than a random map of the same size."), *parts)


def _subject(grid: Grid, key: CellKey) -> str:
    return " · ".join(filter(None, (grid.subject_of(key.question), map_title(grid.plan, key))))


def _sentence(made: ClassExplanation, unit: bool) -> str:
    """What a map is worth, and whether it says nothing or reaches the goal that its settings name."""
    what = "share of samples on which the unit is strongly active" if unit else "mean probability"
    measured = f"The {what} is {worth(made, unit)}."
    goal = made.settings.to_mapping().get("goal")
    if empty := nothing(made, unit):
        return f"{measured} {empty}, so it shows nothing that the model looks for."
    if not isinstance(goal, int | float) or not math.isfinite(made.fidelity):
        return measured
    reached = "reaches" if round(made.fidelity, 3 if unit else 2) >= goal else "is below"
    return f"{measured} It {reached} the goal of {fixed(goal)}."


KIND = Kind(name=CLASS_MAPS, title="Earlier class maps", noun="gallery", facts=facts, reading=_reading)
