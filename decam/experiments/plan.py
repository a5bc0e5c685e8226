"""A plan says all that a run is made from, so that it can be repeated: questions, methods and metrics."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import Any, TypeVar, cast

import torch

from decam import __version__
from decam.classifier import EARLIER_NAMES, PRECISIONS, Execution, Pixels
from decam.errors import ModelError, SettingError
from decam.experiments.cells import CellKey
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.explanation import Truth
from decam.methods import get as get_method
from decam.metrics import get as get_metric
from decam.metrics.base import FILLS
from decam.settings import Settings

FORMAT = 3
_READ = (1, 2, FORMAT)  # the first had no metrics, the second drew two curves beside them and named no questions
_KIND = "decam plan"
COMPARISON, RANDOMISATION, BENCHMARK = "comparison", "randomisation", "benchmark"
KINDS = (COMPARISON, RANDOMISATION, BENCHMARK)
T = TypeVar("T")


def fingerprint(pixels: Pixels | Truth) -> str:
    """The SHA-256 of the bytes of a view (H×W×3) or of a mask (H×W), rows first, in hexadecimal."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Versions:
    """The versions that shape a result; empty where they were not written down."""

    python: str = ""
    decam: str = ""
    numpy: str = ""
    torch: str = ""
    torchvision: str = ""
    captum: str = ""
    torchcam: str = ""
    scikit_image: str = ""

    @classmethod
    def here(cls) -> Versions:
        """Those of this process."""
        return cls(
            python=platform.python_version(),
            decam=__version__,
            numpy=version("numpy"),
            torch=version("torch"),
            torchvision=version("torchvision"),
            captum=version("captum"),
            torchcam=version("torchcam"),
            scikit_image=version("scikit-image"),
        )


@dataclass(frozen=True)
class PictureChoice:
    """A picture by name, with its view's fingerprint once that is known.

    `truth` is the fingerprint of the mask that says where the class is, empty where there is none.
    """

    name: str
    sha256: str = ""
    truth: str = ""


@dataclass(frozen=True)
class MethodChoice:
    """A method by name with its settings; raises MethodError or SettingError where the two do not fit."""

    name: str
    settings: Settings

    def __post_init__(self) -> None:
        _check_settings(self.name, self.settings, get_method(self.name).settings)

    @classmethod
    def default(cls, name: str) -> MethodChoice:
        """The method with the settings it comes with; raises MethodError for an unknown name."""
        return cls(name, get_method(name).settings())


@dataclass(frozen=True)
class MetricChoice:
    """A metric by name with its settings; raises MethodError or SettingError where the two do not fit."""

    name: str
    settings: Settings

    def __post_init__(self) -> None:
        _check_settings(self.name, self.settings, get_metric(self.name).settings)

    @classmethod
    def default(cls, name: str, **settings: int | float | str | bool) -> MetricChoice:
        """The metric with the settings it comes with, but for those given; raises MethodError and SettingError."""
        return cls(name, get_metric(name).settings.from_mapping(settings))

    @property
    def key(self) -> str:
        """A name for the metric with these settings, fit for a file: the metric's and a digest of the settings."""
        values = json.dumps(self.settings.to_mapping(), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(values.encode()).hexdigest()[:8]}"


def usual_metrics(
    fills: Sequence[tuple[str, str]] = (("mean", "blur"), ("blur", "mean")), steps: int = 50
) -> tuple[MetricChoice, ...]:
    """Deletion and insertion with each pair of fills (one for deletion, one for insertion), each choice once."""
    choices = [
        MetricChoice.default(name, steps=steps, fill=fill)
        for pair in fills
        for name, fill in zip(("deletion", "insertion"), pair, strict=True)
    ]
    return tuple(dict.fromkeys(choices))


