"""What can go wrong, each as one sentence a person can act on."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class DecamError(Exception):
    """What was wrong, what was expected and what to do: text that a page or a terminal shows as it is."""


class ImageError(DecamError):
    """A file or array that cannot be used as a picture."""


class ModelError(DecamError):
    """A model that is unknown, missing, damaged or does not answer."""


class SettingError(DecamError):
    """A value outside what a setting allows."""


class MethodError(DecamError):
    """A method that cannot explain this classifier."""


class StoreError(DecamError):
    """A data directory or a run that cannot be read or written."""


class NoSuchRunError(StoreError):
    """A link that leads to no run."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id[:40]!r}; it may have been deleted, or the link is incomplete.")


class NotYourRunError(StoreError):
    """A run that somebody else started, on a server whose visitors are strangers to each other."""

    def __init__(self) -> None:
        super().__init__(
            "This run belongs to somebody else. You can look at all of it, and start a run of your own like it."
        )


class RunTakenError(StoreError):
    """A run that another process computes, or has just begun."""

    def __init__(self) -> None:
        super().__init__("This run is being computed by another process; stop it there first.")


def unknown(what: str, name: object, known: Iterable[object]) -> str:
    """What to say of a name that there is not: which there are, and the one that was probably meant."""
    names = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {what} {name!r}; there are: {', '.join(names) or 'none'}.{hint}"


Row = TypeVar("Row")


def row_of(what: str, name: str, table: Mapping[str, Row], error: type[DecamError]) -> Row:
    """The row of that name in a table; raises `error`, with the names there are, where there is none."""
    if not isinstance(name, str) or name not in table:  # a file may hold anything
        raise error(unknown(what, name, table))
    return table[name]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


def named(what: str, name: str, rows: Sequence[Named], error: type[DecamError]) -> Named:
    """The row of that name among rows that know their names; raises `error` as `row_of` does."""
    return row_of(what, name, {row.name: row for row in rows}, error)
