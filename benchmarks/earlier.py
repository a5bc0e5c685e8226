"""Evaluations a second of a whole DE-CAM run, of this checkout beside an earlier one.

Each run has a process of its own, in turns: first the earlier checkout, then this one. A process builds the model,
finds its fastest way of asking by the trial, and makes one map untimed. Then a second one is timed, from the image to
the finished map. The ImageNet models have random weights.

    git worktree add ../earlier 7d62164
    .venv/bin/python -m benchmarks.earlier ../earlier
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import head, row, spread
from decam.errors import SettingError

HERE = Path(__file__).parents[1]
WARM = 200  # evaluations of the untimed run


class Timed(NamedTuple):
    """Evaluations of a model's timed run, and how many times as fast it is to be."""

    evaluations: int
    aim: float


MODELS = {
    "embedded": Timed(2000, 1.5),
    "squeezenet1_0": Timed(1000, 2.5),
    "mobilenet_v3_large": Timed(1000, 2.5),
    "resnet50": Timed(500, 1.5),
    "vit_b_16": Timed(200, 1.5),
}
# What both checkouts understand.
_RUN = f"""
import sys
from benchmarks.forwards import build, picture, through
from decam.methods import get
from decam.models.tuning import find
name, budget = sys.argv[1], int(sys.argv[2])
classifier, settings = build(name), get("de-cam").settings
view, way = picture(classifier), find(classifier)
through(classifier, view, way, "de-cam", settings(budget={WARM}))
evaluations, seconds = through(classifier, view, way, "de-cam", settings(budget=budget))
print(evaluations / seconds)
"""


def rate(checkout: Path, name: str, budget: int) -> float:
    """Evaluations a second of one run in a checkout; raises SettingError, with what it says, where it fails."""
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"PYTHONPATH": str(checkout), "DECAM_DATA": data}
        command = [sys.executable, "-c", _RUN, name, str(budget)]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SettingError(f"{checkout} cannot run DE-CAM on {name}: {last}")
    return float(done.stdout.splitlines()[-1])


def compared(name: str, earlier: Sequence[float], now: Sequence[float]) -> str:
    """A line of the table: rates of both in turns, and by how much this checkout is faster."""
    gains = [after / before for before, after in zip(earlier, now, strict=True)]
    return row((name, spread(earlier, ".1f"), spread(now, ".1f"), spread(gains), f"{MODELS[name].aim}"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row a model."""
    parser = parser_of(__doc__)
    parser.add_argument("checkout", type=Path, help="a folder with an earlier commit of this project")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    checkout = asked.checkout.resolve()
    report = Report("DE-CAM beside an earlier version", "benchmarks.earlier", __doc__, arguments)
    report.say(f"medians of {asked.rounds} rounds in turns, lowest and highest in brackets\n")
    report.say(head(("model", "earlier, evaluations/s", "now", "times", "aim")))
    for name in asked.models:
        turns = [
            [rate(place, name, MODELS[name].evaluations) for place in (checkout, HERE)] for _ in range(asked.rounds)
        ]
        earlier, now = zip(*turns, strict=True)
        report.say(compared(name, earlier, now))
    report.write(asked.write)


if __name__ == "__main__":
    script(main)
