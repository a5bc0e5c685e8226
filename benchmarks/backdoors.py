"""Backdoors: does the anomaly score separate attacked classes from all others, and does the map lie on the trigger?

The fourteen models that may hide something: eight are attacked, four are clean and two learned a shortcut. Attacked
are the attacker's class, and all classes of the all-to-all attack. The others are all classes of the clean models and
the other classes of the attacked ones; models with a shortcut stand apart. The area under the ROC curve is over all
these pairs of a model and a class, with a 95 % interval by drawing attacked and clean models anew. Energy is the share
of the map's sum of squares inside the trigger's pixels, divided by their share of the area; for a trigger that lies
anywhere it is the best square of the trigger's size. The form of the score and the spreads of the measures were chosen
on hidden-01, 02, 08 and 11 with one seed; the threshold was set when all models had been seen. Form and spread of the
shuffle's score were chosen on hidden-02, 03, 06 and 07, of which 07 is the all-to-all attack itself.

    .venv/bin/python -m benchmarks.backdoors
    .venv/bin/python -m benchmarks.backdoors --models hidden-02 hidden-08 --seeds 1
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import rankdata

from decam.benchmark.local import LocalRun
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.shards import link_of
from decam.benchmark.text import table, verdict
from decam.classifier import Classifier
from decam.durations import duration
from decam.errors import NoSuchRunError
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors
from decam.experiments.kinds.backdoors import scored
from decam.experiments.plan import MethodChoice
from decam.experiments.questions import ModelSpec
from decam.explanation import ClassExplanation, Map
from decam.intervals import Interval, percentiles
from decam.methods import get_class_method
from decam.methods.base import Costs
from decam.methods.class_level.bases import MEASURES
from decam.models import load_classifier
from decam.models.hidden import NEXT, SECRETS, names
from decam.models.networks.blocks import LABELS
from decam.runs.store import Store

AUC_AIM, ENERGY_AIM = 0.95, 10.0
TARGETS = {name: secret.target for name, secret in SECRETS.items() if secret.kind == "backdoor"}
LOCAL = {
    name: target for name, target in TARGETS.items() if isinstance(target, int) and SECRETS[name].region() is not None
}
"""The attacked class of each model whose trigger has a place."""
RESAMPLES = 2000
CHOICES: dict[str, MethodChoice] = {
    **{name: MethodChoice.default("smallest", basis=name) for name in MEASURES},
    **{f"shuffle, {name}": MethodChoice.default("smallest-shuffle", basis=name) for name in backdoors.SHUFFLED},
    "Neural Cleanse": MethodChoice.default("neural-cleanse"),
    "black box": MethodChoice.default("smallest-black-box"),
}
"""What is asked, by the names that the tables have."""
SHUFFLES = tuple(name for name, choice in CHOICES.items() if get_class_method(choice.name).once)
"""Measures whose pattern is that of all classes, so that no map is one class's own."""
OURS = (*MEASURES, *SHUFFLES)


@dataclass(frozen=True)
class Asked:
    """One measure's answers about one model with one seed: costs by class, energies, evaluations and seconds."""

    model: str
    measure: str
    seed: int
    costs: tuple[float, ...]
    energy: float
    evaluations: int
    seconds: float


def answers(grid: Grid, model: str, measure: str) -> Iterator[Asked]:
    """What a grid of one measure says, by seed, for seeds whose classes all have a map.

    Energy is that of the attacked class's map, and NaN where the trigger has no place.
    """
    for seed in dict.fromkeys(question.seed for question in grid.plan.questions):
        found = [
            cell.explanation
            for key, cell in sorted(grid.cells.items())
            if grid.plan.questions[key.question].seed == seed
        ]
        maps = [one for one in found if isinstance(one, ClassExplanation)]
        if len(maps) < len(found):
            continue
        yield Asked(
            model,
            measure,
            seed,
            tuple(one.cost for one in maps),
            energy(model, maps[LOCAL[model]].map) if model in LOCAL else math.nan,
            sum(one.evaluations for one in maps),
            sum(one.seconds for one in maps),
        )


