"""The power of a study that is planned, as findings: its sentence, its curve, the numbers behind it."""

from __future__ import annotations

from decam.figures.studies import power_figure
from decam.studies.analysis.power import PowerCurve
from decam.studies.results.base import Figure, Findings, Table, bounds, chart, named


def power_findings(curve: PowerCurve, sentence: str) -> Findings:
    """Power by the number of people, with the sentence that says what follows from it."""
    sizes = [one.size for one in curve.sizes]
    fitted = [one.fitted for one in curve.sizes]
    powers = named([one.power for one in curve.sizes], [str(size) for size in sizes])
    drawn = chart(power_figure, sizes, powers, fitted, curve.goal, curve.least)
    rows = tuple((one.size, *bounds(one.power), round(one.fitted, 3), one.repetitions) for one in curve.sizes)
    head = ("people", "power", "from", "to", "monotone fit", "simulated studies")
    return Findings((sentence,), (Figure("power", "Power", drawn),), (Table("Power by number of people", head, rows),))
