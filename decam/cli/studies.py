"""The commands on studies: list, analyse, export, rehearse, and the hash of the researchers' password."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from decam.cli.codes import OK
from decam.cli.terminal import columns, padded, say, visible
from decam.files import write_atomically
from decam.numerals import several
from decam.paths import database_url, directory
from decam.studies.design import Stage, StudyError
from decam.studies.export.pack import pack_files
from decam.studies.export.preregistration import LONGEST, preregistration
from decam.studies.passwords import hashed
from decam.studies.reading import export_files, material_of
from decam.studies.responses import Lane, StudyStore
from decam.studies.results import Table, results
from decam.studies.sessions import Sessions
from decam.studies.simulated import simulate as simulated
from decam.studies.simulated import usual_strengths


def password(given: argparse.Namespace) -> int:
    """Ask for a password twice, or read it from a pipe, and print the lines for .streamlit/secrets.toml.

    Raises StudyError for a password that is too short, or was not typed twice alike.
    """
    del given
    chosen = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    stored = hashed(chosen)
    say("Put these lines into .streamlit/secrets.toml where the dashboard is started; the password itself stays here.")
    print(f'[studies]\npassword = "{stored}"')
    return OK


def _typed() -> str:
    first = getpass.getpass("Password for studies: ")
    if getpass.getpass("The same again: ") != first:
        raise StudyError("The two passwords differ; start the command again.")
    return first


def show(given: argparse.Namespace) -> int:
    """List the studies of the data directory, one a line: id, stage, people who finished, name."""
    del given
    with _store() as store:
        for record in store.recent():
            lane = Lane.LIVE if record.stage in (Stage.LIVE, Stage.CLOSED) else Lane.PILOT
            people = store.participants(record.id, lane)
            finished = sum(one.finished is not None for one in people)
            name = visible(record.study.name)
            print(f"{record.id}  {record.stage:6}  {finished:4} of {len(people)} finished  {name}")
    return OK


def analyse(given: argparse.Namespace) -> int:
    """Print what every section of a study's results says, with its tables."""
    with _store() as store:
        read = material_of(store, given.study, Lane(given.lane), kept_only=given.kept, blinded=given.blinded)
        print(visible(f"{read.study.name} ({given.lane})"))
        for section, findings in results(read):
            print(f"\n{section.title}\n{'=' * columns(section.title)}")
            for sentence in findings.sentences:
                print(visible(sentence))
            for table in findings.tables:
                _print_table(table)
    return OK


def export(given: argparse.Namespace) -> int:
    """Write answers, codebook, results, preregistration and a Psych-DS folder into a new folder."""
    with _store() as store:
        _write(Path(given.out), export_files(store, given.study, Lane(given.lane)))
    return OK


def pack(given: argparse.Namespace) -> int:
    """Write the study for other platforms: stimuli, trials.csv, a jsPsych page, a reVISit configuration."""
    with _store() as store:
        record = store.get(given.study)
        _write(Path(given.out), pack_files(record.study, store.folder(record.id), given.sequences))
    return OK


def preregister(given: argparse.Namespace) -> int:
    """Print a preregistration under AsPredicted's headings."""
    with _store() as store:
        record = store.get(given.study)
        text = preregistration(record.study, record.stage, record.digest)
    for line in text.splitlines():
        print(visible(line))
    say(f"{len(text):,} of {LONGEST:,} characters.")
    return OK


def simulate(given: argparse.Namespace) -> int:
    """Let simulated participants take the whole study, so that its analysis can be read before there are people."""
    with _store() as store:
        record = store.get(given.study)
        strengths = usual_strengths(record.study)
        for one in simulated(Sessions(store), record, given.persona, given.count, given.seed, strengths):
            say(f"{one.done} of {one.count} took part: {one.outcome}.")
    return OK


@contextlib.contextmanager
def _store() -> Iterator[StudyStore]:
    store = StudyStore(directory(), database_url())
    try:
        yield store
    finally:
        store.close()


def _print_table(table: Table) -> None:
    """A table in columns, its title above."""
    lines = [table.head, *([visible(str(value)) for value in row] for row in table.rows)]
    widths = [max(columns(str(line[place])) for line in lines) for place in range(len(table.head))]
    print(f"\n{visible(table.title)}")
    for line in lines:
        print("  ".join(padded(str(value), width) for value, width in zip(line, widths, strict=True)).rstrip())


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files into a new or empty folder; raises StudyError for one that holds something, or that refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StudyError(f"{folder} is not empty; give a new or an empty folder.")
        count = 0
        for name, content in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            count += 1
    except OSError as error:
        raise StudyError(f"{folder} cannot be written: {error.strerror or error}; give another folder.") from error
    say(f"{several(count, 'file')} in {folder}.")
