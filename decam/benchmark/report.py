"""What a benchmark prints, kept for a page that it writes about itself."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from decam.benchmark.machine import machine
from decam.errors import DecamError, StoreError

WRITE = "--write"


def parser_of(about: str, out: str = "") -> argparse.ArgumentParser:
    """A benchmark's arguments: its module's docstring as the help, and --write.

    With `out`, the name of a directory, also --out and --table: for what is computed into a store.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if out:
        parser.add_argument("--out", type=Path, default=Path(out), metavar="DIR", help="%(default)s")
        parser.add_argument("--table", action="store_true", help="only print the tables from what is there")
    parser.add_argument(WRITE, type=Path, metavar="FILE", help="also write a Markdown page with all that is printed")
    return parser


BY_HAND = "<!-- Written by hand from here on; what is above comes from the script. -->"


def script(main: Callable[[], None]) -> None:
    """Run a script; what a user can mend ends it with a sentence instead of a traceback."""
    try:
        main()
    except DecamError as error:
        sys.exit(str(error))


def command(module: str, arguments: Sequence[str]) -> str:
    """How a benchmark was called, without --write; of absolute paths, which are one machine's, the last part."""
    words: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == WRITE:
            next(remaining, None)
        elif not argument.startswith(f"{WRITE}="):
            path = Path(argument)
            words.append(path.name if path.is_absolute() else argument)
    return shlex.join([".venv/bin/python", "-m", module, *words])


class Report:
    """What a benchmark prints, line by line; `write` makes a page of it.

    `module` is the script as `python -m` takes it, `about` its docstring: the first line is what is measured, and what
    is indented there are examples of calls, which the page leaves out.
    """

    def __init__(self, title: str, module: str, about: str, arguments: Sequence[str] | None = None) -> None:
        self.title = title
        self._about = about
        self._command = command(module, sys.argv[1:] if arguments is None else arguments)
        self._machine = machine()
        self._parts: list[str] = []
        print(self._machine, flush=True)

    def say(self, text: str = "") -> None:
        """Print and keep a line or a table."""
        print(text, flush=True)
        self._parts.append(text)

    def write(self, path: Path | None) -> None:
        """Write the page where a path is given, and keep what was written by hand below the mark of an earlier one.

        Raises StoreError where the page cannot be read or written.
        """
        if path is None:
            return
        try:
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            _, mark, by_hand = before.partition(BY_HAND)
            path.write_text(self.page(datetime.now(UTC)) + (f"\n{mark}{by_hand}" if mark else ""), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror or error}); give another file.") from error

    def page(self, when: datetime) -> str:
        """The page: title, what is measured, how to measure it again, on what and when, and all that was printed."""
        lines = self._about.strip().splitlines()
        measured = "\n".join(line for line in lines if not line.startswith("    ")).strip()
        body = "\n".join(self._parts).strip()
        return (
            f"# {self.title}\n\n{measured}\n\n    {self._command}\n\n"
            f"{self._machine}. Written on {when:%Y-%m-%d} by this command.\n\n{body}\n"
        )
