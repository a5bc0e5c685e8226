"""What the optimiser finds and what it costs beside SciPy's, at equal evaluations and without a model.

Ours has one setting for every function, its default, which was chosen by trials on these same functions. SciPy's
`differential_evolution` is tried with 20 configurations per function: five strategies, two starts, and populations of
15·D (its default) and about 64. The best is reported. All configurations are screened on a few seeds, and the leading
ones run on all seeds. The winner is rerun with `updating="immediate"`, SciPy's default and its slowest way, if that
could change the verdict. SciPy may pass the budget with its last generation. What counts is the median distance of the
best value from the known minimum; two that are both below 1e-8 are equal.

    .venv/bin/python -m benchmarks.optimiser
    .venv/bin/python -m benchmarks.optimiser --dimensions 10 --functions sphere step --seeds 5
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import differential_evolution

from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import head, row
from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.evolution.problems import LANDSCAPES, Landscape
from decam.numerals import listed

NAMES = tuple(name for name, landscape in LANDSCAPES.items() if not landscape.dimensions)
BUDGETS = {10: 1000, 50: 500}
EQUAL = 1e-8
SCREENING_SEEDS = 3
LEADERS = 2
POPULATION = 64
GENERATIONS = 200


@dataclass(frozen=True)
class SciPySetting:
    """One way to call SciPy's optimiser; `updating` immediate calls the function vector by vector."""

    strategy: str
    init: str
    popsize: int
    updating: str = "deferred"

    def __str__(self) -> str:
        return f"{self.strategy}, {self.init}, popsize {self.popsize}, {self.updating}"


STRATEGIES = ("best1bin", "currenttobest1bin", "rand1bin", "rand1exp", "best1exp")
STARTS = ("latinhypercube", "sobol")


def scipy_settings(dimensions: int) -> list[SciPySetting]:
    """All that SciPy is given; popsize is a multiple of the dimensions."""
    sizes = (15, max(1, round(POPULATION / dimensions)))
    return [SciPySetting(*parts) for parts in itertools.product(STRATEGIES, STARTS, sizes)]


def ours(landscape: Landscape, dimensions: int, budget: int, seed: int) -> float:
    """How far above the minimum our default setting ends."""
    box = Box.of(landscape.low, landscape.high, dimensions)
    evolution = DifferentialEvolution(box, EvolutionSettings(budget=budget), seed=seed)
    while not evolution.stopped:
        evolution.tell(-landscape.function(evolution.ask()))
    return abs(-float(evolution.fitness.max()) - landscape.lowest)


def scipys(landscape: Landscape, dimensions: int, budget: int, seed: int, setting: SciPySetting) -> float:
    """How far above the minimum SciPy ends."""
    count = setting.popsize * dimensions
    if setting.init == "sobol":
        count = 2 ** math.ceil(math.log2(count))
    vectorized = setting.updating == "deferred"
    evaluations = 0

    def function(x: np.ndarray) -> np.ndarray | float:
        nonlocal evaluations
        evaluations += x.shape[1] if vectorized else 1
        if vectorized:
            return landscape.function(torch.from_numpy(np.ascontiguousarray(x.T))).numpy()
        return float(landscape.function(torch.from_numpy(x).unsqueeze(0)))

    found = differential_evolution(
        function,
        [(landscape.low, landscape.high)] * dimensions,
        strategy=setting.strategy,
        init=setting.init,
        popsize=setting.popsize,
        maxiter=max(1, math.ceil(budget / count) - 1),
        tol=0,
        atol=-1,  # never met: the budget alone ends the search
        polish=False,
        rng=seed,
        updating=setting.updating,
        vectorized=vectorized,
    )
    if evaluations < budget:
        raise RuntimeError(f"SciPy spent {evaluations} of {budget} evaluations.")
    return abs(float(found.fun) - landscape.lowest)


def best_of_scipy(
    landscape: Landscape, dimensions: int, budget: int, seeds: int, own: float
) -> tuple[float, SciPySetting]:
    """SciPy's lowest median over the seeds, and the setting that reached it; `own` is what it has to beat."""
    ends: dict[tuple[SciPySetting, int], float] = {}

    def median(setting: SciPySetting, count: int) -> float:
        for seed in range(count):
            if (setting, seed) not in ends:
                ends[setting, seed] = scipys(landscape, dimensions, budget, seed, setting)
        return statistics.median(ends[setting, seed] for seed in range(count))

    settings = sorted(scipy_settings(dimensions), key=lambda setting: median(setting, min(seeds, SCREENING_SEEDS)))
    medians = {setting: median(setting, seeds) for setting in settings[:LEADERS]}
    leader = min(medians, key=medians.__getitem__)
    if EQUAL <= own <= medians[leader]:
        slow = replace(leader, updating="immediate")
        medians[slow] = median(slow, seeds)
    best = min(medians, key=medians.__getitem__)
    return medians[best], best


