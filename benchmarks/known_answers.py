"""Known answers: does a map find what a function of the image answers by, where that is known?

The functions are the rows of `decam.benchmark.known_answers.kinds`: the visible share of a rectangle, of a thin line,
of scattered spots; two parts together, either of two, three of five; a part against; a texture, a colour, a background
cue; two classes' objects; sums over cells, and sums over pairs of cells. Shares are read from the image shown,
whatever replaces what is hidden. Each function is asked on noise, on smooth colours and on photos, with edges that
are those of its parts and with edges that are elsewhere. Every seed draws other parts and another image, and is where
the methods' random numbers begin.

Every method that needs answers alone spends up to each budget, at its usual settings. *Hit* says whether the brightest
pixel lies on a part that speaks for the class. *IoU* is taken between these parts and as many of the highest pixels.
*AUC* is that of telling their pixels from the others. *Rank* is Spearman's correlation of the map's means over the
cells of a grid with the exact Shapley values. *Sign* is the share of the parts that speak clearly, for or against, on
whose side the map's mean over them lies of its mean over what says nothing. Intervals are 95 % bootstrap intervals over
cases.

A whole run takes hours on few cores. Every result is in the directory --out the moment it is there, the same call goes
on where it was stopped, and --table prints what is there already. Several processes may share a directory. Results are
known by the settings of a method: after a change of its code name another directory.

    .venv/bin/python -m benchmarks.known_answers --out known
    .venv/bin/python -m benchmarks.known_answers --out known --table --write docs/benchmarks/known_answers.md
    .venv/bin/python -m benchmarks.known_answers --kinds rectangle both --methods de-cam rise --budgets 1000 --seeds 2
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from decam.benchmark.candidates import Candidate, fitting, within_budget
from decam.benchmark.datasets import Subject
from decam.benchmark.known_answers.case import CLEAR, Case
from decam.benchmark.known_answers.grounds import EDGES, GROUNDS
from decam.benchmark.known_answers.kinds import KINDS
from decam.benchmark.local import LocalRun
from decam.benchmark.outcomes import Outcome, Outcomes
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.shards import Asked, grid_of
from decam.benchmark.statistics import bootstrap, paired
from decam.benchmark.tables import origin
from decam.benchmark.text import table, verdict
from decam.classifier import Classifier
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.experiments.questions import ModelSpec
from decam.explanation import Map
from decam.methods import METHODS
from decam.methods.base import Value
from decam.ranks import spearman
from decam.runs.store import Store

OURS = "de-cam"
BUDGETS = (250, 500, 1000, 2000)
NEAR = 0.02  # of the best mean on a kind: as near is as good
HIT, SHARE, AUC = (MetricChoice.default(name) for name in ("pointing-game", "relevance-rank", "localisation-auc"))
CONTROLS: dict[str, tuple[str, Mapping[str, Value]]] = {"random-search": (OURS, {"variant": "random search"})}
"""Settings of a method that are compared beside its usual ones, by their label."""


@dataclass(frozen=True)
class Score:
    """What a map is worth on one case; NaN where a measure says nothing about that case."""

    hit: float
    iou: float
    auc: float
    rank: float
    sign: float


MEASURES: dict[str, Callable[[Score], float]] = {
    "hit": lambda score: score.hit,
    "IoU": lambda score: score.iou,
    "AUC": lambda score: score.auc,
    "rank": lambda score: score.rank,
    "sign": lambda score: score.sign,
}


@dataclass(frozen=True)
class Line:
    """A method that spends one budget on every case, with what it scored there, by the cases' names."""

    label: str
    budget: int
    evaluations: float
    scores: Mapping[str, Score]

    def values(self, measure: str, kind: str = "") -> dict[str, float]:
        """The values of a measure that are there, by case; of one kind, where that is named."""
        found = {
            name: MEASURES[measure](score)
            for name, score in self.scores.items()
            if not kind or Case.named(name).kind == kind
        }
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def mean(self, measure: str, kind: str = "") -> float:
        """The mean over cases; NaN for none."""
        values = list(self.values(measure, kind).values())
        return float(np.mean(values)) if values else math.nan


def labels() -> tuple[str, ...]:
    """All methods that need answers alone, and the controls."""
    return (*(method.name for method in METHODS.values() if method.needs == {"output"}), *CONTROLS)