@dataclass(frozen=True)
class Plan:
    """All that a run is made from: questions, asked of methods, whose maps metrics measure.

    `kind` is a row of `decam.experiments.kinds`. Questions refer to `pictures` by index. `execution` is how the model
    is asked: None until a run has begun, which writes down what it used. Raises SettingError or ModelError where a
    part is missing or out of bounds.
    """

    kind: str
    device: str
    pictures: tuple[PictureChoice, ...]
    questions: tuple[QuestionSpec, ...]
    methods: tuple[MethodChoice, ...]
    metrics: tuple[MetricChoice, ...] = ()
    execution: Execution | None = None
    versions: Versions = field(default_factory=Versions.here)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"There is no kind of plan {self.kind!r}; there are: {', '.join(KINDS)}. Update decam.")
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise SettingError(f"There is no device {self.device!r}; choose 'cpu', 'cuda' or 'mps'.") from error
        if not self.questions or not self.methods:
            raise SettingError("A plan needs at least one picture and one method.")
        for place, question in enumerate(self.questions):
            if not 0 <= question.picture < len(self.pictures):
                raise SettingError(f"Question {place} is about picture {question.picture}, which is not there.")
            if question.reference is not None and not 0 <= question.reference < place:
                raise SettingError(f"Question {place} refers to {question.reference}, which does not come before it.")
        if len(set(self.metrics)) != len(self.metrics):
            raise SettingError("A metric appears twice with the same settings; name it once, or change a setting.")
        if self.execution is not None and self.execution.batch_size < 1:
            raise SettingError(f"batch_size is {self.execution.batch_size}, but must be at least 1.")
        if self.execution is not None and self.execution.parallel_batches < 1:
            raise SettingError(f"parallel_batches is {self.execution.parallel_batches}, but must be at least 1.")

    @property
    def model(self) -> str:
        """The model of the first question, by name."""
        return self.questions[0].model.name

    @property
    def seed(self) -> int:
        """The seed of the first question."""
        return self.questions[0].seed

    def cells(self) -> Iterator[CellKey]:
        """The keys of all cells, question after question."""
        for question in range(len(self.questions)):
            for method in range(len(self.methods)):
                yield CellKey(question, method)

    def picture_of(self, question: int) -> PictureChoice:
        """The picture that a question asks about."""
        return self.pictures[self.questions[question].picture]

    def metrics_for(self, question: int) -> tuple[MetricChoice, ...]:
        """The metrics that measure the maps of a question.

        One that compares with a reference leaves out questions without one; one that compares with controls, which
        says what a comparison is worth, leaves out those that have one.
        """
        lacking = "reference" if self.questions[question].reference is None else "controls"
        return tuple(choice for choice in self.metrics if lacking not in get_metric(choice.name).needs)

    def metric_keys(self, question: int) -> tuple[str, ...]:
        """The keys of `metrics_for`."""
        return _metric_keys(self, question)

    def titles(self) -> tuple[str, ...]:
        """The methods' titles, no two the same.

        A method listed twice gets the settings that differ appended; identical ones are numbered.
        """
        return _titles([(get_method(choice.name).title, choice) for choice in self.methods])

    def metric_titles(self) -> Mapping[str, str]:
        """The metrics' titles by the metrics' keys, made as `titles` makes them."""
        titles = _titles([(get_metric(choice.name).title, choice) for choice in self.metrics])
        return {choice.key: title for choice, title in zip(self.metrics, titles, strict=True)}

    def to_json(self) -> str:
        """The plan as JSON text, complete enough to repeat the run."""
        described = {
            "kind": _KIND,
            "format": FORMAT,
            "of": self.kind,
            "versions": dataclasses.asdict(self.versions),
            "device": self.device,
            "execution": None if self.execution is None else dataclasses.asdict(self.execution),
            "pictures": [dataclasses.asdict(picture) for picture in self.pictures],
            "questions": [dataclasses.asdict(question) for question in self.questions],
            "methods": [_described(choice) for choice in self.methods],
            "metrics": [_described(choice) for choice in self.metrics],
        }
        return json.dumps(described, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """The plan written by `to_json`, of this format or an earlier one.

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


@lru_cache(maxsize=1024)
def _metric_keys(plan: Plan, question: int) -> tuple[str, ...]:
    return tuple(choice.key for choice in plan.metrics_for(question))


def _titles(choices: Sequence[tuple[str, MethodChoice | MetricChoice]]) -> tuple[str, ...]:
    titles: list[str] = []
    for title, choice in choices:
        values = choice.settings.to_mapping()
        same = [other.settings.to_mapping() for _, other in choices if other.name == choice.name]
        differing = [name for name in values if any(other[name] != values[name] for other in same)]
        parameters = [one for one in choice.settings.parameters() if one.name in differing]
        whole = " · ".join([title, *(one.told(values[one.name]) for one in parameters)])
        before = sum(other.split(" #")[0] == whole for other in titles)
        titles.append(f"{whole} #{before + 1}" if before else whole)
    return tuple(titles)


def _plan(read: object) -> Plan:
    if not isinstance(read, dict) or read.get("kind") != _KIND:
        raise SettingError("This JSON is not a plan of decam; give the settings.json of an export.")
    written = _of(int, read.get("format"), "format")
    if written not in _READ:
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
        kind=_get(read, "of", str, where),
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
    known = ("kind", "format", "versions", "model", "device", "speed", "seed", "steps", "fills", "pictures", "methods")
    _only(read, (*known, "metrics"), where)
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
    read = _only(_of(dict, entry, where), ("model", "picture", "target", "seed", "reference"), where)
    reference = read.get("reference")
    return QuestionSpec(
        model=_model_spec(read.get("model")),
        picture=_get(read, "picture", int, where),
        target=_target(read),
        seed=_get(read, "seed", int, where),
        reference=None if reference is None else _of(int, reference, "reference"),
    )


def _model_spec(entry: object) -> ModelSpec:
    where = "a question's model"
    read = _only(_of(dict, entry, where), ("name", "variant"), where)
    variant = read.get("variant")
    return ModelSpec(_model(read.get("name")), None if variant is None else _variant(variant))


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
    where = "a picture of the plan"
    read = _only(_of(dict, entry, where), ("name", "target", "sha256", "truth"), where)
    return PictureChoice(
        name=_get(read, "name", str, where),
        sha256=_get(read, "sha256", str, where) if "sha256" in read else "",
        truth=_get(read, "truth", str, where) if "truth" in read else "",
    )


def _method(entry: object) -> MethodChoice:
    name, values = _choice(entry, "a method of the plan")
    with _named(name):
        return MethodChoice(name, get_method(name).settings.from_mapping(values))


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


def _described(choice: MethodChoice | MetricChoice) -> dict[str, object]:
    return {"name": choice.name, "settings": choice.settings.to_mapping()}


def _check_settings(name: str, settings: Settings, wanted: type[Settings]) -> None:
    if not isinstance(settings, wanted):
        raise SettingError(
            f"{name} takes {wanted.__name__}, not {type(settings).__name__}; make them with its own settings class."
        )


def _fills(entry: object) -> tuple[str, str]:
    where = "the plan's fills"
    read = _only(_of(dict, entry, where), ("deletion", "insertion"), where)
    pair = (_get(read, "deletion", str, where), _get(read, "insertion", str, where))
    for fill in pair:
        if fill not in FILLS:
            raise SettingError(f"There is no fill {fill!r}; there are: {', '.join(FILLS)}.")
    return pair


def _execution(entry: object) -> Execution:
    where = "the plan's execution"
    given = {str(EARLIER_NAMES.get(name, name)): value for name, value in _of(dict, entry, where).items()}
    read = _only(given, tuple(described.name for described in dataclasses.fields(Execution)), where)
    precision = _get(read, "precision", str, where)
    if precision not in PRECISIONS:
        raise SettingError(f"precision is {precision!r}, but must be one of: {', '.join(PRECISIONS)}.")
    return Execution(
        precision=cast(Any, precision),
        channels_last=_get(read, "channels_last", bool, where),
        batch_size=_get(read, "batch_size", int, where),
        parallel_batches=_get(read, "parallel_batches", int, where) if "parallel_batches" in read else 1,
        cuda_graph=_get(read, "cuda_graph", bool, where) if "cuda_graph" in read else False,
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
