"""Settings as frozen dataclasses whose fields carry default, bounds and help: forms and checks have one source."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_type_hints

from decam.errors import SettingError, unknown


@dataclass(frozen=True)
class Parameter:
    """One field of a settings class as a form shows it.

    `kind` is int, float, str or bool. `choices` lists the values allowed (str only). `source` names a list that
    depends on the classifier ("layers"), from which a form offers choices; the empty string is then its default.
    `lines` is how many lines of a text a form shows at once.
    `earlier` is the name that plans of earlier versions know it by, empty where it always had this one.
    """

    name: str
    kind: type
    default: int | float | str | bool
    title: str
    help: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    source: str = ""
    lines: int = 1
    earlier: str = ""

    def check(self, value: object) -> None:
        """Raise SettingError unless `value` has the right type and lies within the bounds."""
        expected = (int, float) if self.kind is float else self.kind
        if not isinstance(value, expected) or (self.kind is not bool and isinstance(value, bool)):
            raise SettingError(f"{self.name} must be {_KINDS[self.kind]}, not {value!r}.")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise SettingError(f"{self.name} must be a finite number, not {value!r}.")
            low_broken = self.low is not None and value < self.low
            high_broken = self.high is not None and value > self.high
            if low_broken or high_broken:
                raise SettingError(
                    f"{self.name} is {value:g}, but must lie between {self.low:g} and {self.high:g}."
                    if self.low is not None and self.high is not None
                    else f"{self.name} is {value:g}, outside its bounds [{self.low}, {self.high}]."
                )
        if self.choices and value not in self.choices:
            raise SettingError(f"{self.name} is {value!r}, but must be one of: {', '.join(self.choices)}.")

    def in_words(self, value: int | float | str | bool) -> str:
        """A value with what it is a value of, in words: 196 steps, black fill, noise 0.01, layer features.3."""
        title = self.title[0].lower() + self.title[1:]
        first, space, rest = title.partition(" ")
        if isinstance(value, bool):
            return f"{title} {'on' if value else 'off'}"
        if isinstance(value, str):
            named = f"{title} {value}" if self.source else f"{value} {title}"
            return named if value else f"automatic {title}"
        if self.kind is int and first.endswith("s"):  # a count of what the title names
            return f"{value:,} {first if value != 1 else first[:-1]}{space}{rest}"
        return f"{title} {value:,}" if self.kind is int else f"{title} {value:g}"


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def parameter(
    default: Any,
    help: str,
    *,
    title: str = "",
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] = (),
    source: str = "",
    lines: int = 1,
    earlier: str = "",
) -> Any:
    """Declare a field of a settings class with what a form needs to know about it."""
    described: dict[str, Any] = {"title": title, "help": help, "low": low, "high": high, "step": step}
    described |= {"choices": choices, "source": source, "lines": lines, "earlier": earlier}
    return dataclasses.field(default=default, metadata=described)


@dataclass(frozen=True)
class Settings:
    """Base of all settings: checked when made, built from and turned into plain mappings."""

    def __post_init__(self) -> None:
        for described in self.parameters():
            described.check(getattr(self, described.name))

    @property
    def ends_early(self) -> bool:
        """True if the work may end before it has cost all that it may; its cost is then the most."""
        return False

    @property
    def estimates(self) -> bool:
        """True if the fitness of a search is estimated from answers so far, and not what the model answered itself."""
        return False

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The fields in the order of their declaration."""
        return _parameters(cls)  # type: ignore[arg-type]  # a class can be hashed, whatever its instances

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Settings from names and values; raises SettingError for a name that does not exist or a bad value.

        Names of earlier versions are read as today's, so that old plans mean what they meant.
        """
        values = _renamed(values, {one.earlier: one.name for one in cls.parameters() if one.earlier})
        names = [described.name for described in cls.parameters()]
        for name in values:
            if name not in names:
                raise SettingError(unknown("setting", name, names))
        return cls(**values)

    def to_mapping(self) -> dict[str, int | float | str | bool]:
        """Names and values, fit for JSON."""
        return dataclasses.asdict(self)


@functools.cache
def _parameters(settings: type[Any]) -> tuple[Parameter, ...]:
    kinds = get_type_hints(settings)
    return tuple(
        Parameter(
            name=field.name,
            kind=kinds[field.name],
            default=field.default,  # type: ignore[arg-type]  # parameter() always gives a default
            **{**field.metadata, "title": field.metadata["title"] or field.name.replace("_", " ")},
        )
        for field in dataclasses.fields(settings)
    )


def _renamed(values: Mapping[str, object], today: Mapping[str, str]) -> Mapping[str, object]:
    """The values by today's names; raises SettingError where one is given by its earlier name too."""
    for earlier, name in today.items():
        if earlier in values and name in values:
            raise SettingError(f"{earlier!r} is the earlier name of {name!r}, and both are given; give {name!r} alone.")
    return {today.get(name, name): value for name, value in values.items()}
