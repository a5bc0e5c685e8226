"""Feature visualisation by phases alone, after Fel et al. (2023), "MaCo".

The amplitude of each frequency is fixed and only phases are optimised, over random crops with noise. There the
amplitudes are the mean of a data set's; here they are 1/f, which photographs have, so that no data set is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.explanation import ClassQuestion
from decam.methods.base import ClassMethod
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.common import MEASURED, Moments, moved
from decam.methods.class_level.competitors import CompetitorSettings, Work, grey
from decam.methods.class_level.samples import DEVIATION, Size, radial_frequency
from decam.settings import parameter


@dataclass(frozen=True)
class PhaseSettings(CompetitorSettings):
    """The optimisation of the phases and the crops."""

    step: float = parameter(0.3, "Length of a step of a phase, in radians.", low=0.001, high=3.0, step=0.1)
    crops: int = parameter(8, "Crops a step, one evaluation each.", low=1, high=256)
    smallest: float = parameter(
        0.5, "Side of the smallest crop, as a share of the image's side.", low=0.1, high=1.0, step=0.1
    )
    noise: float = parameter(0.05, "Standard deviation of the noise on the crops.", low=0.0, high=1.0, step=0.05)


def picture_of(phases: Tensor, size: Size) -> Tensor:
    """3×H×W around 0 with a deviation of `DEVIATION`: amplitudes of 1/f with these phases (3×H×(W//2+1))."""
    amplitude = 1 / radial_frequency(size).clamp_min(1 / max(size))
    amplitude = amplitude * (radial_frequency(size) > 0)
    drawn = torch.fft.irfft2(torch.polar(amplitude.expand_as(phases), phases), s=size)
    picture: Tensor = drawn / drawn.std() * DEVIATION
    return picture


def phase(question: ClassQuestion, settings: PhaseSettings) -> OneClass:
    """Ascent on the logit of random crops of a picture whose phases alone are free; the map is the picture − grey."""
    work = Work(question, settings)
    size = work.size
    phases = torch.rand(3, size[0], size[1] // 2 + 1, generator=work.generator) * 2 * torch.pi
    moments = Moments(each=True)
    rows = torch.zeros(settings.crops, dtype=torch.long)
    for _ in range(settings.iterations):
        leaf = phases.clone().requires_grad_()
        with torch.enable_grad():
            whole = picture_of(leaf, size) + grey(question)
            crops = _crops(whole, settings, work.generator)
        noise = settings.noise * torch.randn(crops.shape, generator=work.generator)
        slopes, values = work.road.slopes(crops.detach() + noise, rows)
        (slope,) = torch.autograd.grad(crops, leaf, slopes / settings.crops)
        phases = phases + settings.step * moments.step(slope[None])[0]
        yield work.progress((whole - grey(question)).detach(), float(values.mean()))
    return work.finished(picture_of(phases, size))


def _crops(whole: Tensor, settings: PhaseSettings, generator: torch.Generator) -> Tensor:
    """Square crops (N×3×H×W) inside the picture, scaled to its size."""
    chances = torch.rand(settings.crops, 3, generator=generator)
    side = settings.smallest + (1 - settings.smallest) * chances[:, 0]
    place = (chances[:, 1:] * 2 - 1) * (1 - side[:, None])
    affine = torch.zeros(settings.crops, 2, 3)
    affine[:, 0, 0] = affine[:, 1, 1] = side
    affine[:, :, 2] = place
    return moved(whole.expand(settings.crops, -1, -1, -1), affine)


PHASE = ClassMethod(
    name="phase",
    title="Phase optimisation",
    family=FAMILY,
    summary="An image with the spectrum of photos whose phases alone are free, made to raise the class.",
    reference="Fel et al., Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained "
    "Optimization (2023)",
    url="https://arxiv.org/abs/2306.06805",
    formula=r"\arg\max_\varphi \; S_c\bigl(\mathcal{F}^{-1}(r\,e^{i\varphi})\bigr)",
    strengths="Its spectrum is that of photos, so it looks natural.",
    misleads="Its amplitudes are fixed, so it fills the whole image.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=PhaseSettings,
    cost=lambda settings, _: settings.iterations * settings.crops + MEASURED * settings.fresh,
    series=SERIES,
    run=one_by_one(phase),
    instead=BLACK_BOX,
)
