"""A plan as JSON text: written in today's format, read in this one and the earlier ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from decam.classifier import EAGER, ENGINES, PRECISIONS, Execution, todays
from decam.errors import ModelError, SettingError, unknown
from decam.experiments.kinds import get as get_kind
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, Versions, usual_metrics
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.explanation import Unit
from decam.files import json_text
from decam.images.framing import CROP, checked
from decam.methods import described
from decam.metrics import get as get_metric
from decam.metrics.base import FILLS

FORMAT = 3
_READABLE = (1, 2, FORMAT)  # the first had no metrics, the second drew two curves beside them and named no questions
_KIND = "decam plan"
T = TypeVar("T")


def plan_to_json(plan: Plan) -> str:
    """The plan as JSON text, complete enough to repeat the run."""
    entries = {
        "kind": _KIND,
        "format": FORMAT,
        "of": plan.kind,
        "versions": dataclasses.asdict(plan.versions),
        "device": plan.device,
        "execution": None if plan.execution is None else dataclasses.asdict(plan.execution),
        "pictures": [_picture_described(picture) for picture in plan.pictures],
        "questions": [_question_described(question) for question in plan.questions],
        "methods": [_choice_entry(choice) for choice in plan.methods],
        "metrics": [_choice_entry(choice) for choice in plan.metrics],
    }
    return json_text(entries)


def plan_from_json(text: str | bytes) -> Plan:
    """The plan written by `plan_to_json`, of this format or an earlier one.

    Raises SettingError, ModelError or MethodError, each with one sentence, for text that is not a plan, for names
    that do not exist and for values out of bounds.
    """
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingError(
            f"These settings are not JSON ({_first_line(error)}); give the settings.json of an export."
        ) from error
    return _plan(read)


def _plan(read: object) -> Plan:
    if not isinstance(read, dict) or read.get("kind") != _KIND:
        raise SettingError("This JSON is not a plan of decam; give the settings.json of an export.")
    written = _of(int, read.get("format"), "format")
    if written not in _READABLE:
        raise SettingError(f"This plan has format {written}, but this decam reads format {FORMAT}; update decam.")
    return _plan_before_questions(read, written) if written < FORMAT else _plan_of_questions(read)


def _plan_of_questions(read: dict[str, Any]) -> Plan:
    where = "the plan"
    _only(
        read,
        ("kind", "format", "of", "versions", "device", "execution", "pictures", "questions", "methods", "metrics"),
        where,
    )
    execution = read.get("execution")
    return Plan(
        kind=get_kind(_get(read, "of", str, where)).name,
        device=_get(read, "device", str, where),
        pictures=tuple(_picture(entry) for entry in _get(read, "pictures", list, where)),
        questions=tuple(_question(entry) for entry in _get(read, "questions", list, where)),
        methods=tuple(_method(entry) for entry in _get(read, "methods", list, where)),
        metrics=tuple(_metric(entry) for entry in _get(read, "metrics", list, where)),
        execution=None if execution is None else _execution(execution),
        versions=_versions(_get(read, "versions", dict, where)),
    )


def _plan_before_questions(read: dict[str, Any], written: int) -> Plan:
    """A comparison of the formats 1 and 2, whose deletion and insertion were no metrics."""
    where = "the plan"
    names = ("kind", "format", "versions", "model", "device", "speed", "seed", "steps", "fills", "pictures", "methods")
    _only(read, (*names, "metrics"), where)
    pictures = _get(read, "pictures", list, where)
    steps, seed = _get(read, "steps", int, where), _get(read, "seed", int, where)
    fills = [_fills(entry) for entry in _get(read, "fills", list, where)]
    metrics = _get(read, "metrics", list, where) if written > 1 else ()
    execution = read.get("speed")
    model = ModelSpec(_model(read.get("model")))
    return Plan(
        kind=COMPARISON,
        device=_get(read, "device", str, where),
        pictures=tuple(_picture(entry) for entry in pictures),
        questions=tuple(QuestionSpec(model, place, _target(entry), seed) for place, entry in enumerate(pictures)),
        methods=tuple(_method(entry) for entry in _get(read, "methods", list, where)),
        metrics=(*usual_metrics(fills, steps), *(_metric(entry) for entry in metrics)),
        execution=None if execution is None else _execution(execution),
        versions=_versions(_get(read, "versions", dict, where)),
    )


def _target(entry: object) -> int | None:
    target = entry.get("target") if isinstance(entry, dict) else None
    return None if target is None else _of(int, target, "target")


def _question(entry: object) -> QuestionSpec:
    where = "a question of the plan"
    read = _only(
        _of(dict, entry, where), ("model", "picture", "target", "seed", "reference", "unit", "also", "against"), where
    )
    reference, unit, against = read.get("reference"), read.get("unit"), read.get("against")
    about_class = "picture" in read and read["picture"] is None
    return QuestionSpec(
        model=_model_spec(read.get("model")),
        picture=None if about_class else _get(read, "picture", int, where),
        target=_target(read),
        seed=_get(read, "seed", int, where),
        reference=None if reference is None else _of(int, reference, "reference"),
        unit=None if unit is None else _unit(unit),
        also=tuple(_of(int, one, "also") for one in _of(list, read.get("also", []), "also")),
        against=None if against is None else _of(int, against, "against"),
    )


def _unit(entry: object) -> Unit:
    where = "a question's unit"
    read = _only(_of(dict, entry, where), ("layer", "channel"), where)
    return Unit(_get(read, "layer", str, where), _get(read, "channel", int, where))


def _model_spec(entry: object) -> ModelSpec:
    where = "a question's model"
    read = _only(_of(dict, entry, where), ("name", "variant", "sha256"), where)
    variant = read.get("variant")
    return ModelSpec(
        name=_model(read.get("name")),
        variant=None if variant is None else _variant(variant),
        sha256=_get(read, "sha256", str, where) if "sha256" in read else "",
    )


def _variant(entry: object) -> Variant:
    where = "a model's variant"
    read = _only(_of(dict, entry, where), ("mode", "stage", "share", "seed"), where)
    return Variant(
        mode=cast(Any, _get(read, "mode", str, where)),
        stage=_get(read, "stage", str, where),
        share=_get(read, "share", float, where),
        seed=_get(read, "seed", int, where),
    )


def _model(value: object) -> str:
    if not isinstance(value, str):
        raise ModelError(f"The plan's model must be a name, not {value!r}.")
    return value


def _picture(entry: object) -> PictureChoice:
    where = "an image of the plan"
    read = _only(_of(dict, entry, where), ("name", "target", "sha256", "truth", "framing"), where)
    return PictureChoice(
        name=_get(read, "name", str, where),
        sha256=_get(read, "sha256", str, where) if "sha256" in read else "",
        truth=_get(read, "truth", str, where) if "truth" in read else "",
        framing=checked(read.get("framing", CROP)),
    )


def _method(entry: object) -> MethodChoice:
    name, values = _choice(entry, "a method of the plan")
    with _named(name):
        return MethodChoice(name, described(name).settings.from_mapping(values))


def _metric(entry: object) -> MetricChoice:
    name, values = _choice(entry, "a metric of the plan")
    with _named(name):
        return MetricChoice(name, get_metric(name).settings.from_mapping(values))


def _choice(entry: object, where: str) -> tuple[str, dict[str, object]]:
    read = _only(_of(dict, entry, where), ("name", "settings"), where)
    return _get(read, "name", str, where), _get(read, "settings", dict, where)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """What is wrong with a choice's settings begins with its name."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{name}: {error}") from error


