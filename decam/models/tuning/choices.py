"""What the times of a trial say: which way of asking is best, and how many images to ask about at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from decam.classifier import EAGER, ENGINES, Execution
from decam.models.tuning.closeness import Closeness, Judge, kind_of

LONGEST_BATCH = 0.5  # seconds: work can only be stopped between two batches
GAIN = 1.05  # a setting must be faster by this factor than a plainer one
SURE = 1.2  # what the processor is built for is left only for what is faster by this factor,
DOUBT = 3.0  # or by this one where other programs were at work


@dataclass(frozen=True)
class Trial:
    """One way of asking, with the seconds that one image took and how close it is to float32, if that was asked."""

    execution: Execution
    seconds: float
    closeness: Closeness | None = None

    @property
    def may_do(self) -> bool:
        """False if the way was found to answer otherwise than float32."""
        return self.closeness is None or self.closeness.enough


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
    """The fastest of the trials, plainest first, that may do and is clearly faster than the first.

    The first favourite that is among them and may do, unless another is faster by the factor `margin`.
    """
    best = trials[0]
    for trial in trials[1:]:
        if trial.seconds * GAIN < best.seconds and trial.may_do:
            best = trial
    able = {trial.execution: trial for trial in trials if trial.may_do}
    favourite = next((able[execution] for execution in favourites if execution in able), best)
    return favourite if favourite.seconds < margin * best.seconds else best


def judged(
    trials: Sequence[Trial], judge: Judge, favourites: Sequence[Execution] = (), margin: float = SURE
) -> tuple[Trial, list[Trial]]:
    """What `choose` picks once it is known to be close to float32, and the trials with what was asked on the way.

    Only ways that are about to be picked are judged, for that takes longer than timing them.
    """
    known = list(trials)
    while (best := choose(known, favourites, margin)).closeness is None:
        closeness, kind = judge.closeness(best.execution), kind_of(best.execution)
        known = [replace(one, closeness=closeness) if kind_of(one.execution) == kind else one for one in known]
    return best, known


def noted(best: Trial, trials: Sequence[Trial], obstacles: Sequence[str] = ()) -> Execution:
    """How the best of the trials asks, with sentences on how close it is, or on what was faster and is not.

    `obstacles` say which engines could not be tried.
    """
    faster = [trial for trial in trials if trial.seconds * GAIN < best.seconds and not trial.may_do]
    sentences = []
    if faster:
        refused = min(faster, key=lambda trial: trial.seconds)
        sentences.append(f"{way(refused.execution)} would be faster but is not used: {refused.closeness}.")
    if best.closeness is not None and kind_of(best.execution) != (EAGER, "float32"):
        sentences.append(f"{way(best.execution)}: {best.closeness}.")
    return replace(best.execution, note=" ".join([*sentences, *obstacles]))


def way(execution: Execution) -> str:
    """Precision and engine, in words."""
    return " ".join(filter(None, (execution.precision, ENGINES[execution.engine].manner)))


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
