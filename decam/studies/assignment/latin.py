"""Williams squares: orders of n things, balanced for position and for what comes directly before."""

from __future__ import annotations

from functools import cache

from decam.errors import SettingError


@cache
def first_row(count: int) -> tuple[int, ...]:
    """The row 0, 1, n − 1, 2, n − 2, …, from which the others are made by adding (Williams 1949)."""
    if count < 1:
        raise SettingError(f"An order needs at least one condition; there are {count}.")
    return tuple((place + 1) // 2 if place % 2 else -(place // 2) % count for place in range(count))


def rows(count: int) -> int:
    """How many rows the square of n things has: n for even n, 2 n for odd n, and 1 for a single thing."""
    return 1 if count == 1 else count * (1 + count % 2)


def williams_row(count: int, number: int) -> tuple[int, ...]:
    """A row of the square; numbers past its last row begin it again. For odd n the rows from n on are mirrored."""
    shift = number % rows(count)
    row = tuple((one + shift) % count for one in first_row(count))
    return row[::-1] if shift >= count else row


def williams(count: int) -> tuple[tuple[int, ...], ...]:
    """The Williams square of n conditions: n rows for even n, 2 n for odd n.

    Each condition stands once in a row. Over the rows it stands equally often at each place, and each ordered pair of
    neighbours comes equally often (Williams 1949). Raises SettingError for fewer than one condition.
    """
    return tuple(williams_row(count, number) for number in range(rows(count)))


def rounds(count: int, number: int, how_many: int) -> list[tuple[int, ...]]:
    """Rows for several rounds of one sequence; no round begins with the condition that ended the one before.

    Over the sequences 0 … rows − 1, each round has all rows once, so each place of each round has each condition
    equally often. From round to round the row moves on by all steps in turn that repeat no condition.
    """
    mirrored = number % rows(count) >= count
    end = first_row(count)[-1]
    steps = [step for step in range(count) if count == 1 or step not in (end, (count - end) % count)]
    shift, found = number % count, []
    for turn in range(how_many):
        found.append(williams_row(count, shift + count * mirrored))
        shift = (shift + steps[turn % len(steps)]) % count
    return found
