"""The commands on studies: the hash of the researchers' password."""

from __future__ import annotations

import argparse
import getpass
import sys

from decam.cli.codes import OK
from decam.cli.terminal import say
from decam.studies.design import StudyError
from decam.studies.passwords import hashed


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
