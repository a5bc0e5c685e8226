"""What a trial picks from times, known beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from decam.classifier import Execution
from decam.models.tuning.choices import Round, Trial, choose, noted, pick_round, power_of_two
from tests.models.tuning.machine import HALF, HALF_LAST, LAST, PLAIN


def test_the_plain_way_stays_unless_another_is_clearly_faster() -> None:
    assert choose([Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.97, 0.0)]).execution == PLAIN
    assert choose([Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.9, 0.0)]).execution == LAST


def test_the_fastest_way_that_answers_alike_is_picked() -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.8, 1e-6), Trial(HALF, 0.5, 0.01), Trial(HALF_LAST, 0.3, 0.02)]
    assert choose(trials).execution == HALF_LAST
    said = "bfloat16 changes probabilities by at most 0.0200 on drawn scenes, where 0.05 is allowed."
    assert noted(trials[3], trials) == replace(HALF_LAST, note=said)


@pytest.mark.parametrize("change", [0.2, float("nan")])
def test_a_faster_way_that_changes_the_answers_is_not_used_and_a_note_says_so(change: float) -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(HALF, 0.2, change)]
    picked = noted(choose(trials), trials)
    assert (picked.precision, picked.channels_last) == ("float32", False)
    assert picked.note.startswith(f"bfloat16 would be faster but changes probabilities by up to {change:.2f}")
    assert picked.note.endswith("where 0.05 is allowed: not used.")


def test_what_was_refused_is_not_mentioned_beside_what_is_faster_still() -> None:
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(HALF, 0.5, 0.2), Trial(Execution("float16"), 0.3, 0.01)]
    assert "bfloat16" not in noted(choose(trials), trials).note
    assert noted(trials[0], trials[:1]).note == ""


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
    trials = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 0.95, 0.0), Trial(HALF_LAST, 1.1, 0.01)]
    assert choose(trials).execution == LAST
    assert choose(trials, [HALF_LAST, LAST]).execution == HALF_LAST
    assert choose(trials, [HALF_LAST, LAST], margin=1.05).execution == LAST
    # What changes the answers, or cannot be done, gives way to the next that the processor does well.
    slow = [Trial(PLAIN, 1.0, 0.0), Trial(LAST, 1.1, 0.0)]
    assert choose([*slow, Trial(HALF_LAST, 0.1, 0.5)], [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST, LAST]).execution == LAST
    assert choose(slow, [HALF_LAST]).execution == PLAIN
