"""Rules of exclusion."""

from __future__ import annotations

from dataclasses import dataclass

from decam.settings import Settings


@dataclass(frozen=True)
class Rule:
    """A rule of exclusion."""

    name: str
    settings: type[Settings]


RULES: tuple[Rule, ...] = ()


def get(name: str) -> Rule:
    """The rule of a name."""
    return next(rule for rule in RULES if rule.name == name)
