"""How long a first look at the whole field takes, and whether a server's memory grows with the runs it has done.

Time: one method of each family with its usual settings, and the curves in both pairs of fills, as the Compare page asks
for them; a scene for the embedded model and a photo for squeezenet1_0, whose weights must be here. Seconds of the
processor tell how far something else kept it busy: both cores at work give two of them in each second. Memory: the
resident set of this process while it does run after run, each of another scene, kept on disk and watched as a page
would; the first runs fill caches of a fixed size.

    .venv/bin/python -m benchmarks.families
    .venv/bin/python -m benchmarks.families --rounds 5 --runs 0
    .venv/bin/python -m benchmarks.families --rounds 0 --runs 50 --preset quick
"""

from __future__ import annotations

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

from benchmarks.memory import STATM, resident
from decam.benchmark.datasets import FIRST_SCENE
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import execution, head, row, spread, table, verdict
from decam.classifier import Pixels, TorchClassifier
from decam.errors import DecamError
from decam.experiments.events import Explained, Failed, Measured
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.status import Status
from decam.images.scenes.scene import scene
from decam.methods.presets import PRESETS
from decam.models import EMBEDDED, load_classifier
from decam.runs.service import Runs
from decam.runs.store import Store

AIMS = {EMBEDDED: 15.0, "squeezenet1_0": 60.0}  # seconds on two cores
EARLY = 5  # runs after which memory is looked at first
GROWTH = 0.05  # of what was in use then, that later looks may differ by
POLL = 0.05  # seconds
MIB = 2**20


@dataclass(frozen=True)
class Timing:
    """Seconds of one comparison: in all, of the processor, for each method's map by name, and for all curves."""

    whole: float
    processor: float
    maps: tuple[tuple[str, float], ...]
    curves: float


def picture(model: str, number: int = FIRST_SCENE) -> Image.Image:
    """The scene of a seed for the embedded model, a photograph of a cat for any other."""
    return Image.fromarray(scene(number).image if model == EMBEDDED else data.chelsea())


def plan(classifier: TorchClassifier, preset: str) -> Plan:
    """What the Compare page asks for when this preset is chosen and nothing else."""
    methods = PRESETS[preset].members(classifier)
    return comparison.plan(
        classifier.name,
        str(classifier.device),
        [PictureChoice("picture")],
        [MethodChoice.default(name) for name in methods],
        metrics=usual_metrics(),
    )


def timed(classifier: TorchClassifier, view: Pixels, asked: Plan) -> Timing:
    """One comparison from its start to its end; raises DecamError where a method or its curves fail."""
    maps: list[tuple[str, float]] = []
    began, computed = time.perf_counter(), time.process_time()
    curves, last = 0.0, began
    for event in execute(Grid.empty(asked, [view]), lambda _: classifier):
        match event:
            case Failed(cell=cell, sentence=sentence):
                raise DecamError(f"{asked.methods[cell.method].name}: {sentence}")
            case Explained(explanation=explanation):
                maps.append((explanation.method, explanation.seconds))
                last = time.perf_counter()
            case Measured(measurements=measurements):
                for cell, one in measurements.items():
                    if one.failed:
                        raise DecamError(f"{asked.methods[cell.method].name}: {one.note}")
                curves = time.perf_counter() - last
    return Timing(time.perf_counter() - began, time.process_time() - computed, tuple(maps), curves)


def time_lines(preset: str, models: Sequence[str], rounds: int) -> Iterator[str]:
    """Medians of several comparisons beside what they are to stay under, a line as soon as it is known.

    The first comparison of a model, which also warms it up, has a line of its own.
    """
    yield head(("model", "methods", "seconds", "of the processor", "maps, s", "curves, s", "aim", ""))
    for model in models:
        classifier = load_classifier(model, download=False)
        asked, view = plan(classifier, preset), classifier.view(picture(model))
        yield line(f"{model}, the first", [timed(classifier, view, asked)])
        later = [timed(classifier, view, asked) for _ in range(rounds)]
        yield line(f"{model}, {execution(classifier.execution)}, median of {rounds}", later, AIMS.get(model))


def line(title: str, timings: Sequence[Timing], aim: float | None = None) -> str:
    """Medians of timings of the same methods, lowest and highest in brackets, and the verdict where there is an aim."""
    names = [name for name, _ in timings[0].maps]
    maps = (f"{name} {statistics.median(dict(timing.maps)[name] for timing in timings):.2f}" for name in names)
    whole = statistics.median(timing.whole for timing in timings)
    processor = statistics.median(timing.processor for timing in timings)
    curves = statistics.median(timing.curves for timing in timings)
    seconds = spread([one.whole for one in timings], ".1f") if len(timings) > 1 else f"{whole:.1f}"
    ending = ("", "") if aim is None else (f"under {aim:.0f}", verdict(whole < aim))
    return row((title, len(names), seconds, f"{processor:.1f}", ", ".join(maps), f"{curves:.1f}", *ending))


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
            while runs.snapshot(link).active:
                time.sleep(POLL)
            ended = runs.snapshot(link)
            if ended.status is not Status.DONE or any(cell.error for cell in ended.cells.values()):
                raise DecamError(f"Run {number} is {ended.status}: {ended.note or 'a method failed'}.")
            if number in looks(count):
                gc.collect()
                yield number, resident()


def memory_table(found: Sequence[tuple[int, int]]) -> str:
    """The resident set at each look and, where there are two, whether the last is what the first was."""
    said = table(("after runs", "resident, MiB"), [(runs, f"{used / MIB:.1f}") for runs, used in found])
    (early, before), (late, after) = found[0], found[-1]
    if late == early:
        return said
    change = (after - before) / before
    ending = verdict(abs(change) <= GROWTH)
    return f"{said}\n\n{change:+.1%} from {early} to {late} runs (aim: within {GROWTH:.0%}): {ending}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what a look at each family takes, then memory."""
    parser = parser_of(__doc__)
    parser.add_argument("--preset", choices=tuple(PRESETS), default="families", help="which methods (%(default)s)")
    parser.add_argument("--models", nargs="+", default=list(AIMS), metavar="NAME", help=f"default: {' '.join(AIMS)}")
    parser.add_argument("--rounds", type=int, default=5, help="timed comparisons a model; 0 for none (%(default)s)")
    parser.add_argument("--runs", type=int, default=50, help="for memory; 0 for none (%(default)s)")
    asked = parser.parse_args(arguments)
    if asked.runs and not STATM.is_file():
        parser.error(f"Memory is read from {STATM}, which only Linux has: give --runs 0.")
    report = Report("One method of each family", "benchmarks.families", __doc__, arguments)
    report.say(f"preset {asked.preset!r}\n")
    if asked.rounds:
        for said in time_lines(asked.preset, asked.models, asked.rounds):
            report.say(said)
        report.say()
    if asked.runs:
        report.say(memory_table(list(remembered(asked.preset, asked.runs))))
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
