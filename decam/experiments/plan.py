"""A plan says all that a run is made from, so that it can be repeated: questions, methods and metrics."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version

import torch

from decam import __version__
from decam.classifier import ENGINES, Execution, Pixels
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.questions import QuestionSpec
from decam.explanation import Truth, Unit
from decam.files import json_digest
from decam.images.framing import CROP, Framing, checked
from decam.methods import ClassMethod, described
from decam.metrics import get as get_metric
from decam.metrics.base import Requirement
from decam.settings import Settings

USUAL_METRICS = ("deletion", "insertion")


def fingerprint(pixels: Pixels | Truth) -> str:
    """The SHA-256 of the bytes of a view (H×W×3) or of a mask (H×W), rows first, in hexadecimal."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def label_at(labels: Sequence[str], index: int) -> str:
    """A class by its label, or by its number where that is not known."""
    return labels[index] if index < len(labels) else f"class {index}"


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
    openvino: str = ""

    @classmethod
    @cache
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
            openvino=ENGINES["openvino"].version(),
        )


@dataclass(frozen=True)
class PictureChoice:
    """A picture by name, with its view's fingerprint once that is known.

    `truth` is the fingerprint of the mask that says where the class is, empty where there is none. `framing` says how
    the view was made from the whole picture, as `decam.images.framing` does.
    """

    name: str
    sha256: str = ""
    truth: str = ""
    framing: Framing = CROP

    def __post_init__(self) -> None:
        checked(self.framing)


@dataclass(frozen=True)
class MethodChoice:
    """A method by name with its settings; raises MethodError or SettingError where the two do not fit."""

    name: str
    settings: Settings

    def __post_init__(self) -> None:
        _check_settings(self.name, self.settings, described(self.name).settings)

    @classmethod
    def default(cls, name: str, **settings: int | float | str | bool) -> MethodChoice:
        """The method with the settings it comes with, but for those given; raises MethodError and SettingError."""
        return cls(name, described(name).settings.from_mapping(settings))


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
        return f"{self.name}-{json_digest(self.settings.to_mapping())[:8]}"


def usual_metrics(
    fills: Sequence[tuple[str, str]] = (("mean", "blur"), ("blur", "mean")), steps: int = 50
) -> tuple[MetricChoice, ...]:
    """Deletion and insertion with each pair of fills (one for deletion, one for insertion), each choice once."""
    choices = [
        MetricChoice.default(name, steps=steps, fill=fill)
        for pair in fills
        for name, fill in zip(USUAL_METRICS, pair, strict=True)
    ]
    return tuple(dict.fromkeys(choices))


def paired_metrics(choices: Sequence[MetricChoice]) -> list[tuple[MetricChoice, MetricChoice]]:
    """Each choice whose metric is read together with another one (`Metric.difference`), and that other choice.

    The first of the one goes with the first of the other, the second with the second; what is left over has no pair.
    """
    pairs = []
    for name in dict.fromkeys(choice.name for choice in choices):
        if (difference := get_metric(name).difference) is not None:
            own, other = ([one for one in choices if one.name == each] for each in (name, difference.less))
            pairs += list(zip(own, other, strict=False))
    return pairs