def _picture_described(picture: PictureChoice) -> dict[str, object]:
    """A picture for JSON; its framing only where it is not the model's own, as in plans from before there was one."""
    values = dataclasses.asdict(picture)
    return values if picture.framing != CROP else {name: it for name, it in values.items() if name != "framing"}


def _question_described(question: QuestionSpec) -> dict[str, object]:
    """A question for JSON; what only some questions have, only where it is there."""
    values = {**dataclasses.asdict(question), "model": question.model.to_mapping()}
    if question.against is None:
        del values["against"]
    return {name: value for name, value in values.items() if name not in ("unit", "also") or value}


def _choice_entry(choice: MethodChoice | MetricChoice) -> dict[str, object]:
    return {"name": choice.name, "settings": choice.settings.to_mapping()}


def _fills(entry: object) -> tuple[str, str]:
    where = "the plan's fills"
    read = _only(_of(dict, entry, where), ("deletion", "insertion"), where)
    pair = (_get(read, "deletion", str, where), _get(read, "insertion", str, where))
    for fill in pair:
        if fill not in FILLS:
            raise SettingError(unknown("fill", fill, FILLS))
    return pair


def _execution(entry: object) -> Execution:
    where = "the plan's execution"
    read = _only(
        todays(_of(dict, entry, where)), tuple(described.name for described in dataclasses.fields(Execution)), where
    )
    precision = _get(read, "precision", str, where)
    if precision not in PRECISIONS:
        raise SettingError(f"precision is {precision!r}, but must be one of: {', '.join(PRECISIONS)}.")
    engine = read.get("engine", EAGER)
    if not isinstance(engine, str) or engine not in ENGINES:
        raise SettingError(f"engine is {engine!r}, but must be one of: {', '.join(ENGINES)}.")
    return Execution(
        precision=cast(Any, precision),
        channels_last=_get(read, "channels_last", bool, where),
        batch_size=_get(read, "batch_size", int, where),
        parallel_batches=_get(read, "parallel_batches", int, where) if "parallel_batches" in read else 1,
        engine=engine,
        note=_get(read, "note", str, where) if "note" in read else "",
    )


def _versions(read: Mapping[str, object]) -> Versions:
    names = [described.name for described in dataclasses.fields(Versions)]
    return Versions(**{name: _of(str, read.get(name, ""), name) for name in names})


def _only(read: dict[str, object], known: tuple[str, ...], where: str) -> dict[str, object]:
    for name in read:
        if name not in known:
            raise SettingError(f"There is no {name!r} in {where}; there are: {', '.join(known)}.")
    return read


def _get(read: Mapping[str, object], name: str, kind: type[T], where: str) -> T:
    if name not in read:
        raise SettingError(f"{name!r} is missing from {where}.")
    return _of(kind, read[name], name)


def _of(kind: type[T], value: object, name: str) -> T:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # JSON writes 1.0 and 1 alike
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise SettingError(f"{name} must be {_WORDS[kind]}, not {_short(value)}.")
    return value


_WORDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "an object with names and values",
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