def compare(report: Report, name: str, dimensions: int, budget: int, seeds: int) -> bool:
    """Say one row; True if ours is better or equal."""
    began = time.perf_counter()
    landscape = LANDSCAPES[name]
    own = statistics.median(ours(landscape, dimensions, budget, seed) for seed in range(seeds))
    other, setting = best_of_scipy(landscape, dimensions, budget, seeds, own)
    equal = max(own, other) < EQUAL
    verdict = "equal" if equal else "better" if own < other else "equal" if own == other else "worse"
    seconds = time.perf_counter() - began
    found = (f"{own:.1e}", f"{other:.1e}", verdict, setting, f"{seconds:.0f} s")
    report.say(row((landscape.title, dimensions, budget, *found)))
    return verdict != "worse"


def our_cost(dimensions: int, population: int) -> float:
    """Microseconds of our own for each evaluation, the function's taken out; the population is kept at its size."""
    settings = EvolutionSettings(population=population, smallest=population, budget=GENERATIONS * population)
    evolution, spent, began = DifferentialEvolution(Box.of(-5.0, 5.0, dimensions), settings), 0.0, time.perf_counter()
    while not evolution.stopped:
        asked = evolution.ask()
        before = time.perf_counter()
        fitness = -asked.square().sum(1)
        spent += time.perf_counter() - before
        evolution.tell(fitness)
    return 1e6 * (time.perf_counter() - began - spent) / evolution.evaluations


def scipy_cost(dimensions: int, population: int, updating: str, vectorized: bool) -> float:
    """Microseconds of SciPy's own for each evaluation, the function's taken out."""
    spent = 0.0

    def function(x: np.ndarray) -> np.ndarray | float:
        nonlocal spent
        before = time.perf_counter()
        value = (x * x).sum(0)
        spent += time.perf_counter() - before
        return value

    first = np.random.default_rng(0).uniform(-5, 5, (population, dimensions))
    began = time.perf_counter()
    differential_evolution(
        function,
        [(-5.0, 5.0)] * dimensions,
        init=first,
        maxiter=GENERATIONS - 1,
        tol=0,
        atol=-1,
        polish=False,
        rng=0,
        updating=updating,
        vectorized=vectorized,
    )
    return 1e6 * (time.perf_counter() - began - spent) / (GENERATIONS * population)


def costs(report: Report, dimensions: int, population: int, rounds: int) -> None:
    """Say what an evaluation costs beside the function: medians over rounds in turns."""
    turns: list[tuple[float, ...]] = [
        (
            our_cost(dimensions, population),
            scipy_cost(dimensions, population, "deferred", True),
            scipy_cost(dimensions, population, "deferred", False),
            scipy_cost(dimensions, population, "immediate", False),
        )
        for _ in range(rounds)
    ]
    own, vectorized, deferred, immediate = map(statistics.median, zip(*turns, strict=True))
    fastest, default = (statistics.median(turn[k] / turn[0] for turn in turns) for k in (1, 3))
    times = (f"{each:.2f}" for each in (own, vectorized, deferred, immediate))
    report.say(row((dimensions, population, *times, f"{fastest:.1f}", f"{default:.1f}")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables row by row, and how often ours is better or equal."""
    parser = parser_of(__doc__)
    parser.add_argument("--functions", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=" ".join(NAMES))
    parser.add_argument("--dimensions", nargs="+", type=int, default=list(BUDGETS))
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--evaluations", type=int, help="default: 1000·D in 10 dimensions, 500·D in 50")
    parser.add_argument("--rounds", type=int, default=7, help="turns in which time is taken; 0 takes none")
    asked = parser.parse_args(arguments)
    report = Report("The optimiser alone", "benchmarks.optimiser", __doc__, arguments)
    if asked.rounds:
        report.say(
            "\n## Time\n\nMicroseconds of the optimiser's own for one evaluation; medians of "
            f"{asked.rounds} rounds in turns.\n"
        )
        ways = ("ours", "SciPy vectorized", "deferred", "default", "vectorized / ours", "default / ours")
        report.say(head(("dimensions", "vectors", *ways)))
        for dimensions, population in itertools.product(asked.dimensions, (POPULATION, 8 * POPULATION)):
            costs(report, dimensions, population, asked.rounds)
    report.say(f"\n## Distance from the minimum\n\nMedians of {asked.seeds} seeds.\n")
    found = ("ours", "SciPy", "ours is", "SciPy's best setting", "took")
    report.say(head(("function", "dimensions", "evaluations", *found)))
    counts = []
    for dimensions in asked.dimensions:
        budget = asked.evaluations or BUDGETS.get(dimensions, 500) * dimensions
        kept = sum(compare(report, name, dimensions, budget, asked.seeds) for name in asked.functions)
        counts.append(f"{kept} of {len(asked.functions)} in {dimensions} dimensions")
    report.say(f"\nOurs is better or equal on {listed(counts)}.")
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
