"""Metrics that look once: the picture masked by the whole map, weighted by its values."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.explanation import Progress
from decam.masking import FILLS, MaskedQueries
from decam.metrics.base import Case, Measuring, Metric
from decam.metrics.curves import counted
from decam.metrics.scales import CONSTANT, Values
from decam.settings import Settings, parameter

UNANSWERED = "The model gives the class no probability at all, so there is nothing to lose."


@dataclass(frozen=True)
class SingleStepSettings(Settings):
    """What the picture is blended with."""

    fill: str = parameter("black", "What shows through where the map is low.", choices=FILLS)


def own_score(case: Case) -> Generator[Progress, None, float]:
    """The target's probability on the picture as it is, asked once a case."""
    return float((yield from case.once("picture", lambda: _asked(case, np.ones((1, *case.maps[0].shape)), "black")))[0])


def shown_scores(case: Case, filling: str) -> Generator[Progress, None, Values]:
    """The target's probability (N) where each map shows the picture in proportion to its scaled value."""
    return (yield from case.once(("shown", filling), lambda: _asked(case, case.scaled, filling)))


def hidden_scores(case: Case, filling: str) -> Generator[Progress, None, Values]:
    """The target's probability (N) where each map hides the picture in proportion to its scaled value."""
    return (yield from case.once(("hidden", filling), lambda: _asked(case, 1 - case.scaled, filling)))


def shown(case: Case, place: int, filling: str, *, hidden: bool = False) -> Tensor:
    """The very picture (3×H×W in [0, 1]) in which map `place` shows, or hides, in proportion to its scaled value."""
    question = case.question
    share = 1 - case.scaled[place] if hidden else case.scaled[place]
    mask = torch.from_numpy(share.astype(np.float32)).to(question.image)
    return torch.lerp(case.filling(filling), question.image, mask)


def _asked(case: Case, masks: Values, filling: str) -> Generator[Progress, None, Values]:
    question = case.question
    queries = MaskedQueries(question, case.filling(filling))
    progress = counted(question, len(masks))
    answers = []
    for batch in queries.batches(torch.from_numpy(masks.astype(np.float32)).unsqueeze(1)):
        answers.append(batch[:, question.target].cpu().double())
        yield progress()
    return torch.cat(answers).numpy()


def lost(own: float, masked: Values) -> Values:
    """The share of the score that is gone, N in (−∞, 1]; NaN where there was none."""
    return (own - masked) / own if own > 0 else np.full(len(masked), np.nan)


def notes(case: Case, own: float = 1.0) -> list[str]:
    """What a reader must know about each map's value, where the score on the whole picture is `own`."""
    sentences = [UNANSWERED] if own <= 0 else []
    return [" ".join([*sentences, CONSTANT] if constant else sentences) for constant in case.constant]


def average_drop(case: Case, settings: SingleStepSettings) -> Measuring:
    """Share of the target's probability lost where only what is salient is shown; a gain counts as no loss (AD).

    Chattopadhyay et al. (2018), as Gomez and Mouchère (2023) compute it: the signed map is scaled from 0 to 1 and
    weights the picture against the fill. In [0, 1], lower is better; NaN where the probability is zero.
    """
    own = yield from own_score(case)
    masked = yield from shown_scores(case, settings.fill)
    return case.measured("average-drop", np.maximum(lost(own, masked), 0.0).tolist(), notes(case, own))


def increase_in_confidence(case: Case, settings: SingleStepSettings) -> Measuring:
    """Whether the target's probability is higher where only what is salient is shown: 1 or 0 (IIC).

    Chattopadhyay et al. (2018), as Gomez and Mouchère (2023) compute it, with the mask of `average_drop`; the mean over
    pictures is the share of them. Higher is better.
    """
    own = yield from own_score(case)
    masked = yield from shown_scores(case, settings.fill)
    return case.measured("increase-in-confidence", (masked > own).astype(float).tolist(), notes(case))


def average_drop_in_deletion(case: Case, settings: SingleStepSettings) -> Measuring:
    """Share of the target's probability lost where what is salient is hidden (ADD).

    Jung and Oh (2021), as Gomez and Mouchère (2023) compute it, with one minus the mask of `average_drop`. In (−∞, 1],
    higher is better; NaN where the probability is zero.
    """
    own = yield from own_score(case)
    masked = yield from hidden_scores(case, settings.fill)
    return case.measured("average-drop-in-deletion", lost(own, masked).tolist(), notes(case, own))


def single_cost(settings: Settings, maps: int) -> int:
    """One evaluation a map and one for the picture as it is."""
    del settings
    return maps + 1


_GRAD_CAM_PP = "Chattopadhay et al., Grad-CAM++: Generalized Gradient-based Visual Explanations (2018)"
_SCALED = "A map that is high everywhere hides nothing and wins; the scale of the map decides, not only its order."

AVERAGE_DROP = Metric(
    name="average-drop",
    title="Average drop",
    family="faithfulness",
    summary="How much of the probability is lost when only what is salient is shown; lower is better.",
    reference=_GRAD_CAM_PP,
    url="https://arxiv.org/abs/1710.11063",
    formula=r"\mathrm{AD} = \frac{\max(0,\ f_c(x) - f_c(x \odot \tilde S))}{f_c(x)}",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses=_SCALED,
    settings=SingleStepSettings,
    run=average_drop,
    evaluations=single_cost,
)

INCREASE_IN_CONFIDENCE = Metric(
    name="increase-in-confidence",
    title="Increase in confidence",
    family="faithfulness",
    summary="Whether the probability rises when only what is salient is shown: 1 or 0; higher is better.",
    reference=_GRAD_CAM_PP,
    url="https://arxiv.org/abs/1710.11063",
    formula=r"\mathrm{IIC} = \mathbb{1}\left[f_c(x \odot \tilde S) > f_c(x)\right]",
    direction=1,
    low=0.0,
    high=1.0,
    weaknesses="A yes or no: it takes many images to tell two methods apart, and where the model is sure already "
    "nothing can rise.",
    settings=SingleStepSettings,
    run=increase_in_confidence,
    evaluations=single_cost,
)

AVERAGE_DROP_IN_DELETION = Metric(
    name="average-drop-in-deletion",
    title="Average drop in deletion",
    family="faithfulness",
    summary="How much of the probability is lost when what is salient is hidden; higher is better.",
    reference="Jung & Oh, Towards Better Explanations of Class Activation Mapping (2021)",
    url="https://arxiv.org/abs/2102.05228",
    formula=r"\mathrm{ADD} = \frac{f_c(x) - f_c(x \odot (1 - \tilde S))}{f_c(x)}",
    direction=1,
    low=None,
    high=1.0,
    weaknesses="A map that is high everywhere hides all and wins, and darkened images are unlike any that the model "
    "was trained on.",
    settings=SingleStepSettings,
    run=average_drop_in_deletion,
    evaluations=single_cost,
)
