"""Activation maximisation: the picture that has the highest score, Simonyan, Vedaldi and Zisserman (2013), eq. 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from decam.explanation import ClassQuestion
from decam.methods.base import ClassMethod
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.common import MEASURED, unit_length
from decam.methods.class_level.competitors import ONE, CompetitorSettings, Work, grey
from decam.settings import parameter


@dataclass(frozen=True)
class ActivationMaximisationSettings(CompetitorSettings):
    """The ascent and its penalty."""

    step: float = parameter(0.02, "Root mean square of a step's values.", low=0.0001, high=1.0, step=0.01)
    decay: float = parameter(
        0.01, "Share of the image's distance from grey taken away a step: the L2 penalty.", low=0.0, high=0.5
    )


def activation_maximisation(question: ClassQuestion, settings: ActivationMaximisationSettings) -> OneClass:
    """Ascent on the logit from grey: x ← x + η ∇S_c(x)/‖∇S_c(x)‖ − λ (x − grey); the map is x − grey.

    The picture is clipped to [0, 1] after each step. The normalised step is this project's own.
    """
    work = Work(question, settings)
    base = grey(question).expand(3, *work.size)
    picture = base.clone()
    length = settings.step * picture.numel() ** 0.5
    for _ in range(settings.iterations):
        slope, value = work.road.slopes(picture[None], ONE)
        penalty = settings.decay * (picture - base)
        picture = (picture + length * unit_length(slope)[0] - penalty).clamp(0, 1)
        yield work.progress(picture - base, float(value.mean()))
    return work.finished(torch.sub(picture, base))


ACTIVATION_MAXIMISATION = ClassMethod(
    name="activation-maximisation",
    title="Activation maximisation",
    family=FAMILY,
    summary="The image that raises the class's score most, from grey.",
    reference="Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks (2013)",
    url="https://arxiv.org/abs/1312.6034",
    formula=r"\arg\max_x \; S_c(x) - \lambda \lVert x - \mu \rVert_2^2",
    strengths="The oldest image of a class, and the simplest.",
    misleads="What it finds need not hold on any other image.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=ActivationMaximisationSettings,
    cost=lambda settings, _: settings.iterations + MEASURED * settings.fresh,
    series=SERIES,
    run=one_by_one(activation_maximisation),
    instead=BLACK_BOX,
)
