"""How much of a DE-CAM run is the model: its evaluations a second over those of the bare forward pass.

The bare pass calls the module on one batch again and again, in the precision, memory layout, batch size and number of
batches side by side that are fastest for it here. Both are timed in turns in one process, so that what else the machine
does hits both. The ImageNet models have random weights, which take as long as trained ones; a slow model gets a smaller
budget, so that a run takes about RUN_SECONDS.

    .venv/bin/python -m benchmarks.forward_share
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.forwards import bare, build, fastest, picture, through
from decam.benchmark.report import Report, parser_of, script
from decam.benchmark.text import execution, head, row
from decam.methods.de_cam.settings import DeCamSettings
from decam.models.tuning import find

MODELS = ("embedded", "squeezenet1_0", "resnet50")
RUN_SECONDS = 20.0


@dataclass(frozen=True)
class Round:
    """One turn: images a second through the bare module, and evaluations a second of a DE-CAM run."""

    bare: float
    de_cam: float

    @property
    def share(self) -> float:
        """The second over the first."""
        return self.de_cam / self.bare


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row a model."""
    parser = parser_of(__doc__)
    parser.add_argument("models", nargs="*", default=MODELS, help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=DeCamSettings().budget, help="at most (%(default)s)")
    asked = parser.parse_args(arguments)
    report = Report("The model's share of a search", "benchmarks.forward_share", __doc__, arguments)
    report.say(f"medians of {asked.rounds} rounds in turns\n")
    rates = ("bare forward pass, images/s", "at", "DE-CAM, evaluations/s", "budget", "at")
    report.say(head(("model", *rates, "share", "from, to")))
    for name in asked.models:
        report.say(timed(name, asked.rounds, asked.budget))
    report.write(asked.write)


def timed(name: str, rounds: int, most: int) -> str:
    """Time one model and say what came out, a line of the table."""
    classifier = build(name)
    view = picture(classifier)
    chosen = find(classifier)
    best = fastest(classifier, chosen)
    evaluations, seconds = through(classifier, view, chosen, "de-cam", DeCamSettings(budget=200))  # also sets things up
    settings = DeCamSettings(budget=min(most, max(200, round(RUN_SECONDS * evaluations / seconds, -2))))
    turns = []
    for _ in range(rounds):
        evaluations, seconds = through(classifier, view, chosen, "de-cam", settings)
        batches = max(1, round(evaluations / best.batch_size))
        turns.append(Round(bare(classifier, best, batches), evaluations / seconds))
    shares = [turn.share for turn in turns]
    images, evaluated = (
        statistics.median(rate) for rate in zip(*((one.bare, one.de_cam) for one in turns), strict=True)
    )
    middle, reach = f"{statistics.median(shares):.1%}", f"{min(shares):.1%} to {max(shares):.1%}"
    asked = (f"{images:.1f}", execution(best), f"{evaluated:.1f}", settings.budget, execution(chosen))
    return row((name, *asked, middle, reach))


if __name__ == "__main__":
    script(main)
