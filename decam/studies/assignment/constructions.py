"""Balanced incomplete block designs that are known: every two stimuli come together equally often.

A design of v stimuli in b blocks of k has each stimulus r times and each pair λ times, with b k = v r and
λ (v − 1) = r (k − 1). Stimuli are 0 … v − 1, and blocks are tuples of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

Blocks: TypeAlias = tuple[tuple[int, ...], ...]

# Difference sets of Singer (1938), by v = q² + q + 1: each difference but 0 comes once modulo v.
SINGER: dict[int, tuple[int, ...]] = {
    7: (0, 1, 3),
    13: (0, 1, 3, 9),
    21: (0, 1, 4, 14, 16),
    31: (0, 1, 3, 8, 12, 18),
    57: (0, 1, 3, 13, 32, 36, 43, 52),
    73: (0, 1, 3, 7, 15, 31, 36, 54, 63),
    91: (0, 1, 3, 9, 27, 49, 56, 61, 77, 81),
    133: (0, 1, 3, 12, 20, 34, 38, 81, 88, 94, 104, 109),
    183: (0, 1, 3, 16, 23, 28, 42, 76, 82, 86, 119, 137, 154, 175),
}

SEARCHED = 20_000
"""How many sets a search for a difference family looks at before it gives up."""


@dataclass(frozen=True)
class Known:
    """A design that can be built: how many blocks it has, after whom it is called, and its blocks."""

    blocks: int
    name: str
    build: Callable[[], Blocks]


def known(stimuli: int, size: int, most: int) -> Known | None:
    """The exact design with the fewest blocks, at most `most`; None where no construction here gives one.

    Blocks of more than half of the stimuli are the complements of a design with small ones.
    """
    if size == stimuli:
        return Known(1, "all stimuli", lambda: (tuple(range(stimuli)),))
    if 2 * size > stimuli:
        small = known(stimuli, stimuli - size, most)
        return small and Known(small.blocks, f"complement of {small.name}", lambda: _complement(small.build(), stimuli))
    found = [one for one in _candidates(stimuli, size) if one.blocks <= most]
    best = min(found, key=lambda one: one.blocks, default=None)
    fewest = best.blocks if best is not None else most + 1
    return _searched(stimuli, size, fewest - 1) or best


def developed(family: Sequence[Sequence[int]], modulus: int) -> Blocks:
    """All translates of base blocks modulo v, sorted within each block."""
    return tuple(tuple(sorted((one + shift) % modulus for one in base)) for shift in range(modulus) for base in family)


def _candidates(v: int, k: int) -> Iterator[Known]:
    yield Known(math.comb(v, k), "all subsets", lambda: tuple(combinations(range(v), k)))
    if len(SINGER.get(v, ())) == k:
        yield Known(v, "projective plane", lambda: developed([SINGER[v]], v))
    if v == k * k and _prime(k):
        yield Known(k * k + k, "affine plane", lambda: _affine(k))
    if k == 3 and v % 6 == 3:
        yield Known(v * (v - 1) // 6, "Bose's triple system", lambda: _bose(v // 6))
    if k == 3 and v % 6 == 1:
        yield Known(v * (v - 1) // 6, "Skolem's triple system", lambda: _skolem(v // 6))
    if _prime(v):
        for zero in (0, 1):  # without and with 0 in each base block
            order = k - zero
            if order > 1 and (v - 1) % order == 0:
                halved = (v - 1) // order % 2 == 0 and order % 2 == 1
                bases = (v - 1) // order // (1 + halved)
                yield Known(v * bases, "Wilson's cyclotomic family", _cyclotomic(v, order, bases, zero))


def _complement(blocks: Blocks, stimuli: int) -> Blocks:
    return tuple(tuple(one for one in range(stimuli) if one not in block) for block in blocks)


def _affine(q: int) -> Blocks:
    """The lines y = a x + c and x = c of the plane over the integers modulo a prime q; (x, y) is q x + y."""
    sloped = [tuple(q * x + (a * x + c) % q for x in range(q)) for a in range(q) for c in range(q)]
    return (*sloped, *(tuple(q * c + y for y in range(q)) for c in range(q)))


def _bose(t: int) -> Blocks:
    """Triples on v = 6 t + 3 stimuli (Bose 1939): three copies of the integers modulo 2 t + 1."""
    n = 2 * t + 1
    triples = [(x, n + x, 2 * n + x) for x in range(n)]
    for x, y in combinations(range(n), 2):
        half = (x + y) * (t + 1) % n
        triples += [tuple(sorted((i * n + x, i * n + y, (i + 1) % 3 * n + half))) for i in range(3)]  # type: ignore[misc]
    return tuple(triples)


def _skolem(t: int) -> Blocks:
    """Triples on v = 6 t + 1 stimuli (Skolem 1958): three copies of 0 … 2 t − 1, and one stimulus more, the last."""
    n, extra = 2 * t, 6 * t
    triples = [(x, n + x, 2 * n + x) for x in range(t)]
    for x in range(t):
        triples += [tuple(sorted((i * n + x + t, (i + 1) % 3 * n + x, extra))) for i in range(3)]  # type: ignore[misc]
    for x, y in combinations(range(n), 2):
        total = (x + y) % n
        half = total // 2 if total % 2 == 0 else t + total // 2
        triples += [tuple(sorted((i * n + x, i * n + y, (i + 1) % 3 * n + half))) for i in range(3)]  # type: ignore[misc]
    return tuple(triples)


def _cyclotomic(v: int, order: int, bases: int, zero: int) -> Callable[[], Blocks]:
    """Cosets of the subgroup of that order modulo a prime, each with 0 if asked for (Wilson 1972)."""

    def build() -> Blocks:
        root = next(one for one in range(2, v) if _generates(one, v))
        subgroup = [pow(root, step * ((v - 1) // order), v) for step in range(order)]
        family = [[pow(root, base, v) * one % v for one in subgroup] + [0] * zero for base in range(bases)]
        return developed(family, v)

    return build


def _searched(v: int, k: int, most: int) -> Known | None:
    """A cyclic difference family with at most so many blocks, by backtracking; None where none is found soon."""
    for bases in range(1, most // v + 1):
        times, left = divmod(bases * k * (k - 1), v - 1)
        if left == 0 and k > 1:
            family = _family(v, k, bases, times)
            if family is not None:
                return Known(v * bases, "cyclic difference family", lambda found=family: developed(found, v))  # type: ignore[misc]
    return None


def _family(v: int, k: int, bases: int, times: int) -> list[tuple[int, ...]] | None:
    """Base blocks, each beginning with 0, whose differences give each value but 0 that many times modulo v."""
    counts = [0] * v
    family: list[list[int]] = [[0]]
    looked = 0

    def extended(least: int) -> bool:
        nonlocal looked
        if len(family[-1]) == k:
            if len(family) == bases:
                return True
            family.append([0])
            if extended(1):
                return True
            family.pop()
            return False
        for one in range(least, v):
            looked += 1
            if looked > SEARCHED:
                return False
            differences = [(sign * (one - other)) % v for other in family[-1] for sign in (1, -1)]
            for difference in differences:
                counts[difference] += 1
            if all(counts[difference] <= times for difference in differences):
                family[-1].append(one)
                if extended(one + 1):
                    return True
                family[-1].pop()
            for difference in differences:
                counts[difference] -= 1
        return False

    return [tuple(base) for base in family] if extended(1) else None


def _prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def _generates(root: int, prime: int) -> bool:
    """True where the powers of a number are all values but 0 modulo a prime."""
    divisors = [one for one in range(2, prime) if (prime - 1) % one == 0 and _prime(one)]
    return all(pow(root, (prime - 1) // one, prime) != 1 for one in divisors)