@dataclass(frozen=True)
class Plan:
    """All that a run is made from: questions, asked of methods, whose maps metrics measure.

    `kind` names a row of `decam.experiments.kinds`. Questions refer to `pictures` by index. `execution` is how the
    model is asked: None until a run has begun, which writes down what it used. Raises SettingError or ModelError where
    a part is missing or out of bounds.
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
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise SettingError(f"There is no device {self.device!r}; choose 'cpu', 'cuda' or 'mps'.") from error
        if not self.questions or not self.methods:
            raise SettingError("A plan needs at least one image or class, and one method.")
        self._check_subjects()
        for place, question in enumerate(self.questions):
            if question.picture is not None and not 0 <= question.picture < len(self.pictures):
                raise SettingError(f"Question {place} is about image {question.picture}, which is not there.")
            if question.reference is not None and not 0 <= question.reference < place:
                raise SettingError(f"Question {place} refers to {question.reference}, which does not come before it.")
        if len(set(self.metrics)) != len(self.metrics):
            raise SettingError("A metric appears twice with the same settings; name it once, or change a setting.")
        if self.execution is not None and self.execution.batch_size < 1:
            raise SettingError(f"batch_size is {self.execution.batch_size}, but must be at least 1.")
        if self.execution is not None and self.execution.parallel_batches < 1:
            raise SettingError(f"parallel_batches is {self.execution.parallel_batches}, but must be at least 1.")

    def _check_subjects(self) -> None:
        """Raise SettingError where questions about pictures and classes are mixed, or methods do not answer them."""
        if len({question.about_class for question in self.questions}) > 1:
            raise SettingError("A plan asks about images or about classes, not both; make two plans of it.")
        for choice in self.methods:
            answers = isinstance(described(choice.name), ClassMethod)
            if answers and not self.about_classes:
                raise SettingError(f"{choice.name} explains classes, not images; ask it with 'class-map'.")
            if not answers and self.about_classes:
                raise SettingError(f"{choice.name} explains images, not classes; ask it about an image.")

    @property
    def about_classes(self) -> bool:
        """True if the questions are about classes themselves, with no picture."""
        return self.questions[0].about_class

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
        """The picture that a question asks about; raises SettingError for a question about a class."""
        return self.pictures[self.place_of(question)]

    def place_of(self, question: int) -> int:
        """The index of the picture that a question asks about; raises SettingError for a question about a class."""
        place = self.questions[question].picture
        if place is None:
            raise SettingError(f"Question {question} is about a class and has no image.")
        return place

    def against_of(self, question: int) -> int | None:
        """The class that a question tells its target from: its own, or its reference's; None where there is none."""
        spec = self.questions[question]
        if spec.against is None and spec.target is None and spec.reference is not None:
            return self.against_of(spec.reference)
        return spec.against

    def subject_of(self, question: int, labels: Sequence[str] = ()) -> str:
        """What a question is about, by name: its picture, its unit, or its class by the label where that is known."""
        spec = self.questions[question]
        if not spec.about_class:
            return self.picture_of(question).name
        about = spec.about
        return str(about) if isinstance(about, Unit) else " + ".join(label_at(labels, index) for index in about)

    def metrics_for(self, question: int) -> tuple[MetricChoice, ...]:
        """The metrics that measure the maps of a question.

        One that compares with a reference leaves out questions without one; one that compares with controls, which
        says what a comparison is worth, leaves out those that have one. A map that belongs to no picture is measured by
        none: its explanation says what it is worth.
        """
        if self.questions[question].about_class:
            return ()
        lacking = "reference" if self.questions[question].reference is None else "controls"
        return tuple(choice for choice in self.metrics if lacking not in get_metric(choice.name).needs)

    def metric_keys(self, question: int) -> tuple[str, ...]:
        """The keys of `metrics_for`."""
        return _metric_keys(self, question)

    def metrics_that_need(self, requirement: Requirement) -> tuple[MetricChoice, ...]:
        """The metrics that need this, such as the ground truth."""
        return tuple(choice for choice in self.metrics if requirement in get_metric(choice.name).needs)

    def titles(self) -> tuple[str, ...]:
        """The methods' titles, no two the same.

        A method listed twice gets the settings that differ appended; identical ones are numbered.
        """
        return method_titles(self.methods)

    def metric_titles(self) -> Mapping[str, str]:
        """The metrics' titles by the metrics' keys, made as `titles` makes them."""
        titles = _titles([(get_metric(choice.name).title, choice) for choice in self.metrics])
        return {choice.key: title for choice, title in zip(self.metrics, titles, strict=True)}


@lru_cache(maxsize=1024)
def _metric_keys(plan: Plan, question: int) -> tuple[str, ...]:
    return tuple(choice.key for choice in plan.metrics_for(question))


def method_titles(choices: Sequence[MethodChoice]) -> tuple[str, ...]:
    """The titles of any choices of methods, no two the same, as `Plan.titles` says."""
    return _titles([(described(choice.name).title, choice) for choice in choices])


def _titles(choices: Sequence[tuple[str, MethodChoice | MetricChoice]]) -> tuple[str, ...]:
    titles: list[str] = []
    for title, choice in choices:
        values = choice.settings.to_mapping()
        same = [other.settings.to_mapping() for _, other in choices if other.name == choice.name]
        differing = [name for name in values if any(other[name] != values[name] for other in same)]
        parameters = [one for one in choice.settings.parameters() if one.name in differing]
        whole = " · ".join([title, *(one.in_words(values[one.name]) for one in parameters)])
        before = sum(other.split(" #")[0] == whole for other in titles)
        titles.append(f"{whole} #{before + 1}" if before else whole)
    return tuple(titles)


def _check_settings(name: str, settings: Settings, wanted: type[Settings]) -> None:
    if not isinstance(settings, wanted):
        raise SettingError(
            f"{name} takes {wanted.__name__}, not {type(settings).__name__}; make them with its own settings class."
        )
