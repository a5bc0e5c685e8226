"""A bar where somebody watches, nothing where nobody does, and the same words as the command line's."""

from __future__ import annotations

import io
import re
import sys
import types

import pytest

import decam
from decam.errors import SettingError
from decam.explanation import Progress
from decam.export.telling import Bar, bar, in_notebook, watched


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def steps():
    for step in (1, 2):
        yield Progress(step, 4, 10 * step)
    return "made"


def test_nothing_is_written_where_output_is_no_terminal(capsys: pytest.CaptureFixture[str], rectangle) -> None:
    assert watched(steps(), "RISE") == "made"
    decam.compare(rectangle.classifier, [rectangle.view], ["centre"], metrics=["sparsity"])
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(steps(), "RISE", shown=True) == "made"
    err = capsys.readouterr().err
    assert "RISE" in err and "100 %" in err and "20 evaluations" in err


def test_a_terminal_gets_a_bar_unless_nobody_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for shown, expected in ((None, True), (False, False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        watched(steps(), "RISE", shown)
        assert bool(terminal.getvalue()) == expected


def test_a_notebook_is_known_by_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_notebook()
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert in_notebook()
    shell.config = {}
    assert not in_notebook()


def test_the_bar_never_goes_back_beyond_its_ends_or_breaks_its_line() -> None:
    seen = []

    class Fake:
        n = 0.0

        def update(self, more: float) -> None:
            self.n += more
            seen.append(self.n)

        def set_postfix_str(self, text: str, refresh: bool) -> None:
            assert not refresh and text == "a b  [2K"

    told = Bar(Fake())
    for share in (0.25, 7.0, -1.0):
        told.reach(share)
    assert seen == [0.25, 1.0, 1.0]
    told.note("a\nb \x1b[2K")


def test_a_comparison_tells_what_the_command_line_tells(capsys: pytest.CaptureFixture[str], rectangle) -> None:
    decam.compare(rectangle.classifier, [rectangle.view], ["centre", "random"], metrics=["sparsity"], progress=True)
    err = capsys.readouterr().err
    assert "2 maps" in err and "100 %" in err
    assert re.search(r"image 1|Sparsity measured|of 2 maps", err)


def test_work_that_fails_leaves_no_bar_behind(capsys: pytest.CaptureFixture[str]) -> None:
    def broken():
        yield Progress(1, 4, 10)
        raise SettingError("It broke.")

    with pytest.raises(SettingError, match="It broke"):
        watched(broken(), "RISE", shown=True)
    with bar("again", shown=False) as silent:
        silent.show("nothing")
    assert "nothing" not in capsys.readouterr().err
