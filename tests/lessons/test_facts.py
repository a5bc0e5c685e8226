"""Facts: how numbers are put into words, and what they are read from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.figures.overlays import alone
from decam.lessons import facts, runs
from decam.lessons.facts import percent

HALF = "50\N{NO-BREAK SPACE}%"


def test_a_share_is_said_as_a_whole_percentage_and_never_as_nothing_or_all_where_it_is_not() -> None:
    assert percent(0.5) == HALF
    assert percent(0) == "0\N{NO-BREAK SPACE}%"
    assert percent(1) == "100\N{NO-BREAK SPACE}%"
    assert percent(0.001) == "under 1\N{NO-BREAK SPACE}%"
    assert percent(0.9996) == "over 99\N{NO-BREAK SPACE}%"


@given(st.floats(0, 1))
@example(0.005)
@example(0.995)
def test_a_percentage_is_right_to_half_a_percent(share: float) -> None:
    said = percent(share)
    number = int(said.split("\N{NO-BREAK SPACE}")[0].split()[-1])
    assert abs(100 * share - number) <= (1 if said[0] in "uo" else 0.5 + 1e-9)
    assert (said[0] in "uo") == (0 < 100 * share <= 0.5 or (100 * share >= 99.5 and share < 1))  # a half goes to even


def test_measured_values_are_those_of_the_stored_table() -> None:
    head, *rows = (runs.FOLDER / "star" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    column = head.split(",").index("deletion (fill=mean)")
    table = {row.split(",")[3]: float(row.split(",")[column]) for row in rows}
    for method in ("de-cam", "random", "edges"):
        assert facts.measured("star", method, "deletion", "mean")() == f"{table[method]:.2f}"
    best = min(("de-cam", "random", "edges"), key=table.__getitem__)
    assert facts.best("star", "deletion", "mean", ("de-cam", "random", "edges"))() == facts.title("star", best)()
    assert facts.best_value("star", "deletion", "mean", ("de-cam", "random", "edges"))() == f"{table[best]:.2f}"


def test_the_probability_after_a_share_is_that_of_the_curve_there() -> None:
    rows = (runs.FOLDER / "star" / "curves.csv").read_text(encoding="utf-8").splitlines()
    (row,) = [
        one for one in rows if ",de-cam,deletion (fill=mean),0.1," in one or ",de-cam,deletion (fill=mean),0.100" in one
    ]
    assert facts.after("star", "de-cam", "deletion", "mean", 0.1)() == percent(float(row.split(",")[-4]))


def test_the_best_fitness_is_that_of_the_stored_generations() -> None:
    best = [frame.curves["best"] for frame in facts.cell("star", 0, "de-cam").frames if frame.trace is not None]
    assert facts.fitness("star", "de-cam", at="first")() == f"{best[0]:.2f}"
    assert facts.fitness("star", "de-cam", at="last")() == f"{best[-1]:.2f}"
    assert facts.fitness("star", "de-cam", at="highest")() == f"{sorted(best)[-1]:.2f}"


def test_an_answer_that_never_changes_is_a_sentence_and_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = facts.curve_of("star", 0, "de-cam", "deletion", "mean")
    assert measured.curve is not None and measured.curve.top is not None
    same = np.full_like(measured.curve.top, facts.explanation("star", 0, "de-cam").target)
    still = replace(measured, curve=replace(measured.curve, top=same))
    monkeypatch.setattr(facts, "curve_of", lambda *_: still)
    with pytest.raises(SettingError, match="Hiding pixels by 'de-cam' never changes the class of the run 'star'"):
        facts.changes("star", "de-cam", "mean")()


@pytest.mark.parametrize("signed", [False, True])
def test_the_colours_that_are_named_are_those_of_the_pictures(signed: bool) -> None:
    # Red, green, blue and lightness tell the names apart that lessons may say.
    told = {
        "black": lambda red, green, blue: max(red, green, blue) < 40,
        "pale yellow": lambda red, green, blue: min(red, green) > 220 and blue < min(red, green) - 30,
        "orange": lambda red, green, blue: red > green > blue + 30,
        "blue": lambda red, green, blue: blue > green > red + 30,
    }
    ramp = np.linspace(-1 if signed else 0, 1, 64, dtype=np.float32).reshape(8, 8)
    drawn = alone(ramp, (8, 8), signed=signed).reshape(-1, 3).astype(int)
    for high, colour in ((False, drawn[0]), (True, drawn[-1])):
        assert told[facts.colour(high=high, signed=signed)()](*colour), (high, colour)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: facts.cell("star", 0, "lime"), "no map of question 0 by 'lime'"),
        (lambda: facts.metric_of("star", "deletion", "noise"), "has no deletion with the fill 'noise'"),
        (lambda: facts.metric_of("clever-hans", "deletion", "mean"), "has no deletion with the fill 'mean'"),
        (lambda: runs.load("nothing"), "There is no run for lessons 'nothing'"),
    ],
)
def test_what_a_run_does_not_have_is_a_sentence(ask: object, sentence: str) -> None:
    assert callable(ask)
    with pytest.raises(SettingError, match=sentence):
        ask()
