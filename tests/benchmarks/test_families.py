"""The benchmark of one of each family: what is timed, what is looked at, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import families
from benchmarks.families import MIB, Timing, line, looks, main, memory_table, picture, plan, timed
from decam import load_classifier
from decam.errors import DecamError
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, usual_metrics
from decam.methods import METHODS
from decam.methods.presets import PRESETS


def small() -> Plan:
    """Two methods that cost nothing, and short curves."""
    methods = [MethodChoice.default(name) for name in ("random", "centre")]
    return comparison.plan("embedded", "cpu", [PictureChoice("picture")], methods, metrics=usual_metrics(steps=4))


@pytest.mark.slow
def test_one_of_each_family_is_asked_with_the_usual_settings() -> None:
    classifier = load_classifier("embedded", exact=True)
    asked = plan(classifier, "families")
    names = [choice.name for choice in asked.methods]
    assert tuple(names) == PRESETS["families"].members(classifier)
    assert len({METHODS[name].family for name in names}) == len(names)
    assert asked.metrics == usual_metrics((("mean", "blur"), ("blur", "mean")), 50)


@pytest.mark.slow
def test_a_comparison_is_timed_from_its_start_to_its_last_curve() -> None:
    classifier = load_classifier("embedded", exact=True)
    found = timed(classifier, classifier.view(picture("embedded")), small())
    assert [name for name, _ in found.maps] == ["random", "centre"]
    assert found.whole >= found.curves + sum(seconds for _, seconds in found.maps)
    assert found.curves > 0 and found.processor > 0


@pytest.mark.parametrize("part", ["decam.experiments.execute.explain_view", "decam.metrics.faithfulness.curves"])
def test_a_method_or_a_curve_that_fails_ends_the_benchmark_with_its_sentence(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    classifier = load_classifier("embedded", exact=True)

    def broken(*_: object) -> None:
        raise DecamError("It is broken.")

    monkeypatch.setattr(part, broken)
    with pytest.raises(DecamError, match="random: It is broken"):
        timed(classifier, classifier.view(picture("embedded")), small())


def test_a_line_says_medians_and_whether_the_aim_is_met() -> None:
    timings = [Timing(whole, 2 * whole, (("rise", whole / 2),), 1.0) for whole in (3.0, 9.0, 4.0)]
    assert line("net", timings, 15) == "| net | 1 | 4.0 (3.0 to 9.0) | 8.0 | rise 2.00 | 1.0 | under 15 | met |"
    assert line("net", timings, 4).endswith("| under 4 | missed |")
    assert line("net", timings[:1]) == "| net | 1 | 3.0 | 6.0 | rise 1.50 | 1.0 | | |"


def test_memory_is_looked_at_after_five_runs_and_at_the_end() -> None:
    assert looks(50) == (5, 10, 20, 30, 40, 50)
    assert looks(12) == (5, 10, 12)
    assert looks(3) == (3,)


def test_memory_that_grew_misses_its_aim() -> None:
    assert memory_table([(5, 100 * MIB), (50, 104 * MIB)]).endswith("+4.0% from 5 to 50 runs (aim: within 5%): met")
    assert memory_table([(5, 100 * MIB), (50, 106 * MIB)]).endswith("missed")
    assert memory_table([(3, 100 * MIB)]).endswith("| 3 | 100.0 |")


@pytest.mark.slow
def test_runs_are_done_one_after_another_and_memory_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(families, "plan", lambda *_: small())
    main(["--rounds", "1", "--models", "embedded", "--runs", "2", "--write", str(tmp_path / "families.md")])
    printed = capsys.readouterr().out
    assert printed.partition("\n")[2].strip() in (tmp_path / "families.md").read_text()
    assert "| embedded, the first | 2 |" in printed
    assert "\n| 2 | " in printed


def test_where_memory_cannot_be_read_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(families, "STATM", tmp_path / "absent")
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
    assert "only Linux has" in capsys.readouterr().err
