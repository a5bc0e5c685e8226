"""A page has all that a benchmark printed, what it measures, and how to measure it again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from decam.benchmark.machine import machine
from decam.benchmark.report import BY_HAND, Report, command, parser_of, script
from decam.benchmark.text import execution, spread, table, verdict
from decam.classifier import Execution
from decam.errors import DecamError, StoreError

ABOUT = """How long it takes.

Medians of rounds.

    .venv/bin/python -m benchmarks.pace
"""


def test_a_page_is_written_with_what_was_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("Pace", "benchmarks.pace", ABOUT, ["--rounds", "3", "--write", "page.md"])
    report.say("a line\n")
    report.say(table(("model", "s"), [("net", 1.5)]))
    report.write(tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    printed = capsys.readouterr().out
    assert printed == f"{machine()}\na line\n\n| model | s |\n|---|---|\n| net | 1.5 |\n"
    assert page == report.page(datetime.now(UTC))
    assert page.splitlines()[0] == "# Pace"
    assert "How long it takes.\n\nMedians of rounds.\n\n    .venv/bin/python -m benchmarks.pace --rounds 3\n" in page
    assert machine() in page and f"{datetime.now(UTC):%Y-%m-%d}" in page
    assert page.endswith("a line\n\n| model | s |\n|---|---|\n| net | 1.5 |\n")


def test_nothing_is_written_unless_a_file_is_named_and_one_that_cannot_be_is_said(tmp_path: Path) -> None:
    report = Report("Pace", "benchmarks.pace", ABOUT, [])
    report.write(None)
    with pytest.raises(StoreError, match="cannot be written"):
        report.write(tmp_path / "absent" / "page.md")


def test_the_command_names_no_folder_of_this_machine() -> None:
    given = ["--pictures", "/home/somebody/my images", "--write=page.md", "--rows", "de-cam*"]
    assert command("benchmarks.faithfulness", given) == (
        ".venv/bin/python -m benchmarks.faithfulness --pictures 'my images' --rows 'de-cam*'"
    )


def test_every_benchmark_can_write_and_those_with_a_store_can_go_on() -> None:
    plain = parser_of(ABOUT).parse_args(["--write", "page.md"])
    assert plain.write == Path("page.md") and not hasattr(plain, "out")
    stored = parser_of(ABOUT, out="results").parse_args(["--table"])
    assert (stored.out, stored.table, stored.write) == (Path("results"), True, None)


def test_what_a_user_can_mend_ends_a_script_with_a_sentence() -> None:
    def broken() -> None:
        raise DecamError("Give another folder.")

    with pytest.raises(SystemExit, match="Give another folder"):
        script(broken)


def test_numbers_and_times_are_said_in_words() -> None:
    assert spread([3.0, 9.0, 4.0], ".1f") == "4.0 (3.0 to 9.0)"
    assert [verdict(True), verdict(False)] == ["met", "missed"]
    assert execution(Execution("bfloat16", True, 8, 2)) == "bfloat16, channels last, batch 8, 2 side by side"
    assert table(("", "a"), [("", 1)]) == "| | a |\n|---|---|\n| | 1 |"


def test_what_was_written_by_hand_below_the_mark_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    report = Report("Title", "benchmarks.some", "What is measured.", [])
    report.say("first figures")
    report.write(page)
    page.write_text(page.read_text(encoding="utf-8") + f"\n{BY_HAND}\n\nMissed by a little.\n", encoding="utf-8")
    again = Report("Title", "benchmarks.some", "What is measured.", [])
    again.say("second figures")
    again.write(page)
    text = page.read_text(encoding="utf-8")
    assert "first figures" not in text and "second figures" in text
    assert text.endswith(f"\n{BY_HAND}\n\nMissed by a little.\n")
