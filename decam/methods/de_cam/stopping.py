"""Where a search that spent its budget could have stopped, by the rule with which `settled` ends one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from decam.explanation import Map
from decam.methods.de_cam.fitness import KEEPS
from decam.methods.de_cam.seeding import PAIRS
from decam.methods.de_cam.settings import AUTO_SETTLED, DeCamSettings, Spending
from decam.methods.de_cam.settling import EARLIEST, RUNNING, Settling, looks


@dataclass(frozen=True)
class Stopping:
    """What the rule says of a search: the evaluations at which it would have ended it, None where it never would.

    `sentence` says so in words, with the reason.
    """

    evaluations: int | None
    sentence: str


def stopping(settings: DeCamSettings, maps: Iterable[tuple[int, Map]]) -> Stopping:
    """Where the rule would have ended a search, by its running maps (h×w each) and the evaluations up to each.

    The maps are those of the search's generations or, where it had none, of its first guess. The rule asks for the
    search's own `settled`, or, where that is 0, for what a budget of "auto" asks.
    """
    settling, done = Settling(settings.settled or AUTO_SETTLED), 0
    for evaluations, saliency in maps:
        done = evaluations
        if settling.observe(evaluations, saliency):
            break
    return Stopping(done if settling.settled else None, _in_words(settings, settling, done))


@lru_cache(maxsize=64)
def least(settings: DeCamSettings) -> int:
    """The smallest budget, no smaller than the settings' own, with which the rule can end the search."""
    budget = settings.budget
    while not _can_end(Spending.of(replace(settings, budget=budget))):
        budget += 1
    return budget


def _in_words(settings: DeCamSettings, settling: Settling, done: int) -> str:
    spending = Spending.of(settings)
    if settling.settled:
        return (
            f"This search could have stopped after {done:,} of {spending.cost:,} evaluations: doubling them had hardly "
            "changed how the map ranks the places of the image. With Settled at "
            f"{settling.wanted:g} it ends there by itself."
        )
    if not _can_end(spending):
        return (
            f"This search of {spending.cost:,} evaluations was too short to stop early. Settled compares each map with "
            f"that of half as many evaluations, leaves out the first {EARLIEST - 1} maps, and wants {RUNNING} in a row "
            f"that agree. With these settings that takes a budget of at least {least(settings):,}."
        )
    latest = ", ".join(f"{value:.3f}" for value in settling.found[-RUNNING:]) or "unknown"
    return (
        "This search could not have stopped early: the map was still changing. Its rank correlation with that of half "
        f"as many evaluations was last {latest}. With Settled at {settling.wanted:g} a search ends once that is at "
        f"least {settling.wanted:g} {RUNNING} times in a row."
    )


def _can_end(spending: Spending) -> bool:
    """True if so many looks come after the evaluations of the earliest one have doubled."""
    times = _looks(spending)
    return len(times) > EARLIEST and sum(time >= 2 * times[EARLIEST - 1] for time in times) >= RUNNING


def _looks(spending: Spending) -> list[int]:
    """The evaluations after which a search looks at its map."""
    if not spending.generations:
        return looks([*range(2 * PAIRS, spending.seeds, 2 * PAIRS), spending.seeds])
    each = spending.population * len(KEEPS)
    return looks(spending.seeds + each * number for number in range(1, spending.generations + 1))