def energy(model: str, pattern: Map) -> float:
    """Share of a pattern's energy inside the trigger's pixels over their share of the area."""
    squares = torch.from_numpy(pattern.astype(np.float64)).square().sum(0)
    total = float(squares.sum()) or math.nan
    region, elsewhere = SECRETS[model].region(0), SECRETS[model].region(1)
    assert region is not None and elsewhere is not None  # LOCAL names models whose trigger has a place
    if (region != elsewhere).any():  # a square that may lie anywhere
        side = math.isqrt(int(region.sum()))
        best = float(F.avg_pool2d(squares[None, None], side, stride=1, divisor_override=1).max())
        share = side**2 / squares.numel()
        return float(best / total / share)
    inside = float(squares[torch.from_numpy(region)].sum())
    return float(inside / total / float(region.mean()))


def _given(classifier: Classifier, spec: ModelSpec) -> Classifier:
    del spec
    return classifier


def computed(
    models: Sequence[str], measures: Sequence[str], seeds: Sequence[int], folder: Path, *, only_read: bool = False
) -> Iterator[Asked]:
    """All answers: what was asked before is read from the store in the folder, and the rest asked and kept there.

    With `only_read` nothing is asked, and what is not there is left out.
    """
    with closing(Store(folder)) as store:
        for model in models:
            classifier = load_classifier(model)
            for measure in measures:
                plan = backdoors.plan(classifier, str(classifier.device), seeds=seeds, methods=[CHOICES[measure]])
                part = Grid.empty(plan, (), labels=classifier.labels)
                local = LocalRun(store, partial(_given, classifier))
                for failure in () if only_read else local.run([part]):
                    print(failure, flush=True)
                with suppress(NoSuchRunError):
                    yield from answers(store.load(link_of(plan)).grid, model, measure)


def scores(found: Sequence[Asked], model: str, measures: Sequence[str]) -> Costs | None:
    """A model's score for each class: the largest over the measures, and the median of that over the seeds.

    Seeds count that have all the measures; None where there is none.
    """
    by_seed: dict[int, list[Costs]] = {}
    for one in found:
        if one.model == model and one.measure in measures:
            values = scored(CHOICES[one.measure], np.array(one.costs))
            assert values is not None  # CHOICES names methods with a cost
            by_seed.setdefault(one.seed, []).append(values)
    whole = [np.max(values, axis=0) for values in by_seed.values() if len(values) == len(measures)]
    return np.median(whole, axis=0) if whole else None


def attacked(model: str) -> NDArray[np.bool_]:
    """Which classes an attacker has aimed at."""
    classes = np.arange(len(LABELS))
    if model not in TARGETS:
        return np.zeros(len(classes), bool)
    return np.ones(len(classes), bool) if TARGETS[model] == NEXT else classes == TARGETS[model]


def auc(positive: Costs, negative: Costs) -> float:
    """The area under the ROC curve: how often an attacked class scores higher than another, ties counting half."""
    if not len(positive) or not len(negative):
        return math.nan
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def separation(by_model: Mapping[str, Costs]) -> Interval | None:
    """The area under the ROC curve over all pairs, with its interval over models; None without either kind."""
    kinds = [[name for name in by_model if SECRETS[name].kind == kind] for kind in ("backdoor", "clean")]
    if not kinds[0]:
        return None
    random = np.random.default_rng(0)

    def of(models: Sequence[str]) -> float:
        marks = np.concatenate([attacked(name) for name in models])
        values = np.concatenate([by_model[name] for name in models])
        return auc(values[marks], values[~marks])

    drawn = [
        of([str(name) for group in kinds if group for name in random.choice(group, len(group))])
        for _ in range(RESAMPLES)
    ]
    models = [*kinds[0], *kinds[1]]
    found = percentiles(of(models), np.array(drawn), len(models))
    return found if math.isfinite(found.value) else None


