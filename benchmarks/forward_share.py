"""How much of a DE-CAM run is the model: its evaluations a second over those of the bare forward pass.

The bare pass calls the module on one batch again and again, in the precision, memory layout, batch size and number of
batches side by side that are fastest for it here. Both are timed in turns in one process, so that what else the machine
does hits both. The ImageNet models have random weights, which take as long as trained ones; a slow model gets a smaller
budget, so that a run takes about RUN_SECONDS.

    .venv/bin/python -m benchmarks.forward_share
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass

from PIL import Image

from benchmarks.forwards import bare, build, fastest, through, words
from benchmarks.machine import machine
from decam.images.scenes import scene
from decam.methods.de_cam.method import DeCamSettings
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


def main() -> None:
    """Print one row a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS, help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=DeCamSettings().budget, help="at most (%(default)s)")
    asked = parser.parse_args()
    print(f"{machine()}\nmedians of {asked.rounds} rounds in turns\n")
    print("| model | bare forward pass, images/s | at | DE-CAM, evaluations/s | budget | at | share | from, to |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in asked.models:
        print(row(name, asked.rounds, asked.budget), flush=True)


def row(name: str, rounds: int, most: int) -> str:
    """Time one model and say what came out."""
    classifier = build(name)
    view = classifier.view(Image.fromarray(scene.scene(7).image))
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
    return (
        f"| {name} | {statistics.median(turn.bare for turn in turns):.1f} | {words(best)} "
        f"| {statistics.median(turn.de_cam for turn in turns):.1f} | {settings.budget} | {words(chosen)} "
        f"| {statistics.median(shares):.1%} | {min(shares):.1%} to {max(shares):.1%} |"
    )


if __name__ == "__main__":
    main()