def candidates(classifier: Classifier, chosen: Sequence[str], budget: int) -> list[Candidate]:
    """The methods of these labels, at the settings that spend a budget; those that cannot are left out."""
    found = []
    for label in chosen:
        name, given = CONTROLS.get(label, (label, {}))
        settings = within_budget(METHODS[name], budget, classifier, given)
        if settings is not None:
            found.append(Candidate.of(label, name, settings, classifier.name))
    return found


def cases(kinds: Sequence[str], seeds: int) -> list[Case]:
    """Every kind on every ground with both sorts of edges, seed after seed."""
    return [
        Case(kind, ground, edges, seed)
        for seed, kind, ground, edges in itertools.product(range(seeds), kinds, GROUNDS, EDGES)
    ]


def part(case: Case, chosen: Sequence[str], budgets: Sequence[int]) -> Grid:
    """All that is asked about one case."""
    classifier = case.classifier()
    wanted = [one.choice for budget in budgets for one in candidates(classifier, chosen, budget)]
    subject = Subject.of(classifier, case.source)
    return grid_of(classifier, [subject], list(dict.fromkeys(wanted)), [HIT, SHARE, AUC])


def model(spec: ModelSpec) -> Classifier:
    """The classifier of a case, by its name."""
    return Case.named(spec.name).classifier()


def rank_of(case: Case, saliency: Map) -> float:
    """Spearman's correlation of the map's means over parts with their exact values; NaN where few values differ."""
    if not case.ranked:
        return math.nan
    return float(spearman(case.means(saliency)[None], case.values[None])[0])


def sign_of(case: Case, saliency: Map) -> float:
    """The share of signed parts whose mean lies on their side of what says nothing; NaN where none speaks against."""
    if not case.against.any():
        return math.nan
    level = float(saliency[case.neutral].mean(dtype=np.float64))
    clear = np.abs(case.values) >= CLEAR * np.abs(case.values).max()
    sides = np.sign(case.means(saliency) - level) == np.sign(case.values)
    return float(sides[clear].mean())


def score_of(case: Case, outcome: Outcome, saliency: Map) -> Score:
    """What one map is worth."""
    share = outcome.values[SHARE.key]
    return Score(
        hit=outcome.values[HIT.key],
        iou=share / (2 - share),  # of two regions of the same size, which share so much of it
        auc=outcome.values[AUC.key],
        rank=rank_of(case, saliency),
        sign=sign_of(case, saliency),
    )


def lines(outcomes: Outcomes, asked: Sequence[Case], chosen: Sequence[str], budgets: Sequence[int]) -> list[Line]:
    """What the store holds of this, a line a method and budget, in the order of the labels."""
    scores: dict[tuple[str, int], dict[str, Score]] = {(name, budget): {} for name in chosen for budget in budgets}
    spent: dict[tuple[str, int], list[int]] = {key: [] for key in scores}
    for case in asked:
        classifier = case.classifier()
        subject = Subject.of(classifier, case.source)
        for budget in budgets:
            for one in candidates(classifier, chosen, budget):
                question = Asked.by(grid_of(classifier, [subject], [one.choice], []).plan, 0)
                outcome = outcomes.get(question, one.choice)
                if outcome is None or any(metric.key not in outcome.values for metric in (HIT, SHARE, AUC)):
                    continue
                scores[one.label, budget][case.name] = score_of(case, outcome, outcomes.saliency(outcome))
                spent[one.label, budget].append(outcome.evaluations)
    return [
        Line(label, budget, float(np.mean(spent[label, budget])), found)
        for (label, budget), found in scores.items()
        if found
    ]


def means_table(found: Sequence[Line], kind: str = "") -> str:
    """Means over cases of each measure, a line a method and budget, of one kind where that is named."""
    shown = [measure for measure in MEASURES if any(line.values(measure, kind) for line in found)]
    rows = [
        (
            line.label,
            line.budget,
            f"{line.evaluations:.0f}",
            len(line.values("hit", kind)),
            *(_number(line.mean(measure, kind)) for measure in shown),
        )
        for line in found
    ]
    return table(("method", "budget", "evaluations", "cases", *shown), rows)


def kinds_table(found: Sequence[Line], kinds: Sequence[str], measure: str) -> str:
    """One measure's mean on each kind, a line a method of one budget; the best is bold."""
    rows = []
    best = {kind: max((line.mean(measure, kind) for line in found), default=math.nan) for kind in kinds}
    for line in found:
        means = {kind: line.mean(measure, kind) for kind in kinds}
        rows.append((line.label, *(_number(means[kind], bold=means[kind] == best[kind]) for kind in kinds)))
    return table((measure, *kinds), rows)


