"""Who is given what: within subjects by rotation over participants, between subjects by permuted blocks.

What is dealt is called a colour here: a condition, a pair of conditions, or an order of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decam.studies.assignment.chance import Chance, Use

EXCHANGES = 20_000
"""How many exchanges of two participants' stimuli are looked at, at most."""


def rotated(number: int, stimuli: int, colours: int, seed: int) -> list[int]:
    """The colour of each stimulus for one participant who sees all stimuli: a Latin-square rotation.

    In each round of as many participants as colours, every stimulus has every colour once. The round begins with an
    offset for each stimulus by chance. One participant has all colours equally often, up to one; so have the first n
    participants together, whatever n: the colours that come once more go round too.
    """
    turn = number % colours
    chance = Chance(seed, Use.ROUND, number // colours)
    more = stimuli % colours
    # Steps of `more` carry the surplus round; after a whole lap one step further reaches the shifts left out.
    shift = more * turn + turn * math.gcd(more, colours) // colours + chance.whole(colours)
    offsets = chance.shuffled([stimulus % colours for stimulus in range(stimuli)])
    return [(offset + shift) % colours for offset in offsets]


def permuted(number: int, colours: int, seed: int) -> int:
    """The colour of a participant between subjects: each block of as many participants has every colour once."""
    return Chance(seed, Use.DEALING, number // colours).shuffled(range(colours))[number % colours]


def exchanged(
    rows: Sequence[Sequence[int]], dealt: Sequence[int], first: int, stimuli: int, colours: int, seed: int
) -> list[Sequence[int]]:
    """The rows of stimuli that participants `first`, first + 1, … see, between subjects; `dealt` are their colours.

    Within each permuted block participants exchange their rows as long as that evens out how often each stimulus is
    seen under each colour. Nobody's colour changes, for it is the same in all blocks of a study.
    """
    found = list(rows)
    if all(len(row) == stimuli for row in rows):
        return found
    table = np.zeros((len(rows), stimuli), np.int64)
    counts = np.zeros((colours, stimuli), np.int64)
    for number, row in enumerate(rows):
        table[number, list(row)] = 1
        counts[dealt[number]] += table[number]
    chance = Chance(seed, Use.COLOURS, first)
    for _ in range(min(EXCHANGES, 100 * len(rows))):
        one = chance.whole(len(rows))
        block = (first + one) // colours
        low = max(0, block * colours - first)
        other = low + chance.whole(min(len(rows), (block + 1) * colours - first) - low)
        change = table[other] - table[one]
        here, there = counts[dealt[one]], counts[dealt[other]]
        if one != other and int((change * (here - there + change)).sum()) < 0:
            here += change
            there -= change
            found[one], found[other] = found[other], found[one]
            table[[one, other]] = table[[other, one]]
    return found
