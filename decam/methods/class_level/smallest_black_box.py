"""The cheapest pattern from answers alone: that of the black-box search, scaled to where it just has the goal.

The search (`decam.methods.class_level.evolved`) finds low waves of lightness and colour at one norm. Its pattern is
then scaled, and costs are L2 norms of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from decam.explanation import ClassQuestion
from decam.methods.base import ClassMethod
from decam.methods.class_level import samples
from decam.methods.class_level.base import BLACK_BOX_SMALLEST, FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.bases import MEASURES
from decam.methods.class_level.common import FreshSamples, radius_of, stage_seed
from decam.methods.class_level.evolved import EvolvedSettings, fittest
from decam.methods.class_level.scoring import leads
from decam.methods.class_level.smallest import LARGEST, SCALES, scaled
from decam.settings import Settings, parameter

SPREAD = 0.2
"""As `Measure.spread`, of the patterns that this search finds."""
AT_LEAST = 0.95  # of a pattern that is searched, so that there is something to scale down
ADVICE = "give more budget or a larger norm"
_SCALING = 100  # a stage that the search does not have


@dataclass(frozen=True)
class SmallestBlackBoxSettings(Settings):
    """What the search may cost, and the goal to which its pattern is scaled."""

    budget: int = parameter(1200, "Images asked while searching.", low=100, high=1_000_000)
    batch: int = parameter(6, "Samples on which each pattern is judged.", low=1, high=256)
    waves: int = parameter(6, "Cosine waves along each side, the constant one included.", low=2, high=32)
    samples: str = parameter("mixed", "The images to which the pattern is added.", choices=samples.CHOICES)
    norm: float = parameter(
        0.25,
        "L2 norm of the patterns searched, divided by the root of the number of their values.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    goal: float = parameter(0.8, "The mean probability that the pattern must just reach.", low=0.0, high=1.0, step=0.05)
    fresh: int = parameter(24, "Samples on which the pattern is scaled and measured.", low=1, high=10_000)


def smallest_black_box(question: ClassQuestion, settings: SmallestBlackBoxSettings) -> OneClass:
    """The pattern that the search finds, at the smallest scale that has the goal, and its cost."""
    search = EvolvedSettings(
        budget=settings.budget,
        batch=settings.batch,
        waves=settings.waves,
        colour=1.0,
        samples=settings.samples,
        norm=settings.norm,
        window=0.0,
        goal=max(settings.goal, AT_LEAST),
        refinements=0,
        fresh=settings.fresh,
    )
    found = yield from fittest(question, search)
    size, draw = question.classifier.input_size, samples.sampler(settings.samples, question.pictures)
    most = LARGEST * radius_of(settings.norm, size)
    fresh = FreshSamples.drawn(draw, size, stage_seed(question.seed, _SCALING), settings.fresh)
    return scaled(found.road, 0, found.pattern, MEASURES["pixels"], most, settings.goal, fresh, ADVICE)


SMALLEST_BLACK_BOX = ClassMethod(
    name=BLACK_BOX_SMALLEST,
    title="Black-box cheapest pattern",
    family=FAMILY,
    summary="The smallest change made of a few low waves that makes the class win. Needs only the model's answers.",
    reference="Wang et al., Neural Cleanse: Identifying and Mitigating Backdoor Attacks in Neural Networks (2019), for "
    "the aim",
    url="https://doi.org/10.1109/SP.2019.00031",
    formula=r"\min_w \; \lVert B w \rVert_2 \;\text{ where }\; \mathbb{E}_x\, p_c(x + B w) \ge g",
    strengths="Asks for answers only, so any model that can be asked can be searched.",
    misleads="It sees low waves alone: the trigger that is a small patch or a fine wave is out of its reach.",
    needs=frozenset({"output"}),
    signed=True,
    settings=SmallestBlackBoxSettings,
    cost=lambda settings, _: settings.budget + (len(SCALES) + 3) * settings.fresh,
    series=SERIES,
    run=one_by_one(smallest_black_box),
    scores=lambda _, costs: leads(costs, SPREAD),
)
