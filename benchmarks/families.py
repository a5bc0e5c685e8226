"""How long a first look at the whole field takes, and whether a server's memory grows with the runs it has done.

Time: one method of each family with its usual settings, and the curves in both pairs of fills, as the Compare page asks
for them; a scene for the embedded model and a photograph for squeezenet1_0, whose weights must be here. Memory: the
resident set of this process while it does run after run, each of another scene, kept on disk and watched as a page
would; the first runs fill caches of a fixed size.

    .venv/bin/python -m benchmarks.families
    .venv/bin/python -m benchmarks.families --rounds 5 --runs 0
    .venv/bin/python -m benchmarks.families --rounds 0 --runs 50 --preset quick
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from skimage import data

from benchmarks.faithfulness import FIRST_SCENE
from benchmarks.forwards import words
from benchmarks.machine import machine
from benchmarks.memory import resident
from decam.classifier import Pixels, TorchClassifier
from decam.comparison import compare
from decam.errors import DecamError
from decam.events import Explained, Failed, Measured
from decam.images.scenes import scene
from decam.methods.presets import PRESETS
from decam.models import EMBEDDED, load_classifier
from decam.plan import MethodChoice, PictureChoice, Plan
from decam.runs import Runs
from decam.snapshots import ACTIVE
from decam.store import Store

AIMS = {EMBEDDED: 15.0, "squeezenet1_0": 60.0}  # seconds on two cores
EARLY = 5  # runs after which memory is looked at first
GROWTH = 0.05  # of what was in use then, that later looks may differ by
POLL = 0.05  # seconds
MIB = 2**20


@dataclass(frozen=True)
class Timing:
    """Seconds of one comparison: in all, for each method's map by name, and for the curves of all maps."""

    whole: float
    maps: tuple[tuple[str, float], ...]
    curves: float


def picture(model: str, number: int = FIRST_SCENE) -> Image.Image:
    """The scene of a seed for the embedded model, a photograph of a cat for any other."""
    return Image.fromarray(scene(number).image if model == EMBEDDED else data.chelsea())


def plan(classifier: TorchClassifier, preset: str) -> Plan:
    """What the Compare page asks for when this preset is chosen and nothing else."""
    methods = PRESETS[preset].members(classifier)
    return Plan(
        model=classifier.name,
        device=str(classifier.device),
        pictures=(PictureChoice("picture"),),
        methods=tuple(MethodChoice.default(name) for name in methods),
    )


def timed(classifier: TorchClassifier, view: Pixels, asked: Plan) -> Timing:
    """One comparison from its start to its end; raises DecamError where a method or its curves fail."""
    maps: list[tuple[str, float]] = []
    began = time.perf_counter()
    curves, last = 0.0, began
    for event in compare(classifier, [view], asked):
        match event:
            case Failed(cell=cell, sentence=sentence):
                raise DecamError(f"{asked.methods[cell.method].name}: {sentence}")
            case Explained(explanation=explanation):
                maps.append((explanation.method, explanation.seconds))
                last = time.perf_counter()
            case Measured():
                curves = time.perf_counter() - last
    return Timing(time.perf_counter() - began, tuple(maps), curves)


def time_table(preset: str, rounds: int) -> str:
    """Medians of several comparisons, after one that is not counted, beside what they are to stay under."""
    lines = [
        "| model | methods | seconds | maps, s | curves, s | aim | |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, aim in AIMS.items():
        classifier = load_classifier(model, download=False)
        asked, view = plan(classifier, preset), classifier.view(picture(model))
        first, *later = [timed(classifier, view, asked) for _ in range(rounds + 1)]
        lines.append(_line(f"{model}, {words(classifier.speed)}", later, aim))
        lines.append(f"| the first one | | {first.whole:.1f} | | {first.curves:.1f} | | |")
    return "\n".join(lines)


def _line(title: str, timings: Sequence[Timing], aim: float) -> str:
    names = [name for name, _ in timings[0].maps]
    maps = (f"{name} {statistics.median(dict(timing.maps)[name] for timing in timings):.2f}" for name in names)
    whole = [timing.whole for timing in timings]
    curves = statistics.median(timing.curves for timing in timings)
    said = f"{statistics.median(whole):.1f} ({min(whole):.1f} to {max(whole):.1f})"
    verdict = "met" if statistics.median(whole) < aim else "missed"
    return f"| {title} | {len(names)} | {said} | {', '.join(maps)} | {curves:.1f} | under {aim:.0f} | {verdict} |"


def looks(count: int) -> tuple[int, ...]:
    """After how many runs memory is looked at: 5, then every tenth, and at the end."""
    return tuple(sorted({min(EARLY, count), *range(10, count, 10), count}))


def remembered(preset: str, count: int) -> Iterator[tuple[int, int]]:
    """The resident set in bytes after so many runs of the embedded model, each kept in a store on disk.

    Raises DecamError for a run that does not end well.
    """
    classifier = load_classifier(EMBEDDED)
    asked = plan(classifier, preset)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Runs(Store(Path(folder)), lambda *_: classifier)) as runs,
    ):
        for number in range(1, count + 1):
            view = classifier.view(picture(EMBEDDED, FIRST_SCENE + number))
            link = runs.start(asked, [view])
            while runs.snapshot(link).status in ACTIVE:
                time.sleep(POLL)
            ended = runs.snapshot(link)
            if ended.status != "done" or any(cell.error for cell in ended.cells.values()):
                raise DecamError(f"Run {number} is {ended.status}: {ended.note or 'a method failed'}.")
            if number in looks(count):
                gc.collect()
                yield number, resident()


def memory_table(found: Sequence[tuple[int, int]]) -> str:
    """The resident set at each look, and whether the last is what the first was."""
    lines = ["| after runs | resident, MiB |", "|---|---|", *(f"| {runs} | {used / MIB:.1f} |" for runs, used in found)]
    (early, before), (late, after) = found[0], found[-1]
    change = (after - before) / before
    verdict = "met" if abs(change) <= GROWTH else "missed"
    lines += ["", f"{change:+.1%} from {early} to {late} runs (aim: within {GROWTH:.0%}): {verdict}"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what a look at each family takes, then memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=tuple(PRESETS), default="families", help="which methods (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed comparisons a model; 0 for none (%(default)s)")
    parser.add_argument("--runs", type=int, default=50, help="for memory; 0 for none (%(default)s)")
    asked = parser.parse_args(arguments)
    print(f"{machine()}\npreset {asked.preset!r}\n", flush=True)
    if asked.rounds:
        print(f"{time_table(asked.preset, asked.rounds)}\n", flush=True)
    if asked.runs:
        print(memory_table(list(remembered(asked.preset, asked.runs))))


if __name__ == "__main__":
    main()
