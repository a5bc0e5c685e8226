"""What a trial picks from times, known beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from decam.classifier import Execution
from decam.models.tuning.choices import Round, Trial, choose, judged, noted, pick_round, power_of_two
from decam.models.tuning.closeness import Closeness, kind_of
from tests.models.tuning.machine import HALF, HALF_LAST, LAST, OPENVINO, PLAIN

EXACT, CLOSE, FAR = Closeness(), Closeness(0.999, 0.004), Closeness(0.97, 0.004)


def test_the_plain_way_stays_unless_another_is_clearly_faster() -> None:
    assert choose([Trial(PLAIN, 1.0, EXACT), Trial(LAST, 0.97, EXACT)]).execution == PLAIN
    assert choose([Trial(PLAIN, 1.0, EXACT), Trial(LAST, 0.9, EXACT)]).execution == LAST


def test_the_fastest_way_that_answers_alike_is_picked_and_says_how_alike() -> None:
    trials = [Trial(PLAIN, 1.0, EXACT), Trial(LAST, 0.8), Trial(HALF, 0.5, CLOSE), Trial(HALF_LAST, 0.3, CLOSE)]
    assert choose(trials).execution == HALF_LAST
    said = (
        "bfloat16: rank correlation with float32's over masked photos 0.9990 (at least 0.995 is asked), "
        "mean change of a probability 0.0040 (at most 0.01)."
    )
    assert noted(trials[3], trials) == replace(HALF_LAST, note=said)
    by_engine = replace(trials[3], execution=OPENVINO)
    assert noted(by_engine, trials).note == said.replace("bfloat16:", "bfloat16 by OpenVINO:")


@pytest.mark.parametrize("closeness", [FAR, Closeness(1.0, 0.02), Closeness(float("nan"), float("nan"))])
def test_a_faster_way_that_changes_the_answers_is_not_used_and_a_note_says_so(closeness: Closeness) -> None:
    trials = [Trial(PLAIN, 1.0, EXACT), Trial(HALF, 0.2, closeness)]
    picked = noted(choose(trials), trials, ["OpenVINO cannot."])
    assert (picked.precision, picked.channels_last) == ("float32", False)
    assert picked.note == f"bfloat16 would be faster but is not used: {closeness}. OpenVINO cannot."
    assert f"{closeness.ranks:.4f} (at least 0.995 is asked)" in picked.note


def test_what_was_refused_is_not_mentioned_beside_what_is_faster_still() -> None:
    trials = [Trial(PLAIN, 1.0, EXACT), Trial(HALF, 0.5, FAR), Trial(Execution("float16"), 0.3, CLOSE)]
    assert "bfloat16" not in noted(choose(trials), trials).note
    assert noted(trials[0], trials[:1]).note == ""


class Judging:
    """A judge with its verdicts ready, who counts the questions."""

    def __init__(self, found: dict[tuple[str, str], Closeness]) -> None:
        self.found, self.asked = found, []

    def closeness(self, execution: Execution) -> Closeness:
        self.asked.append(kind_of(execution))
        return self.found[kind_of(execution)]


def test_only_ways_that_are_about_to_be_picked_are_judged_each_kind_once() -> None:
    trials = [Trial(PLAIN, 1.0), Trial(HALF, 0.5), Trial(HALF_LAST, 0.4), Trial(OPENVINO, 0.2)]
    judge = Judging({("openvino", "bfloat16"): CLOSE})
    assert judged(trials, judge)[0] == Trial(OPENVINO, 0.2, CLOSE)
    assert judge.asked == [("openvino", "bfloat16")]
    judge = Judging({("openvino", "bfloat16"): FAR, ("eager", "bfloat16"): FAR, ("eager", "float32"): EXACT})
    best, known = judged(trials, judge)
    assert best == Trial(PLAIN, 1.0, EXACT)
    assert judge.asked == [("openvino", "bfloat16"), ("eager", "bfloat16"), ("eager", "float32")]
    assert [trial.closeness for trial in known] == [EXACT, FAR, FAR, FAR]


def rounds(each: dict[int, float]) -> dict[Round, float]:
    return {Round(size): seconds for size, seconds in each.items()}


def test_the_smallest_round_that_is_about_as_fast_as_any_is_picked() -> None:
    assert pick_round(rounds({4: 0.0100, 8: 0.0098, 16: 0.0097}), Round(1)) == Round(4)
    assert pick_round(rounds({4: 0.0200, 8: 0.0110, 16: 0.0100}), Round(1)) == Round(16)


def test_a_round_longer_than_stopping_may_take_is_not_picked() -> None:
    assert pick_round(rounds({4: 0.08, 8: 0.07, 16: 0.05}), Round(1)) == Round(4)
    assert pick_round(rounds({4: 1.0, 8: 1.0}), Round(2)) == Round(2)
    assert pick_round({}, Round(4)) == Round(4)


def test_of_rounds_that_are_about_as_fast_one_with_more_streams_is_picked() -> None:
    assert pick_round({Round(8): 0.0100, Round(4, 2): 0.0101}, Round(1)) == Round(4, 2)
    assert pick_round({Round(4): 0.0100, Round(8, 2): 0.0101, Round(16, 2): 0.0099}, Round(1)) == Round(8, 2)
    assert pick_round({Round(8): 0.0100, Round(4, 2): 0.0150}, Round(1)) == Round(8)


@pytest.mark.parametrize(("value", "size"), [(0.2, 1), (1, 1), (3.9, 2), (4, 4), (1e9, 64)])
def test_batches_are_powers_of_two(value: float, size: int) -> None:
    assert power_of_two(value, 64) == size


def test_what_the_processor_is_built_for_is_left_only_for_what_is_clearly_faster() -> None:
    trials = [Trial(PLAIN, 1.0, EXACT), Trial(LAST, 0.95, EXACT), Trial(HALF_LAST, 1.1, CLOSE)]
    assert choose(trials).execution == LAST
    assert choose(trials, [HALF_LAST, LAST]).execution == HALF_LAST
    assert choose(trials, [HALF_LAST, LAST], margin=1.05).execution == LAST
    # What changes the answers, or cannot be done, gives way to the next that the processor does well.
    slow = [Trial(PLAIN, 1.0, EXACT), Trial(LAST, 1.1, EXACT)]
    assert choose([*slow, Trial(HALF_LAST, 0.1, FAR)], [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST]).execution == PLAIN