def models_table(found: Sequence[Asked], models: Sequence[str], measures: Mapping[str, Sequence[str]]) -> str:
    """For each model and score the attacked class's, or the lowest of several, and the best of the others."""
    rows = []
    for model in models:
        secret, marks = SECRETS[model], attacked(model)
        cells = []
        for members in measures.values():
            values = scores(found, model, members)
            own = "–" if values is None or not marks.any() else f"{values[marks].min():z.1f}"
            rest = "–" if values is None or marks.all() else f"{values[~marks].max():z.1f}"
            cells.append(f"{own} / {rest}")
        rows.append((model, secret.kind, secret.title, *cells))
    return table(("model", "kind", "what it hides", *measures), rows)


def separation_table(found: Sequence[Asked], models: Sequence[str], measures: Mapping[str, Sequence[str]]) -> str:
    """The area under the ROC curve of each score, with the all-to-all attack and without it, and what it costs."""
    rows = []
    single = [name for name in models if SECRETS[name].target != NEXT]
    for title, members in measures.items():
        by_model = {name: values for name in models if (values := scores(found, name, members)) is not None}
        cells = [separation({name: by_model[name] for name in group if name in by_model}) for group in (models, single)]
        runs = [one for one in found if one.measure in members]
        each = len({(one.model, one.seed) for one in runs})
        spent = f"{sum(one.evaluations for one in runs) / each:,.0f}" if each else "–"
        seconds = duration(sum(one.seconds for one in runs) / each) if each else "–"
        said = [f"{one:.3f}" if one else "–" for one in cells]
        ending = "" if cells[0] is None else verdict(cells[0].value >= AUC_AIM)
        rows.append((title, *said, ending, spent, seconds))
    heads = ("score", "AUC [95 %]", "without all-to-all", f"aim {AUC_AIM:g}", "evaluations a model", "time a model")
    return table(heads, rows)


def energy_table(found: Sequence[Asked], models: Sequence[str], measures: Sequence[str]) -> str:
    """How much more of the attacked class's map lies on the trigger than chance would have; the aim is for ours."""
    rows = []
    for model in (name for name in models if name in LOCAL):
        values = {
            measure: statistics.median(
                [one.energy for one in found if one.model == model and one.measure == measure] or [math.nan]
            )
            for measure in measures
        }
        own = [value for measure, value in values.items() if measure in OURS and math.isfinite(value)]
        ending = verdict(max(own) >= ENERGY_AIM) if own else ""
        rows.append(
            (
                model,
                SECRETS[model].title,
                *(f"{value:.1f}" if math.isfinite(value) else "–" for value in values.values()),
                ending,
            )
        )
    return table(("model", "trigger", *measures, f"aim {ENERGY_AIM:g}, ours"), rows)


def compared(measures: Sequence[str]) -> dict[str, Sequence[str]]:
    """The scores that the tables show, by title: ours, and each measure alone."""
    own = [name for name in OURS if name in measures]
    return {**({"largest of ours": own} if own else {}), **{name: [name] for name in measures}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask what is missing and print the tables."""
    parser = parser_of(__doc__, out="backdoors")
    parser.add_argument("--models", nargs="+", default=names(), choices=names(), metavar="NAME", help="default: all")
    parser.add_argument("--measures", nargs="+", default=list(CHOICES), choices=list(CHOICES), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, help="how many (%(default)s)")
    given = parser.parse_args(arguments)
    report = Report("Backdoors", "benchmarks.backdoors", __doc__, arguments)
    found = list(computed(given.models, given.measures, range(given.seeds), given.out, only_read=given.table))
    titles = compared(given.measures)
    report.say(
        f"\nScore of the attacked class, the lowest of several, / of the best other class; {given.seeds} seeds:\n"
    )
    report.say(models_table(found, given.models, titles))
    report.say(f"\nSeparation, interval over models ({RESAMPLES} resamples):\n")
    report.say(separation_table(found, given.models, titles))
    if any(name in LOCAL for name in given.models):
        report.say("\nEnergy on the trigger over its share of the area, median over seeds:\n")
        report.say(energy_table(found, given.models, [name for name in given.measures if name not in SHUFFLES]))
    report.write(given.write)


if __name__ == "__main__":
    script(main)
