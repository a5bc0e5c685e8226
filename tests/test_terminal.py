"""Progress: one line that changes on a terminal, few lines in a log, and Ctrl-C between two steps."""

from __future__ import annotations

import io
import os
import signal

import pytest

from decam import terminal
from decam.terminal import Line, share, stopping


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


@pytest.mark.parametrize(("step", "total", "text"), [(0, 8, "0 %"), (3, 8, "37 %"), (9, 8, "100 %"), (3, 0, "")])
def test_shares_never_say_more_than_is_done(step: int, total: int, text: str):
    assert share(step, total) == text


def test_the_first_interrupt_asks_the_second_interrupts_and_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stop:
        assert not stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
