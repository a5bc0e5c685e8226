"""Forced choice: the pairs of conditions in the order in which they are dealt, and which of two stands left.

Guaranteed: over all sequences, each pair stands each way round equally often, up to one. Reached except in rare cases:
within a participant, each condition stands left as often as right, up to one. Both together are not always possible,
so `sided` gives way in the second. `balance` counts both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from decam.errors import SettingError
from decam.studies.assignment.chance import Chance

Pair: TypeAlias = tuple[int, int]

TRIES = 5_000
"""How many trails are turned round in search of balanced sides before single trials are."""


def all_pairs(conditions: int) -> list[Pair]:
    """All pairs (smaller, larger) of conditions, round by round of a tournament in which everybody plays once a round.

    So pairs that follow each other share no condition where that can be. Raises SettingError for fewer than two.
    """
    if conditions < 2:
        raise SettingError(f"A forced choice needs at least two conditions; there is {conditions}. Choose another.")
    others = conditions - 1 + conditions % 2  # with an odd number, one rests each round
    found = []
    for turn in range(others):
        circle = [(turn + step) % others for step in range(others)]
        opposite = zip(circle[1 : (others + 1) // 2], reversed(circle[(others + 1) // 2 :]), strict=True)
        players = [(circle[0], others)] if conditions % 2 == 0 else []
        found += [(min(pair), max(pair)) for pair in [*players, *opposite]]
    return found


def sided(
    rows: Sequence[Sequence[Pair]], pairs: Sequence[Pair], before: Sequence[int], chance: Chance
) -> tuple[list[list[Pair]], tuple[int, ...]]:
    """Each participant's pairs as (left, right), and how much oftener each of `pairs` stood as given than turned.

    `before` is that number for participants before these. Over all of them each pair stands each way equally often,
    up to one, if it did before.
    """
    sides = _Sides(rows, pairs, before, chance)
    sides.turn_trails()
    sides.turn_trials()
    turned = [
        [pair if sign > 0 else pair[::-1] for pair, sign in zip(row, signs, strict=True)]
        for row, signs in zip(rows, sides.signs, strict=True)
    ]
    return turned, tuple(sides.surplus)


@dataclass(frozen=True)
class _Trail:
    """Trials of one participant whose pairs form a path or a circle; turning all of them keeps every balance in it.

    `steps` are the trial, its pair's number, and 1 where the pair stands as given.
    """

    row: int
    steps: tuple[tuple[int, int, int], ...]


class _Sides:
    """The sides of all trials, and how much oftener each pair stands as given than turned."""

    def __init__(
        self, rows: Sequence[Sequence[Pair]], pairs: Sequence[Pair], before: Sequence[int], chance: Chance
    ) -> None:
        self.rows, self.pairs, self.chance = rows, pairs, chance
        self.number = {pair: number for number, pair in enumerate(pairs)}
        self.surplus = list(before)
        self.signs = [[0] * len(row) for row in rows]
        self.trails: list[_Trail] = []
        self.way: list[int] = []  # 1 where a trail stands as it was found, −1 where it is turned
        self.through: list[list[tuple[int, int]]] = [[] for _ in pairs]  # for each pair: trail and sign in it
        for row in range(len(rows)):
            for trail in self._trails(row):
                self._place(trail)

    def turn_trails(self) -> None:
        """Turn whole trails as long as a pair stands more than once oftener one way round."""
        for _ in range(TRIES):
            worst = [number for number, surplus in enumerate(self.surplus) if abs(surplus) > 1]
            if not worst:
                return
            pair = worst[self.chance.whole(len(worst))]
            excess = 1 if self.surplus[pair] > 0 else -1
            options = [trail for trail, sign in self.through[pair] if sign * self.way[trail] == excess]
            if not options:
                continue
            options = self.chance.shuffled(options)[:30]
            anyone = self.chance.chance(0.1)  # a step that may be a loss leads out of dead ends
            self._turn(options[0] if anyone else min(options, key=self._rise))

    def turn_trials(self) -> None:
        """Turn single trials where trails were not enough, those first that unbalance their participant least."""
        for number, (left, right) in enumerate(self.pairs):
            while abs(self.surplus[number]) > 1:
                excess = 1 if self.surplus[number] > 0 else -1
                options = [
                    (abs(self._lean(row, left) - 2 * excess) + abs(self._lean(row, right) + 2 * excess), row, trial)
                    for row, signs in enumerate(self.signs)
                    for trial, sign in enumerate(signs)
                    if sign == excess and self.rows[row][trial] == (left, right)
                ]
                _, row, trial = min(options)
                self.signs[row][trial] = -excess
                self.surplus[number] -= 2 * excess

    def _lean(self, row: int, condition: int) -> int:
        """How much oftener a condition stands left than right for a participant."""
        lean = 0
        for pair, sign in zip(self.rows[row], self.signs[row], strict=True):
            if condition in pair:
                lean += sign if condition == pair[0] else -sign
        return lean

    def _trails(self, row: int) -> Iterator[_Trail]:
        """A participant's trials cut into paths and circles; each condition ends at most one path.

        Two trials of one pair are turned against each other and are no part of a trail.
        """
        edges: dict[Pair, int] = {}
        for trial in self.chance.shuffled(range(len(self.rows[row]))):
            pair = self.rows[row][trial]
            if pair in edges:
                self.signs[row][edges.pop(pair)], self.signs[row][trial] = 1, -1
            else:
                edges[pair] = trial
        neighbours: dict[int, list[int]] = {}
        for left, right in edges:
            neighbours.setdefault(left, []).append(right)
            neighbours.setdefault(right, []).append(left)
        for walk in _walks(neighbours):
            yield _Trail(row, tuple(self._step(edges, one, other) for one, other in pairwise(walk)))

    def _step(self, edges: dict[Pair, int], one: int, other: int) -> tuple[int, int, int]:
        pair = (min(one, other), max(one, other))
        return edges[pair], self.number[pair], 1 if one < other else -1

    def _place(self, trail: _Trail) -> None:
        """Add a trail in the way that evens out the pairs' sides more."""
        lean = sum(sign * self.surplus[pair] for _, pair, sign in trail.steps)
        way = -1 if lean > 0 or (lean == 0 and self.chance.chance(0.5)) else 1
        for trial, pair, sign in trail.steps:
            self.through[pair].append((len(self.trails), sign))
            self.surplus[pair] += way * sign
            self.signs[trail.row][trial] = way * sign
        self.trails.append(trail)
        self.way.append(way)

    def _rise(self, number: int) -> int:
        """How the sum of squared surpluses changes, divided by 4, if a trail is turned."""
        way = self.way[number]
        return sum(1 - way * sign * self.surplus[pair] for _, pair, sign in self.trails[number].steps)

    def _turn(self, number: int) -> None:
        trail = self.trails[number]
        self.way[number] = way = -self.way[number]
        for trial, pair, sign in trail.steps:
            self.surplus[pair] += 2 * way * sign
            self.signs[trail.row][trial] = way * sign


def _walks(neighbours: dict[int, list[int]]) -> Iterator[list[int]]:
    """All edges of a graph as walks: first paths between conditions with an odd number of edges, then circles.

    `neighbours` is used up.
    """
    for start in [one for one, others in neighbours.items() if len(others) % 2]:
        if len(neighbours[start]) % 2:
            yield from _walk(neighbours, start)
    for start in neighbours:
        while neighbours[start]:
            yield from _walk(neighbours, start)


def _walk(neighbours: dict[int, list[int]], start: int) -> Iterator[list[int]]:
    """A walk until no edge is left where it has come; a circle that closes on the way is a walk of its own."""
    walk = [start]
    while neighbours[walk[-1]]:
        following = neighbours[walk[-1]].pop()
        neighbours[following].remove(walk[-1])
        if following in walk:
            at = walk.index(following)
            yield [*walk[at:], following]
            del walk[at + 1 :]
        else:
            walk.append(following)
    if len(walk) > 1:
        yield walk
