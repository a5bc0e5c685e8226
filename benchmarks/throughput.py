"""Evaluations a second of whole methods beside the bare forward pass and Captum's perturbation methods.

The bare pass calls the module on one batch again and again, in the precision, layout, batch size and number of batches
side by side that are fastest for it here. DE-CAM and RISE are asked as a user's model is, in the setting that the short
trial finds. Captum's FeatureAblation and KernelShap work on the same image and DE-CAM's grid with the same budget, in
the precision, layout and perturbations_per_eval at which each is fastest, and, where that is not float32, in float32
too: Captum itself knows no other, one has to wrap the model. FeatureAblation, whose cost is fixed at 101, is repeated
until the budget is spent. Curves are deletion and insertion in 100 steps of six maps (fewer where the model is slow).
All take turns in one process, so that what else the machine does hits all; ratios are of the same turn. The ImageNet
models have random weights, which take as long as trained ones.

Memory is the peak above the loaded model, each run in a process of its own: the resident set, or on a GPU what is
allocated on it.

    .venv/bin/python -m benchmarks.throughput
    .venv/bin/python -m benchmarks.throughput --models squeezenet1_0 --rounds 5 --seconds 200
    .venv/bin/python -m benchmarks.throughput --engines eager openvino
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from benchmarks import memory
from benchmarks.captums import feature_ablation, kernel_shap
from benchmarks.forwards import answered, bare, build, fastest, picture, sizes, through, worthwhile
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import execution, head, row, spread, verdict
from decam.classifier import ENGINES, Execution, Pixels, TorchClassifier, to_tensor
from decam.experiments.evaluate import curves_view
from decam.explanation import last
from decam.masking import fill
from decam.methods.de_cam.settings import DeCamSettings
from decam.methods.perturbation.occlusion_and_rise import RiseSettings
from decam.metrics import FaithfulnessSettings
from decam.models.tuning import find

MODELS = ("embedded", "squeezenet1_0", "mobilenet_v3_large", "resnet50", "vit_b_16")
CELLS = DeCamSettings().cells
LEAST, MOST = 500, 2000  # evaluations of a run; with few, DE-CAM hardly evolves
STEPS = 100
MAPS = 6
SHARE = 0.97  # of the bare pass, for DE-CAM
FACTOR = 2.5  # times Captum's faster method
SURPLUS = 0.05  # of their forwards' time, for curves
FACTOR_OF_BUDGETS = 4  # between the two runs whose memory is compared
LARGE = 2000  # evaluations that a GPU is to do on resnet50 within a second

Work = Callable[[TorchClassifier, Pixels, Execution, int], tuple[int, float]]  # to evaluations and their seconds


def de_cam(classifier: TorchClassifier, view: Pixels, execution: Execution, budget: int) -> tuple[int, float]:
    """One whole run."""
    return through(classifier, view, execution, "de-cam", DeCamSettings(budget=budget))


def rise(classifier: TorchClassifier, view: Pixels, execution: Execution, budget: int) -> tuple[int, float]:
    """One whole run."""
    return through(classifier, view, execution, "rise", RiseSettings(budget=budget))


@dataclass
class Captum:
    """A picture as Captum's methods get it, normalised; counts what they ask."""

    classifier: TorchClassifier
    image: Tensor
    baseline: Tensor
    evaluations: int = 0

    @classmethod
    def of(cls, classifier: TorchClassifier, view: Pixels) -> Captum:
        """The picture of a view, and the mean as its baseline."""
        image = to_tensor(classifier, view)
        both = classifier.normalise(torch.stack([image, fill("mean", image, classifier.mean)]))
        return cls(classifier, both[0], both[1])

    def ask(self, images: Tensor) -> Tensor:
        """The first class's probabilities."""
        self.evaluations += len(images)
        return self.classifier.answer(images)[:, 0]


def ablation(classifier: TorchClassifier, view: Pixels, execution: Execution, budget: int) -> tuple[int, float]:
    """Captum's FeatureAblation, again and again until the budget is spent."""
    classifier.configure(execution)
    began = time.perf_counter()
    captum = Captum.of(classifier, view)
    while captum.evaluations < budget:
        feature_ablation(captum.ask, captum.image, captum.baseline, execution.batch_size, CELLS)
    return captum.evaluations, time.perf_counter() - began


