"""A plan says all that a comparison is made from, so that it can be repeated: pictures, model, methods and seeds."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeAlias, TypeVar, cast

import torch

from decam import __version__
from decam.classifier import PRECISIONS, Pixels, Speed
from decam.errors import ModelError, SettingError
from decam.explanation import Truth
from decam.methods import get as get_method
from decam.metrics import CURVES
from decam.metrics import get as get_metric
from decam.metrics.base import FILLS, FaithfulnessSettings
from decam.settings import Settings

Fills: TypeAlias = tuple[str, str]
DEFAULT_FILLS: tuple[Fills, ...] = (("mean", "blur"), ("blur", "mean"))
FORMAT = 2
_READ = (1, FORMAT)  # the first had no metrics
MAX_SEED = 2**63 - 1
_KIND = "decam plan"
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
    """A picture by name, the class asked about (None: the one predicted) and its view's fingerprint once known.

    `truth` is the fingerprint of the mask that says where the class is, empty where there is none.
    """

    name: str
    target: int | None = None
    sha256: str = ""
    truth: str = ""

    def __post_init__(self) -> None:
        if self.target is not None and self.target < 0:
            raise SettingError(f"The target of {self.name!r} is {self.target}, but classes are counted from 0.")


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
    def default(cls, name: str) -> MetricChoice:
        """The metric with the settings it comes with; raises MethodError for an unknown name."""
        return cls(name, get_metric(name).settings())


@dataclass(frozen=True)
class Plan:
    """All that a comparison is made from.

    `fills` lists pairs (fill for deletion, fill for insertion); curves have `steps` steps. `metrics` are measured
    beside these curves. `speed` is how the model is asked: None until a run has begun, which writes down what it used.
    Raises SettingError or ModelError where a part is missing or out of bounds.
    """

    model: str
    device: str
    pictures: tuple[PictureChoice, ...]
    methods: tuple[MethodChoice, ...]
    seed: int = 0
    steps: int = 50
    fills: tuple[Fills, ...] = DEFAULT_FILLS
    metrics: tuple[MetricChoice, ...] = ()
    speed: Speed | None = None
    versions: Versions = field(default_factory=Versions.here)

    def __post_init__(self) -> None:
        if not self.model:
            raise ModelError("The plan names no model; give one, such as 'embedded'.")
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise SettingError(f"There is no device {self.device!r}; choose 'cpu', 'cuda' or 'mps'.") from error
        if not self.pictures or not self.methods:
            raise SettingError("A comparison needs at least one picture and one method.")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(f"seed is {self.seed}, but must lie between 0 and {MAX_SEED}.")
        if len(set(self.fills)) != len(self.fills):
            raise SettingError("A pair of fills appears twice; name each once.")
        names = [choice.name for choice in self.metrics]
        if len(set(names)) != len(names):
            raise SettingError("A metric appears twice; name each once.")
        if drawn := [metric.name for metric in CURVES if metric.name in names]:
            raise SettingError(f"{drawn[0]} is measured for every pair of fills; leave it out of the metrics.")
        for pair in self.fills:
            for fill in pair:
                FaithfulnessSettings(steps=self.steps, fill=fill)
        FaithfulnessSettings(steps=self.steps)
        if self.speed is not None and self.speed.batch_size < 1:
            raise SettingError(f"batch_size is {self.speed.batch_size}, but must be at least 1.")
        if self.speed is not None and self.speed.streams < 1:
            raise SettingError(f"streams is {self.speed.streams}, but must be at least 1.")

    def titles(self) -> tuple[str, ...]:
        """The methods' titles, no two the same.

        One that is there more than once also says the settings in which its choices differ; where they are the same
        all over, the later ones have a number.
        """
        titles: list[str] = []
        for choice in self.methods:
            values = choice.settings.to_mapping()
            same = [other.settings.to_mapping() for other in self.methods if other.name == choice.name]
            differing = [str(values[name]) for name in values if any(other[name] != values[name] for other in same)]
            title = " · ".join([get_method(choice.name).title, *differing])
            before = sum(other.split(" #")[0] == title for other in titles)
            titles.append(f"{title} #{before + 1}" if before else title)
        return tuple(titles)

    def to_json(self) -> str:
        """The plan as JSON text, complete enough to repeat the run."""
        described = {
            "kind": _KIND,
            "format": FORMAT,
            "versions": dataclasses.asdict(self.versions),
            "model": self.model,
            "device": self.device,
            "speed": None if self.speed is None else dataclasses.asdict(self.speed),
            "seed": self.seed,
            "steps": self.steps,
            "fills": [{"deletion": deletion, "insertion": insertion} for deletion, insertion in self.fills],
            "pictures": [dataclasses.asdict(picture) for picture in self.pictures],
            "methods": [_described(choice) for choice in self.methods],
            "metrics": [_described(choice) for choice in self.metrics],
        }
        return json.dumps(described, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """The plan written by `to_json`.

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
    if written not in _READ:
        raise SettingError(f"This plan has format {written}, but this decam reads format {FORMAT}; update decam.")
    _only(read, ("kind", "format", *(described.name for described in dataclasses.fields(Plan))), "the plan")
    speed = read.get("speed")
    return Plan(
        model=_model(read.get("model")),
        device=_get(read, "device", str, "the plan"),
        pictures=tuple(_picture(entry) for entry in _get(read, "pictures", list, "the plan")),
        methods=tuple(_method(entry) for entry in _get(read, "methods", list, "the plan")),
        metrics=tuple(_metric(entry) for entry in (_get(read, "metrics", list, "the plan") if written > 1 else ())),
        seed=_get(read, "seed", int, "the plan"),
        steps=_get(read, "steps", int, "the plan"),
        fills=tuple(_fills(entry) for entry in _get(read, "fills", list, "the plan")),
        speed=None if speed is None else _speed(speed),
        versions=_versions(_get(read, "versions", dict, "the plan")),
    )


def _model(value: object) -> str:
    if not isinstance(value, str):
        raise ModelError(f"The plan's model must be a name, not {value!r}.")
    return value


def _picture(entry: object) -> PictureChoice:
    where = "a picture of the plan"
    read = _only(_of(dict, entry, where), ("name", "target", "sha256", "truth"), where)
    target = read.get("target")
    return PictureChoice(
        name=_get(read, "name", str, where),
        target=None if target is None else _of(int, target, "target"),
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


def _fills(entry: object) -> Fills:
    where = "the plan's fills"
    read = _only(_of(dict, entry, where), ("deletion", "insertion"), where)
    pair = (_get(read, "deletion", str, where), _get(read, "insertion", str, where))
    for fill in pair:
        if fill not in FILLS:
            raise SettingError(f"There is no fill {fill!r}; there are: {', '.join(FILLS)}.")
    return pair


def _speed(entry: object) -> Speed:
    where = "the plan's speed"
    read = _only(_of(dict, entry, where), tuple(described.name for described in dataclasses.fields(Speed)), where)
    precision = _get(read, "precision", str, where)
    if precision not in PRECISIONS:
        raise SettingError(f"precision is {precision!r}, but must be one of: {', '.join(PRECISIONS)}.")
    return Speed(
        precision=cast(Any, precision),
        channels_last=_get(read, "channels_last", bool, where),
        batch_size=_get(read, "batch_size", int, where),
        streams=_get(read, "streams", int, where) if "streams" in read else 1,
        captured=_get(read, "captured", bool, where) if "captured" in read else False,
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
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise SettingError(f"{name} must be {_WORDS[kind]}, not {_short(value)}.")
    return value


_WORDS: dict[type, str] = {
    int: "a whole number",
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
