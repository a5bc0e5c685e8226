"""Which stimuli a participant sees where there are more than one can see: balanced incomplete block designs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.constructions import Blocks, known

Counts: TypeAlias = NDArray[np.int64]

VISITS = 30_000
"""How many pairs of blocks are looked at for an exchange, at most."""


@dataclass(frozen=True)
class Design:
    """Blocks of stimuli, one a participant, in the order of participants; each block is sorted.

    `origin` says where the blocks come from. How often stimuli and pairs of stimuli come is counted from the blocks.
    """

    stimuli: int
    blocks: Blocks
    origin: str

    @property
    def replications(self) -> tuple[int, int]:
        """How many participants see a stimulus: the least and the most."""
        counts = self._incidence().sum(axis=0)
        return int(counts.min()), int(counts.max())

    @property
    def concurrences(self) -> tuple[int, int]:
        """How many participants see both of two stimuli: the least and the most; 0 for a single stimulus."""
        incidence = self._incidence()
        counts = (incidence.T @ incidence)[np.triu_indices(self.stimuli, 1)]
        return (int(counts.min()), int(counts.max())) if counts.size else (0, 0)

    def _incidence(self) -> Counts:
        return _incidence(self.blocks, self.stimuli)


def design(stimuli: int, size: int, participants: int, seed: int = 0, part: int = 0) -> Design:
    """A block of `size` stimuli for each participant.

    Stimuli come equally often, up to one; that also holds over parts 0 … n of one seed together, which continue each
    other. Pairs come exactly equally often where an exact design of some blocks is known and the number of
    participants is a multiple of that of its blocks. Otherwise copies of it are completed, or all is made, by
    exchanges that lessen the variance of the pairs' counts; `concurrences` says what was reached. Blocks come in an
    order in which stimuli come nearly equally often at each time.

    Raises SettingError where there is no stimulus, no participant, or a block larger than the stimuli.
    """
    check(stimuli, size, participants)
    chance = Chance(seed, Use.DESIGN, part)
    exact = known(stimuli, size, participants)
    copies, left = divmod(participants, exact.blocks) if exact is not None else (0, participants)
    blocks: list[tuple[int, ...]] = []
    origin = []
    if exact is not None:
        origin.append(f"exact design ({exact.name})")
        built = exact.build()
        for _ in range(copies):
            names = chance.shuffled(range(stimuli))
            blocks += [tuple(sorted(names[one] for one in block)) for block in built]
    if left:
        origin.append("exchanges")
        order = Chance(seed, Use.STIMULI).shuffled(range(stimuli))
        start = part * participants * size % stimuli
        blocks += _exchanged([order[(start + one) % stimuli] for one in range(left * size)], stimuli, size, chance)
    return Design(stimuli, _ordered(blocks, stimuli, chance), " and ".join(origin))


def check(stimuli: int, size: int, participants: int) -> None:
    """Raise SettingError where no design can be asked for."""
    if stimuli < 1:
        raise SettingError("There is no stimulus to deal; choose at least one image.")
    if size < 1 or participants < 1:
        raise SettingError(
            f"A design needs at least one participant and one stimulus each, not {participants} and {size}."
        )
    if size > stimuli:
        raise SettingError(
            f"A participant cannot see {size} stimuli, for there are only {stimuli}; ask for at most {stimuli}."
        )


def _incidence(blocks: Any, stimuli: int) -> Counts:
    """Participants × stimuli, 1 where a participant sees a stimulus."""
    table = np.zeros((len(blocks), stimuli), np.int64)
    for row, block in zip(table, blocks, strict=True):
        row[list(block)] = 1
    return table


def _ordered(blocks: list[tuple[int, ...]], stimuli: int, chance: Chance) -> Blocks:
    """The blocks in an order in which each next one has the stimuli that were seen least so far."""
    blocks = chance.shuffled(blocks)
    table = _incidence(blocks, stimuli)
    counts, left, ordered = np.zeros(stimuli, np.int64), np.ones(len(blocks), bool), []
    for _ in blocks:
        costs = np.where(left, table @ counts, np.iinfo(np.int64).max)
        best = int(costs.argmin())
        ordered.append(blocks[best])
        counts += table[best]
        left[best] = False
    return tuple(ordered)


def _exchanged(dealt: list[int], stimuli: int, size: int, chance: Chance) -> list[tuple[int, ...]]:
    """Blocks of the stimuli as they were dealt, after exchanges between blocks that even out the counts of pairs.

    An exchange of x for y lets every stimulus come as often as before. The best one of two blocks is made where the
    sum of squared pair counts falls, or hardly rises: the rise allowed goes to 0 (threshold accepting, Dueck and
    Scheuer 1990). The best blocks found are returned.
    """
    blocks = [dealt[start : start + size] for start in range(0, len(dealt), size)]
    table = _incidence(blocks, stimuli)
    if len(table) > 1 and size < stimuli:
        table = _Exchange(table, chance).run()
    return [tuple(int(one) for one in row.nonzero()[0]) for row in table]


class _Exchange:
    """Two blocks at a time, the best exchange between them."""

    def __init__(self, table: Counts, chance: Chance) -> None:
        self.table, self.chance = table, chance
        self.pairs = table.T @ table
        np.fill_diagonal(self.pairs, 0)
        self.sum = self._squares()
        self.least = self._bound()

    def run(self) -> Counts:
        """The blocks with the smallest sum of squared pair counts that was found."""
        best, least, since = self.table.copy(), self.sum, 0
        visits = min(VISITS, 400 * len(self.table))
        for visit in range(visits):
            if self.sum <= self.least:
                break
            allowed = max(0, int(6 * (1 - 1.5 * visit / visits)))
            self._visit(*self._two_blocks(), allowed)
            since += 1
            if self.sum < least and (since > 50 or self.sum <= self.least or visit > 0.6 * visits):
                best, least, since = self.table.copy(), self.sum, 0
        return self.table if self.sum <= least else best

    def _two_blocks(self) -> tuple[int, int]:
        one = self.chance.whole(len(self.table))
        other = self.chance.whole(len(self.table) - 1)
        return one, other + (other >= one)

    def _visit(self, one: int, other: int, allowed: int) -> None:
        """Make the best exchange of two blocks where the sum of squares rises by no more than is allowed."""
        first, second = self.table[one], self.table[other]
        here, there = np.flatnonzero(first > second), np.flatnonzero(second > first)
        if not len(here):
            return
        # Exchanging x of the one for y of the other: x meets there without y, y meets here without x.
        gain = self.pairs[:, there].sum(axis=1) - self.pairs[:, here].sum(axis=1)
        rise = gain[here][:, None] - gain[there][None, :] - 2 * self.pairs[np.ix_(here, there)] + 2 * (len(here) - 1)
        best = np.flatnonzero(rise == rise.min())
        x, y = divmod(int(best[self.chance.whole(len(best))]), len(there))
        if 2 * int(rise[x, y]) > allowed:
            return
        leaves, comes = here[x], there[y]
        moved = second - first
        moved[leaves] = moved[comes] = 0
        self.pairs[leaves] += moved
        self.pairs[:, leaves] += moved
        self.pairs[comes] -= moved
        self.pairs[:, comes] -= moved
        first[leaves] = second[comes] = 0
        first[comes] = second[leaves] = 1
        self.sum += 2 * int(rise[x, y])

    def _squares(self) -> int:
        """The sum of squared counts over unordered pairs."""
        return int((self.pairs**2).sum()) // 2

    def _bound(self) -> int:
        """What the sum of squares cannot fall below: in each row of counts they differ by at most one."""
        others = len(self.pairs) - 1
        low, more = np.divmod(self.pairs.sum(axis=1), others)
        rows = (others - more) * low**2 + more * (low + 1) ** 2
        return -(-int(rows.sum()) // 2)
