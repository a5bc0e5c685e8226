"""`python -m decam.training`: draws scenes, trains the embedded network on them, tests it and writes its weights."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from decam.models import embedded
from decam.training.drawing import draw
from decam.training.fitting import Recipe, accuracy, fit

TESTED = 2000


def main(arguments: list[str] | None = None) -> int:
    """Trains and writes; returns the exit status: 0, or 130 when interrupted."""
    options = _parser().parse_args(arguments)
    recipe = Recipe(options.seed, options.scenes, options.epochs)
    started = time.monotonic()
    try:
        model = fit(recipe, _say)
        unseen = draw(0, TESTED)
        pairs = draw(0, TESTED // 4, objects=2)
        # What a file gives back is tested, not what was trained: weights are rounded on the way to it.
        with tempfile.TemporaryDirectory() as directory:
            trial = Path(directory) / "trial.safetensors"
            embedded.save(model, _card(recipe, 0.0), trial)
            rounded = embedded.load(trial)
        reached, reached_pairs = accuracy(rounded, unseen), accuracy(rounded, pairs)
        embedded.save(model, _card(recipe, reached), options.out)
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    minutes, work = (time.monotonic() - started) / 60, sum(os.times()[:4]) / 60
    _say(f"{reached:.2%} of {TESTED} unseen scenes right; with two objects {reached_pairs:.1%} name one of them first")
    _say(f"{options.out} written after {minutes:.1f} minutes ({work:.1f} of processor time)")
    return 0


def _card(recipe: Recipe, reached: float) -> embedded.Card:
    return embedded.Card(
        accuracy=reached,
        tested=TESTED,
        seed=recipe.seed,
        scenes=recipe.scenes,
        epochs=recipe.epochs,
        torch=torch.__version__,
        numpy=np.__version__,
    )


def _parser() -> argparse.ArgumentParser:
    usual = Recipe()
    parser = argparse.ArgumentParser(prog="python -m decam.training", description=__doc__)
    parser.add_argument("--seed", type=_whole(0), default=usual.seed, help="of scenes and weights (%(default)s)")
    parser.add_argument("--scenes", type=_whole(200), default=usual.scenes, help="how many are drawn (%(default)s)")
    parser.add_argument("--epochs", type=_whole(1), default=usual.epochs, help="how often each is seen (%(default)s)")
    parser.add_argument("--out", type=Path, default=embedded.WEIGHTS, help="where the weights go (%(default)s)")
    return parser


class _whole:  # noqa: N801 -- argparse shows the name of a type in its messages
    """Whole numbers from a least one on, for argparse."""

    def __init__(self, least: int) -> None:
        self._least = least

    def __call__(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = self._least - 1
        if number < self._least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {self._least} on")
        return number


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
