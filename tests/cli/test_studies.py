"""The commands on studies: the password, and the choices that the help lists without loading the studies."""

from __future__ import annotations

import getpass
import io
import sys
import tomllib
from collections.abc import Iterator

import pytest

from decam.cli import _LANES, _parser, main
from decam.cli.codes import BAD_INPUT, OK
from decam.studies.passwords import matches
from decam.studies.responses import Lane
from decam.studies.simulated import get

PASSWORD = "correct horse"


@pytest.mark.slow
def test_a_password_from_a_pipe_becomes_lines_of_the_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["study", "password"]) == OK
    printed = capsys.readouterr()
    assert matches(PASSWORD, tomllib.loads(printed.out)["studies"]["password"])
    assert PASSWORD not in printed.out + printed.err
    assert "secrets.toml" in printed.err


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "sentence"), [
    ((PASSWORD, PASSWORD), ""), ((PASSWORD, "correct house"), "The two passwords differ"),
    (("short", "short"), "The password has 5 characters, but needs 10"),
])  # fmt: skip
def test_a_password_is_typed_twice_and_must_be_long_enough(
    typed: tuple[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: Iterator[str] = iter(typed)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(answers))
    assert main(["study", "password"]) == (BAD_INPUT if sentence else OK)
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert bool(printed.out) == (not sentence)


def test_lanes_and_the_usual_persona_are_those_of_the_studies() -> None:
    assert set(_LANES) == set(map(str, Lane))
    usual = _parser().parse_args(["study", "simulate", "x"]).persona
    assert get(usual).name == usual
