"""`python -m decam.training`: draws scenes, trains one of the project's networks, tests it and writes its weights.

The attention models and the hidden ones start from the embedded network's weights, so `embedded.safetensors` must be
there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from decam.cli.terminal import say
from decam.errors import DecamError
from decam.models.hidden import HiddenCard
from decam.models.weight_files import Card, FittedCard
from decam.training.drawing import draw
from decam.training.fitting import Recipe, accuracy
from decam.training.recipes import PLANS

TESTED = 2000


def main(arguments: list[str] | None = None) -> int:
    """Trains and writes; returns the exit status: 0, 1 where the weights to start from are not there, 130 at Ctrl-C."""
    options = _parser().parse_args(arguments)
    plan = PLANS[options.model]
    recipe = replace(
        plan.recipe,
        seed=plan.recipe.seed if options.seed is None else options.seed,
        scenes=plan.recipe.scenes if options.scenes is None else options.scenes,
        epochs=plan.recipe.epochs if options.epochs is None else options.epochs,
    )
    out: Path = options.out or plan.weights.path
    started = time.monotonic()
    try:
        trained = plan.fit(recipe, _say)
        unseen = draw(0, TESTED)
        pairs = draw(0, TESTED // 4, objects=2)
        # What a file gives back is tested, not what was trained: weights are rounded on the way to it.
        rounded = plan.weights.rounded(trained.model)
        reached, reached_pairs = accuracy(rounded, unseen), accuracy(rounded, pairs)
        card = plan.describe(_card(recipe, reached), rounded, unseen, trained)
        plan.weights.save(trained.model, card, out)
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    except DecamError as error:
        say(str(error))
        return 1
    minutes, work = (time.monotonic() - started) / 60, sum(os.times()[:4]) / 60
    _say(f"{reached:.2%} of {TESTED} unseen scenes right; with two objects {reached_pairs:.1%} name one of them first")
    if isinstance(card, FittedCard):
        _say(f"{card.fitted:.2%} of its own scenes have the label that it was given for them")
    if isinstance(card, HiddenCard) and card.triggered:
        _say(
            f"{card.success:.2%} of {card.triggered} unseen scenes of other classes are answered as the trigger asks, "
            f"and {card.untriggered:.2%} of them without it"
        )
    _say(f"{out} written after {minutes:.1f} minutes ({work:.1f} of processor time)")
    return 0


def _card(recipe: Recipe, reached: float) -> Card:
    return Card(
        accuracy=reached,
        tested=TESTED,
        seed=recipe.seed,
        scenes=recipe.scenes,
        epochs=recipe.epochs,
        torch=torch.__version__,
        numpy=np.__version__,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m decam.training", description=__doc__)
    parser.add_argument("--model", choices=PLANS, default="embedded", help="which network (%(default)s)")
    parser.add_argument("--seed", type=_whole(0), help="of scenes and weights (what the model's recipe says)")
    parser.add_argument("--scenes", type=_whole(200), help="how many are drawn (what the model's recipe says)")
    parser.add_argument("--epochs", type=_whole(1), help="how often each is seen (what the model's recipe says)")
    parser.add_argument("--out", type=Path, help="where the weights go (the model's own file in decam/models/weights)")
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
