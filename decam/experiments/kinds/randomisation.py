"""The randomisation check: does a map change when the model forgets what it learned? (Adebayo et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

from decam.classifier import Classifier
from decam.experiments.kinds.base import Kind
from decam.experiments.kinds.randomisation_reading import reading
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import Mode, ModelSpec, QuestionSpec, Variant
from decam.experiments.variants import mode_of, variants
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE

RANDOMISATION = "randomisation"


def similarities() -> tuple[MetricChoice, ...]:
    """Every similarity to the original map and to controls' maps, of the maps as they are and of absolute values."""
    rows = (*TO_REFERENCE.values(), *TO_CONTROLS.values())
    return tuple(MetricChoice.default(row.name, absolute=absolute) for row in rows for absolute in (False, True))


def plan(
    classifier: Classifier,
    picture: PictureChoice,
    methods: Sequence[MethodChoice],
    *,
    target: int | None = None,
    against: int | None = None,
    mode: Mode = "cascading",
    seed: int = 0,
    metrics: Sequence[MetricChoice] = (),
    drawn: Sequence[Variant] = (),
) -> Plan:
    """The plan that asks a model, then each of its variants, about one picture and the same class.

    `target` is a class index or None for the class that the original predicts; `against` is the class that
    it is told from. `seed` is for the methods and for the
    weights. `drawn` are the variants where they are known, as `variants` gives them. Raises what `variants` and Plan
    raise.
    """
    specs = [ModelSpec.of(classifier.name, variant) for variant in drawn or variants(classifier, mode, seed)]
    original = QuestionSpec(ModelSpec.of(classifier.name), 0, target, seed, against=against)
    return Plan(
        kind=RANDOMISATION,
        device=str(classifier.device),
        pictures=(picture,),
        questions=(original, *(QuestionSpec(spec, 0, target, seed, reference=0, against=against) for spec in specs)),
        methods=tuple(methods),
        metrics=(*similarities(), *metrics),
    )


TITLES: dict[Mode, str] = {
    "cascading": "Stage after stage",
    "independent": "One stage alone",
    "labels": "Random labels",
}

KIND = Kind(
    name=RANDOMISATION,
    title="Earlier checks",
    noun="check",
    facts=lambda plan: (TITLES[mode_of(plan)].lower(),),
    reading=reading,
)
