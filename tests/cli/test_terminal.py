"""Progress: one line that changes on a terminal, few lines in a log, and Ctrl-C between two steps."""

from __future__ import annotations

import io
import signal

import pytest

from decam.cli import terminal
from decam.cli.terminal import Line, columns, cut, padded, say, stopping, visible


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_overwrites_itself_and_notes_stay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = _Terminal()
    with Line(stream) as line:
        line.show("a" * 50)
        line.show("second")
        line.note("kept")
    assert stream.getvalue() == f"\r{'a' * 19}\x1b[K\rsecond\x1b[K\r\x1b[Kkept\n"


def test_in_a_log_progress_comes_only_now_and_then(monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now)
    stream = io.StringIO()
    line = Line(stream)
    for now in range(25):
        line.show(f"{now} s")
    assert stream.getvalue() == "10 s\n20 s\n"


def test_the_first_interrupt_asks_the_second_interrupts_and_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stop:
        assert not stop.asked
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# Names that a stranger chose

ESCAPED = [
    ("a\nb\r\tc", r"a\nb\r\tc"),
    ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
    ("\x9b31m\x00\x7f", r"\x9b31m\x00\x7f"),
    ("a\u2028b\u202egpj.exe", r"a\u2028b\u202egpj.exe"),
    ("\udcff.png", r"\udcff.png"),
]


@pytest.mark.parametrize(("name", "expected"), ESCAPED)
def test_a_terminal_obeys_nothing_that_a_name_holds(name: str, expected: str, capsys: pytest.CaptureFixture[str]):
    assert visible(name) == expected
    stream = _Terminal()
    with Line(stream) as line:
        line.show(name)
        line.note(name)
    say(name)
    assert stream.getvalue() == f"\r{expected}\x1b[K\r\x1b[K{expected}\n"
    assert capsys.readouterr().err == f"{expected}\n"


@pytest.mark.parametrize(
    "name", ["scène 1.png", "Füße.png", "猫.png", "ne\u0301.png", "क्षि", "👩\u200d🔬.png", "3:05\u202fPM.png"]
)
def test_names_in_any_writing_stay_as_they_are(name: str):
    assert visible(name) == name


@pytest.mark.parametrize(
    ("text", "width"), [("cat", 3), ("猫.png", 6), ("ｱ", 1), ("ａ", 2), ("e\u0301", 1), ("a\u200db", 2), ("", 0)]
)
def test_a_column_is_what_a_terminal_gives_a_letter(text: str, width: int):
    assert columns(text) == width
    assert columns(padded(text, 8)) == 8 and padded(text, 8).startswith(text)
    assert padded(text, 0) == text


def test_a_text_is_cut_where_the_columns_end():
    assert cut("猫猫猫", 5) == "猫猫"
    assert cut("ne\u0301e", 2) == "ne\u0301"
    assert cut("abc", 5) == "abc"


def test_progress_with_wide_letters_stays_on_its_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "10")
    stream = _Terminal()
    Line(stream).show("猫" * 20)
    assert stream.getvalue() == f"\r{'猫' * 4}\x1b[K"
