"""What the times of a trial say: which way of asking is best, and how many images to ask about at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from decam.classifier import Execution

LONGEST_BATCH = 0.5  # seconds: work can only be stopped between two batches
GAIN = 1.05  # a setting must be faster by this factor than a plainer one
SURE = 1.2  # what the processor is built for is left only for what is faster by this factor,
DOUBT = 3.0  # or by this one where other programs were at work
TOLERANCE = 0.05  # the largest change of a probability that a precision may cause


@dataclass(frozen=True)
class Trial:
    """One way of asking, with the seconds that one image took and the largest change of a probability it caused."""

    execution: Execution
    seconds: float
    change: float


@dataclass(frozen=True)
class Round:
    """What is asked at a time: `parallel_batches` batches of `size` images side by side."""

    size: int
    parallel_batches: int = 1

    @classmethod
    def of(cls, images: int, parallel_batches: int) -> Round:
        """A round of so many images, or of one a stream."""
        return cls(max(1, images // parallel_batches), parallel_batches)

    @property
    def images(self) -> int:
        """Images of all parallel batches."""
        return self.size * self.parallel_batches


def choose(trials: Sequence[Trial], favourites: Sequence[Execution] = (), margin: float = SURE) -> Trial:
    """The fastest of the trials, plainest first, that is close enough to the first and clearly faster than it.

    The first favourite that is among them and close enough, unless another is faster by the factor `margin`.
    """
    best = trials[0]
    for trial in trials[1:]:
        if trial.seconds * GAIN < best.seconds and trial.change <= TOLERANCE:  # NaN is no small change
            best = trial
    able = {trial.execution: trial for trial in trials if trial.change <= TOLERANCE}
    favourite = next((able[execution] for execution in favourites if execution in able), best)
    return favourite if favourite.seconds < margin * best.seconds else best


def noted(best: Trial, trials: Sequence[Trial]) -> Execution:
    """How the best of the trials asks, with a sentence on what it changes, or on what was faster and changed more."""
    faster = [trial for trial in trials if trial.seconds * GAIN < best.seconds and not trial.change <= TOLERANCE]
    allowed = f"on drawn scenes, where {TOLERANCE:g} is allowed"
    if faster:
        refused = min(faster, key=lambda trial: trial.seconds)
        note = (
            f"{refused.execution.precision} would be faster but changes probabilities by up to {refused.change:.2f} "
            f"{allowed}: not used."
        )
    elif best.execution.precision != "float32":
        note = f"{best.execution.precision} changes probabilities by at most {best.change:.4f} {allowed}."
    else:
        note = ""
    return replace(best.execution, note=note)


def power_of_two(value: float, largest: int) -> int:
    """The largest power of two up to `value` and `largest`, at least 1."""
    size = 1
    while 2 * size <= min(value, largest):
        size *= 2
    return size


def pick_round(each: dict[Round, float], least: Round) -> Round:
    """The round within GAIN of the fastest that is over soonest, from seconds an image; `least` if all take too long.

    Among these, more parallel batches go first: they lose less when other work takes a core away for a moment.
    """
    short = {candidate: seconds for candidate, seconds in each.items() if candidate.images * seconds <= LONGEST_BATCH}
    if not short:
        return least
    fastest = min(short.values())
    good = [candidate for candidate, seconds in short.items() if seconds <= fastest * GAIN]
    return min(good, key=lambda candidate: (-candidate.parallel_batches, candidate.images))
