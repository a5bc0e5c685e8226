"""Each rule on either side of its bound; flags that remove nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from decam.errors import SettingError
from decam.studies.analysis.exclusions import RULES, Summary, choose, flagged

GOOD = Summary(
    participant="p1",
    finished=True,
    times=(2000.0, 2500.0, 3000.0),
    taken=20_000,
    away=1000,
    answers={"rating": ("1", "2", "3", "4", "5", "4", "3", "2")},
    sides=("left", "right") * 5,
    failed_checks=0,
    window=(1280, 720),
)

AT_THE_BOUND = {
    "too-fast": (
        replace(GOOD, times=(100.0, 800.0, 9000.0)),
        replace(GOOD, times=(100.0, 799.0, 9000.0)),
        "The median trial took 799 ms, less than 800 ms.",
    ),
    "failed-checks": (
        replace(GOOD, failed_checks=1),
        replace(GOOD, failed_checks=2),
        "2 attention checks failed; 2 or more are flagged.",
    ),
    "straight-lining": (
        replace(GOOD, answers={"rating": ("4",) * 7 + ("5",)}),
        replace(GOOD, answers={"rating": ("4",) * 8}),
        "8 of 8 answers to rating were '4'.",
    ),
    "unfinished": (GOOD, replace(GOOD, finished=False), "The study was not finished."),
    "away": (
        replace(GOOD, away=6000),
        replace(GOOD, away=6100),
        "The page was hidden or out of focus for 30 % of the time; more than 30 % is flagged.",
    ),
    "small-window": (
        replace(GOOD, window=(320, 480)),
        replace(GOOD, window=(319, 480)),
        "The window was as small as 319 × 480 pixels; it needs 320 × 480.",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_flags_beyond_its_bound_only(name: str) -> None:
    sound, unsound, reason = AT_THE_BOUND[name]
    rule = choose(name)
    assert rule.rule.run(sound, rule.settings) is None
    assert rule.rule.run(unsound, rule.settings) == reason


def test_always_the_left_map_is_straight_lining_and_few_trials_are_not_looked_at() -> None:
    rule = choose("straight-lining")
    left = replace(GOOD, sides=("left",) * 10)
    assert rule.rule.run(left, rule.settings) == "10 of 10 choices were of the left map."
    few = replace(GOOD, sides=("left",) * 7, answers={"rating": ("4",) * 7})
    assert rule.rule.run(few, rule.settings) is None
    most = choose("straight-lining", {"share": 0.8})
    assert most.rule.run(replace(GOOD, sides=("left",) * 8 + ("right",) * 2), most.settings) is not None
    assert most.rule.run(replace(GOOD, sides=("left",) * 7 + ("right",) * 3), most.settings) is None


def test_nobody_is_removed_and_both_counts_are_shown() -> None:
    people = [GOOD, replace(GOOD, participant="p2", failed_checks=3, times=(10.0,)), replace(GOOD, participant="p3")]
    found = flagged([choose(name) for name in RULES], people)
    assert found.participants == ("p1", "p2", "p3") and found.everybody == 3
    assert found.kept == ("p1", "p3")
    assert [flag.rule for flag in found.flags[1]] == ["too-fast", "failed-checks"]
    assert found.counts == {"too-fast": 1, "failed-checks": 1}
    assert str(found) == "2 of 3 participants have no flag; all 3 stay in the data."


def test_somebody_who_left_at_once_has_no_times_to_be_too_fast() -> None:
    gone = replace(GOOD, times=(), taken=0, away=0, answers={}, sides=(), finished=False)
    (flags,) = flagged([choose(name) for name in RULES], [gone]).flags
    assert [flag.rule for flag in flags] == ["unfinished"]


@pytest.mark.parametrize("name", RULES)
def test_each_rule_describes_itself_and_its_settings(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name and rule.title and rule.summary.endswith(".")
    for described in rule.settings.parameters():
        assert described.help.endswith(".") and described.low is not None and described.high is not None
        with pytest.raises(SettingError, match=described.name):
            choose(name, {described.name: described.high + 1})


def test_unknown_rules_and_settings_and_doubled_people_are_refused() -> None:
    with pytest.raises(SettingError, match="no rule 'lazy'; there are: too-fast"):
        choose("lazy")
    with pytest.raises(SettingError, match=r"There is no setting 'leest'.*Did you mean 'least'"):
        choose("too-fast", {"leest": 100})
    with pytest.raises(SettingError, match="Participant 'p1' comes twice"):
        flagged([], [GOOD, GOOD])
