"""The mean of maps of single pictures of a class: what a reader might do without a method of its own for classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from decam.errors import SettingError
from decam.explanation import ClassQuestion
from decam.images.scenes.scene import CLASSES
from decam.methods.base import ClassMethod
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, OneClass, one_by_one, single_class
from decam.methods.class_level.competitors import ONE, CompetitorSettings, Work
from decam.methods.class_level.samples import scenes
from decam.settings import parameter


@dataclass(frozen=True)
class MeanOfMapsSettings(CompetitorSettings):
    """Each iteration is one picture of the class."""

    noise: float = parameter(
        0.0, "Standard deviation of noise added to each image, as SmoothGrad has it.", low=0.0, high=1.0, step=0.05
    )


def mean_of_maps(question: ClassQuestion, settings: MeanOfMapsSettings) -> OneClass:
    """The mean of the logit's gradients (Simonyan et al. 2013) at pictures of the class.

    The pictures are the question's own, in turn, or else generated scenes of the class, for models that know those.
    Raises SettingError where there are neither, or the target is not one class.
    """
    label = single_class(question, "The mean of maps is over images of")
    if question.pictures is None and tuple(question.classifier.labels) != CLASSES:
        raise SettingError(
            f"There are no images of {question.classifier.labels[label]!r}: give some, for generated scenes show "
            "other classes."
        )
    work = Work(question, settings)
    total = torch.zeros(3, *work.size)
    for number in range(settings.iterations):
        if question.pictures is None:
            picture = scenes(1, work.size, work.generator, (label,))
        else:
            picture = question.pictures[number % len(question.pictures)][None].cpu().float()
        noise = settings.noise * torch.randn(picture.shape, generator=work.generator)
        slope, value = work.road.slopes(picture + noise, ONE)
        total += slope[0]
        yield work.progress(total / (number + 1), float(value.mean()))
    return work.finished(total)


MEAN_OF_MAPS = ClassMethod(
    name="mean-of-maps",
    title="Mean of maps",
    family=FAMILY,
    summary="The mean gradient over images of the class.",
    reference="Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks (2013)",
    url="https://arxiv.org/abs/1312.6034",
    formula=r"\frac{1}{N} \sum_{x \in c} \nabla_x S_c(x)",
    strengths="What you might do if you have images of the class.",
    misleads="Objects at different positions blur into almost nothing.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=MeanOfMapsSettings,
    cost=lambda settings, _: settings.iterations + 3 * settings.fresh,
    series=SERIES,
    run=one_by_one(mean_of_maps),
    instead=BLACK_BOX,
)