def _number(value: float, *, bold: bool = False) -> str:
    if math.isnan(value):
        return "–"
    return f"**{value:.3f}**" if bold else f"{value:.3f}"


def aims_table(found: Sequence[Line], kinds: Iterable[str]) -> str:
    """Our method against the best other one on each kind, paired by case, and whether it is as good or nearly."""
    own = next((line for line in found if line.label == OURS), None)
    others = [line for line in found if line.label != OURS and line.label not in CONTROLS]
    if own is None or not others:
        return "There is nothing to compare yet."
    rows = []
    for kind in kinds:
        own_hits = own.mean("hit", kind)
        for measure in ("IoU", "AUC", "rank", "sign"):
            there = [line for line in others if not math.isnan(line.mean(measure, kind))]
            if not there or not own.values(measure, kind):
                continue
            best = max(there, key=lambda line: line.mean(measure, kind))
            interval = bootstrap(paired(own.values(measure, kind), best.values(measure, kind)))
            hits = (f"{own_hits:.0%}", verdict(own_hits == 1)) if measure == "IoU" else ("", "")
            shown = (f"{own.mean(measure, kind):.3f}", f"{best.label} {best.mean(measure, kind):.3f}")
            rows.append((kind, measure, *shown, f"{interval:+z.3f}", verdict(interval.value >= -NEAR), *hits))
    heads = ("kind", "measure", OURS, "best other", "difference [95 %]", f"aim ≥ −{NEAR}", "hits", "aim 100 %")
    return table(heads, rows)


def edges_table(found: Sequence[Line]) -> str:
    """Hits and IoU by ground and by edges, a line a method of one budget."""
    places = list(itertools.product(GROUNDS, EDGES))
    rows = []
    for line in found:
        cells = []
        for ground, edges in places:
            there = [
                score
                for name, score in line.scores.items()
                if (Case.named(name).ground, Case.named(name).edges) == (ground, edges)
            ]
            hit, iou = (np.mean([MEASURES[one](score) for score in there]) for one in ("hit", "IoU"))
            cells.append(f"{hit:.2f} / {iou:.2f}" if there else "–")
        rows.append((line.label, *cells))
    return table(("hit / IoU", *(f"{ground}, edges {edges}" for ground, edges in places)), rows)


def tables(found: Sequence[Line], kinds: Sequence[str], budget: int) -> list[str]:
    """All tables as Markdown; those by kind at one budget."""
    at = [line for line in found if line.budget == budget]
    said = ["Means over all kinds:", means_table(found)]
    if not at:
        return said
    said += [f"By ground and edges, at {budget} evaluations:", edges_table(at)]
    for measure in MEASURES:
        having = [kind for kind in kinds if any(line.values(measure, kind) for line in at)]
        if having:
            said += [f"By kind, at {budget} evaluations:", kinds_table(at, having, measure)]
    return [*said, f"{OURS} against the best other method, at {budget} evaluations:", aims_table(at, kinds)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing and print the tables."""
    parser = parser_of(__doc__, out="known")
    parser.add_argument("--kinds", nargs="+", default=["*"], metavar="NAME", help="names or patterns: 'two*'")
    parser.add_argument("--methods", nargs="+", default=["*"], metavar="NAME", help="names or patterns: 'de-cam*'")
    parser.add_argument("--budgets", nargs="+", type=int, default=list(BUDGETS), metavar="N", help="%(default)s")
    parser.add_argument("--seeds", type=int, default=5, help="how many (%(default)s)")
    given = parser.parse_args(arguments)
    kinds = [kind for kind in KINDS if kind in fitting(list(KINDS), given.kinds, "kind")]
    chosen = [label for label in labels() if label in fitting(labels(), given.methods, "method")]
    report = Report("Known answers", "benchmarks.known_answers", __doc__, arguments)
    asked = cases(kinds, given.seeds)
    with closing(Store(given.out)) as store:
        if not given.table:
            for failure in LocalRun(store, model).run([part(case, chosen, given.budgets) for case in asked]):
                print(failure, flush=True)
        outcomes = Outcomes(store)
        found = lines(outcomes, asked, chosen, given.budgets)
        shown = 1000 if 1000 in given.budgets else max(given.budgets)
        for said in (*tables(found, kinds, shown), origin(outcomes)):
            report.say(f"\n{said}")
    report.write(given.write)


if __name__ == "__main__":
    script(main)