def shap(classifier: TorchClassifier, view: Pixels, execution: Execution, budget: int) -> tuple[int, float]:
    """Captum's KernelShap with so many samples."""
    classifier.configure(execution)
    began = time.perf_counter()
    captum = Captum.of(classifier, view)
    kernel_shap(captum.ask, captum.image, captum.baseline, budget, execution.batch_size, seed=0, cells=CELLS)
    return captum.evaluations, time.perf_counter() - began


def curves(classifier: TorchClassifier, view: Pixels, execution: Execution, budget: int) -> tuple[int, float]:
    """Deletion and insertion of as many maps as the budget pays, six at most."""
    classifier.configure(execution)
    each = 2 * (STEPS + 1)
    drawn = np.random.default_rng(0)
    size = classifier.input_size
    maps = [drawn.random(size, dtype=np.float32) for _ in range(max(1, min(MAPS, budget // each)))]
    began = time.perf_counter()
    for metric, filling in (("deletion", "mean"), ("insertion", "blur")):
        last(curves_view(classifier, view, maps, 0, metric, FaithfulnessSettings(steps=STEPS, fill=filling)))
    return each * len(maps), time.perf_counter() - began


WORKS: dict[str, Work] = {
    "DE-CAM": de_cam,
    "RISE": rise,
    "Captum FeatureAblation": ablation,
    "Captum KernelShap": shap,
    "curves": curves,
    "Captum FeatureAblation in float32": ablation,
    "Captum KernelShap in float32": shap,
}
CAPTUMS = ("Captum FeatureAblation", "Captum KernelShap")
IN_FLOAT32 = {name: f"{name} in float32" for name in CAPTUMS}


def settings_of(
    classifier: TorchClassifier, view: Pixels, chosen: Execution, with_captum: bool
) -> dict[str, Execution]:
    """How each work is asked: Captum's as is fastest for each, twice where that is not in float32, ours as `chosen`."""
    if not with_captum:
        return {name: chosen for name in WORKS if name not in CAPTUMS and name not in IN_FLOAT32.values()}
    worth = worthwhile(classifier)
    plain = {Execution(channels_last=layout): min(worth.values()) for layout in (False, True)}
    speeds = dict.fromkeys(WORKS, chosen)
    for name, in_float32 in IN_FLOAT32.items():
        speeds[name] = best_for(WORKS[name], classifier, view, worth)
        if speeds[name].precision == "float32":
            del speeds[in_float32]
        else:
            speeds[in_float32] = best_for(WORKS[name], classifier, view, plain)
    return speeds


def best_for(work: Work, classifier: TorchClassifier, view: Pixels, worth: dict[Execution, float]) -> Execution:
    """The precision, layout and batch size at which one of Captum's methods is fastest, of the modes `worth` a try."""
    best = max(worth.values())
    most = CELLS**2 if work is ablation else MOST
    tried: dict[Execution, float] = {}
    for mode in worth:
        for size in sizes(classifier, best):
            if size <= 2 * most:
                execution = replace(mode, batch_size=size)
                evaluations, seconds = work(classifier, view, execution, max(CELLS**2 // 2, min(size, most)))
                tried[execution] = evaluations / seconds
    leaders = sorted(tried, key=tried.__getitem__, reverse=True)[:3]
    again = {execution: max(tried[execution], _rate(work(classifier, view, execution, 100))) for execution in leaders}
    return max(again, key=again.__getitem__)


def _rate(done: tuple[int, float]) -> float:
    evaluations, seconds = done
    return evaluations / seconds


@dataclass(frozen=True)
class Turn:
    """Evaluations a second of the bare pass and of each work, timed one after the other."""

    bare: float
    rates: dict[str, float]

    @property
    def with_captum(self) -> bool:
        """True if Captum's methods took part."""
        return set(CAPTUMS) <= set(self.rates)

    @property
    def captum(self) -> float:
        """The faster of Captum's methods."""
        return max(self.rates[name] for name in CAPTUMS)

    @property
    def captum_in_float32(self) -> float:
        """The faster of Captum's methods in float32."""
        return max(self.rates.get(in_float32, self.rates[name]) for name, in_float32 in IN_FLOAT32.items())


def take_turns(
    classifier: TorchClassifier, view: Pixels, best: Execution, speeds: dict[str, Execution], budget: int, rounds: int
) -> list[Turn]:
    """Time everything in turns."""
    turns = []
    for _ in range(rounds):
        rate = bare(classifier, best, max(1, round(budget / best.batch_size)))
        turns.append(
            Turn(
                rate,
                {name: _rate(WORKS[name](classifier, view, execution, budget)) for name, execution in speeds.items()},
            )
        )
    return turns


def rows(name: str, turns: Sequence[Turn], speeds: dict[str, str], bytes_used: dict[str, tuple[str, str]]) -> list[str]:
    """The table's lines for a model."""
    rate = spread([turn.bare for turn in turns], ".1f")
    lines = [f"| {name} | bare forward pass | {speeds['bare']} | {rate} | | | | |"]
    for work in turns[0].rates:
        share = spread([turn.rates[work] / turn.bare for turn in turns], ".1%")
        factor = spread([turn.rates[work] / turn.captum for turn in turns], ".2f") if turns[0].with_captum else "–"
        small, large = bytes_used.get(work, ("–", "–"))
        rate = spread([turn.rates[work] for turn in turns], ".1f")
        lines.append(row((name, work, speeds[work], rate, share, factor, small, large)))
    return lines


def verdicts(turns: Sequence[Turn]) -> str:
    """The aims for a model, each met or missed by the median."""
    share = statistics.median(turn.rates["DE-CAM"] / turn.bare for turn in turns)
    surplus = statistics.median(turn.bare / turn.rates["curves"] for turn in turns) - 1
    said = [f"DE-CAM at {share:.1%} of the bare pass (aim {SHARE:.0%}): {verdict(share >= SHARE)}"]
    if turns[0].with_captum:
        factor = statistics.median(turn.rates["DE-CAM"] / turn.captum for turn in turns)
        plain = statistics.median(turn.rates["DE-CAM"] / turn.captum_in_float32 for turn in turns)
        said.append(
            f"{factor:.2f} times Captum's faster method (aim {FACTOR}): {verdict(factor >= FACTOR)}, "
            f"{plain:.2f} times as it is in float32"
        )
    said.append(f"curves cost {surplus:+.1%} beside their forwards (aim {SURPLUS:+.0%}): {verdict(surplus <= SURPLUS)}")
    return "; ".join(said)


def used(name: str, work: str, execution: Execution, budget: int) -> str:
    """Peak memory of one run in a process of its own, in words."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        peak = process.submit(_used, name, work, execution, budget).result()
    return "–" if peak is None else f"{peak / 2**20:.0f} MiB"


def _used(name: str, work: str, execution: Execution, budget: int) -> int | None:
    classifier = build(name)
    view = picture(classifier)
    classifier.configure(execution)  # its weights are laid out anew before memory is looked at
    return memory.above(lambda: WORKS[work](classifier, view, execution, budget), classifier.device)


OWN = ("DE-CAM", "RISE", "curves")


def engines(report: Report, name: str, wanted: Sequence[str], rounds: int, seconds: float, least: int) -> None:
    """Time whole runs by each of some engines in turns, each in the setting that the trial finds for it alone.

    An engine's own rate is that of answers to one ready batch, again and again. Ratios are to the first engine.
    """
    classifier = build(name)
    view = picture(classifier)
    chosen: dict[str, Execution] = {}
    for engine in wanted:
        tell(f"{name}: the trial by {engine}")
        found = find(classifier, (engine,))
        if found.engine == engine:
            chosen[engine] = found
        else:
            report.say(f"{name} is not asked by {engine}: {found.note}\n")
    first = {
        engine: answered(classifier, one, max(2, round(least / 4 / one.batch_size))) for engine, one in chosen.items()
    }
    each = sum(1 / rate for rate in first.values()) * (1 + len(OWN))
    budget = int(min(MOST, max(least, seconds / rounds / each)))
    tell(f"{name}: {rounds} rounds at budget {budget}, about {rounds * budget * each:.0f} s")
    turns: list[dict[tuple[str, str], float]] = []
    for _ in range(rounds):
        turn: dict[tuple[str, str], float] = {}
        for work in ("own rate", *OWN):
            for engine, one in chosen.items():
                if work in WORKS:
                    turn[work, engine] = _rate(WORKS[work](classifier, view, one, budget))
                else:
                    turn[work, engine] = answered(classifier, one, max(2, round(budget / one.batch_size)))
        turns.append(turn)
    for work, engine in turns[0]:
        rate = spread([turn[work, engine] for turn in turns], ".1f")
        share = spread([turn[work, engine] / turn["own rate", engine] for turn in turns], ".1%")
        factor = spread([turn[work, engine] / turn[work, next(iter(chosen))] for turn in turns], ".2f")
        report.say(row((name, work, execution(chosen[engine]), rate, share, factor)))
    report.say()


def tell(what: str) -> None:
    """Say on stderr what comes next."""
    print(what, file=sys.stderr, flush=True)


def model(
    report: Report, name: str, rounds: int, seconds: float, least: int, with_memory: bool, with_captum: bool
) -> None:
    """Time one model and say what came out."""
    classifier = build(name)
    view = picture(classifier)
    tell(f"{name}: which settings are fastest")
    chosen = find(classifier)
    best = fastest(classifier, chosen)
    speeds = settings_of(classifier, view, chosen, with_captum)
    first = [_rate(WORKS[work](classifier, view, speeds[work], 50)) for work in CAPTUMS if work in speeds]
    first.append(bare(classifier, best, max(2, round(least / best.batch_size))))
    each = statistics.mean(1 / rate for rate in first)
    affordable = seconds / (each * (1 + len(speeds)))  # evaluations of each work in all rounds
    budget = int(min(MOST, max(least, affordable / rounds)))
    count = max(1, min(rounds, round(affordable / budget)))
    tell(f"{name}: {count} in turns at budget {budget}, about {count * budget * each * (1 + len(speeds)):.0f} s")
    turns = take_turns(classifier, view, best, speeds, budget, count)
    bytes_used = {}
    if with_memory:
        tell(f"{name}: memory")
        budgets = (least, FACTOR_OF_BUDGETS * least)
        measured = [work for work in speeds if work != "curves" and work not in IN_FLOAT32.values()]
        # A slow model shows it for DE-CAM alone, or memory would take longer than everything else.
        affordable_for_all = sum(budgets) * each * (1 + len(measured)) < 2 * seconds
        for work in measured:
            if work == "DE-CAM" or affordable_for_all:
                small, large = (used(name, work, speeds[work], spent) for spent in budgets)
                bytes_used[work] = small, large
    described = {"bare": execution(best), **{work: execution(speed) for work, speed in speeds.items()}}
    report.say("\n".join(rows(name, turns, described, bytes_used)))
    report.say(f"\n{name}, budget {budget}, {len(turns)} round{'s'[: len(turns) > 1]}: {verdicts(turns)}")
    if classifier.device.type != "cpu" and name == "resnet50":
        runs = [de_cam(classifier, view, chosen, LARGE)[1] for _ in range(rounds)]
        met = verdict(statistics.median(runs) < 1)
        report.say(f"{name}, DE-CAM with {LARGE} evaluations: {spread(runs)} s (aim under 1): {met}")
    report.say()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table a model."""
    parser = parser_of(__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME", help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=5, help="at most (%(default)s)")
    parser.add_argument("--seconds", type=float, default=90, help="for a model's timed rounds, about (%(default)s)")
    parser.add_argument("--least", type=int, default=LEAST, help="evaluations of a run, at least (%(default)s)")
    parser.add_argument("--no-memory", action="store_true", help="leave out the runs that look at memory")
    parser.add_argument("--no-captum", action="store_true", help="leave out Captum's methods")
    parser.add_argument(
        "--engines", nargs="+", choices=tuple(ENGINES), metavar="NAME", help=f"compare these alone: {' '.join(ENGINES)}"
    )
    asked = parser.parse_args(arguments)
    report = Report("Throughput", "benchmarks.throughput", __doc__, arguments)
    if asked.engines:
        report.say(f"medians of {asked.rounds} rounds in turns, lowest and highest in brackets\n")
        titles = ("model", "", "at", "evaluations/s", "of the engine's own rate", f"times {asked.engines[0]}")
        report.say(head(titles))
        for name in asked.models:
            engines(report, name, asked.engines, asked.rounds, asked.seconds, asked.least)
        report.write(asked.write)
        return
    report.say(f"medians of at most {asked.rounds} rounds in turns, lowest and highest in brackets\n")
    heads = ("model", "", "at", "evaluations/s", "of the bare pass", "times Captum's faster")
    memories = (f"peak memory at {asked.least}", f"at {FACTOR_OF_BUDGETS * asked.least}")
    for name in asked.models:
        report.say(head((*heads, *memories)))
        model(report, name, asked.rounds, asked.seconds, asked.least, not asked.no_memory, not asked.no_captum)
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
