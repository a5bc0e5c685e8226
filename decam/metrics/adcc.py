"""ADCC: average drop, coherency and complexity joined in one number."""

from __future__ import annotations

from decam.metrics.base import Case, Measuring, Metric
from decam.metrics.reruns import Remaker
from decam.metrics.scales import pearson
from decam.metrics.single_step import SingleStepSettings, lost, notes, own_score, shown, shown_scores, single_cost
from decam.settings import Settings


def adcc(case: Case, settings: SingleStepSettings) -> Measuring:
    """Harmonic mean of coherency, 1 − complexity and 1 − average drop.

    Poppi et al. (2021). Coherency is (1 + ρ) / 2 of the map and the map of the picture that shows
    only what is salient; complexity the mean of the map scaled from 0 to 1 (signed maps too); average drop as in the
    metric of that name. In [0, 1], higher is better; zero as soon as one part is. NaN where a map is constant or the
    probability is zero. `parts` hold the three.
    """
    own = yield from own_score(case)
    masked = yield from shown_scores(case, settings.fill)
    drops = lost(own, masked).clip(min=0)
    remaker = Remaker(case, len(case.maps))
    values, sentences, parts = [], [], []
    for place, (drop, note) in enumerate(zip(drops, notes(case, own), strict=True)):
        again = yield from remaker.map(place, shown(case, place, settings.fill))
        coherency = (1 + pearson(case.values[place], again)) / 2
        complexity = float(case.scaled[place].mean())
        values.append(joined(coherency, 1 - complexity, 1 - float(drop)))
        vanished = coherency != coherency and not case.constant[place]
        sentences.append(f"{note} {_VANISHED}".strip() if vanished else note)
        parts.append((("coherency", coherency), ("complexity", complexity), ("average drop", float(drop))))
    return case.measured("adcc", values, sentences, parts=parts)


_VANISHED = "The map of what is salient alone is constant."


def joined(*parts: float) -> float:
    """The harmonic mean of numbers in [0, 1]: zero where one is zero, NaN where one is NaN."""
    if any(part != part for part in parts):
        return float("nan")
    if min(parts) <= 0:
        return 0.0
    return len(parts) / sum(1 / part for part in parts)


def _once(settings: Settings) -> int:
    del settings
    return 1


ADCC = Metric(
    name="adcc",
    title="ADCC",
    family="faithfulness",
    summary="Average drop, coherency with the map of what is shown, and complexity in one number; higher is better.",
    reference="Poppi et al., Revisiting the Evaluation of Class Activation Mapping for Explainability (2021)",
    url="https://arxiv.org/abs/2104.10252",
    formula=r"\mathrm{ADCC} = 3 \left(\frac{1}{\mathrm{Coh}} + \frac{1}{1 - \mathrm{Com}} + "
    r"\frac{1}{1 - \mathrm{AD}}\right)^{-1}",
    direction=1,
    low=0.0,
    high=1.0,
    weaknesses=(
        "Combines three criteria; only one, the average drop, is about the model. A method that gives the same map for "
        "every image is perfectly coherent."
    ),
    settings=SingleStepSettings,
    run=adcc,
    needs=frozenset({"explain"}),
    evaluations=single_cost,
    remakes=_once,
)
