"""Methods under letters: A … Z, AA … by chance, the same for everybody."""

from __future__ import annotations

import string

from decam.errors import SettingError
from decam.studies.assignment.chance import Chance, Use


def letters(count: int, seed: int) -> tuple[str, ...]:
    """A letter for each condition in its order; which one it gets depends on the seed alone.

    The first `count` of A … Z, AA, AB … are dealt. Raises SettingError for a negative count.
    """
    if count < 0:
        raise SettingError(f"Letters are given to 0 conditions or more, not to {count}.")
    return tuple(Chance(seed, Use.LETTERS).shuffled([_name(number) for number in range(count)]))


def _name(number: int) -> str:
    """The name of a number as spreadsheets call their columns: 0 is A, 25 is Z, 26 is AA."""
    name = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        name = string.ascii_uppercase[last] + name
    return name
