"""The families that methods are told apart by: what each kind of method asks of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from decam.methods.base import AnyMethod

Row = TypeVar("Row", bound=AnyMethod)


@dataclass(frozen=True)
class Family:
    """A kind of method; `summary` is one sentence on how it comes to its maps."""

    name: str
    title: str
    summary: str


_ALL = (
    Family(
        "perturbation",
        "Perturbation",
        "Changes the image and watches the answer; the model stays a black box.",
    ),
    Family(
        "surrogate",
        "Surrogate",
        "Fits a simple model to many answers of the real one and explains the simple one.",
    ),
    Family(
        "activation",
        "Class activation",
        "Weights the activation maps of a convolutional layer: coarse maps, mostly cheap.",
    ),
    Family(
        "gradient",
        "Gradient",
        "Follows the score back to every pixel: fine maps, often signed.",
    ),
    Family(
        "attention",
        "Attention models",
        "Reads the map that the model itself makes on its way to the answer, with weights of its own (parametric) or "
        "without.",
    ),
    Family(
        "class",
        "Class level",
        "Asks what a class looks like to the model. No image is given, and the map belongs to none.",
    ),
    Family(
        "control",
        "Controls",
        "Maps that know nothing about the image, or nothing about the model. The others must beat them.",
    ),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}


@dataclass(frozen=True)
class Branch:
    """A part of the field: `parts` are smaller branches, or the names of families."""

    title: str
    summary: str
    parts: tuple[Branch | str, ...]


TREE: tuple[Branch | str, ...] = (
    Branch(
        "Post-hoc",
        "Explain a model that was not built to be explained.",
        (
            Branch("Black box", "Use only the model's answers.", ("perturbation", "surrogate")),
            Branch("White box", "Use what happens inside the model.", ("activation", "gradient")),
        ),
    ),
    "attention",
    "class",
    "control",
)
"""The field as Gomez & Mouchère (2023) sort it, class maps and controls beside it; every family stands in it once."""


def grouped(methods: Iterable[Row]) -> tuple[tuple[Family, tuple[Row, ...]], ...]:
    """The methods by family, both in the order of their tables; a family without any of them is left out.

    Raises KeyError for a method whose family is not in the table.
    """
    members: dict[str, list[Row]] = {name: [] for name in FAMILIES}
    for method in methods:
        members[method.family].append(method)
    return tuple((FAMILIES[name], tuple(rows)) for name, rows in members.items() if rows)
