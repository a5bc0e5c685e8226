"""Whether other programs hold up a trial: worked out from counters that are written by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from decam.hardware import processor
from decam.hardware.processor import Reading, is_crowded, others


def test_cores_of_other_programs_are_what_the_machine_used_beyond_this_one() -> None:
    assert others(Reading(10.0, 100.0, 5.0), Reading(12.0, 107.0, 8.0)) == 2.0  # 7 s, of which 3 our own, in 2 s
    assert others(Reading(10.0, 100.0, 5.0), Reading(12.0, 103.0, 8.5)) == 0.0  # counters tick at different moments


@pytest.mark.parametrize(
    "after", [Reading(12.0, None, 8.0), Reading(10.01, 100.5, 5.0), Reading(10.0, 100.0, 5.0)], ids=str
)
def test_what_cannot_be_known_is_not_held_against_a_trial(after: Reading) -> None:
    assert others(Reading(10.0, 100.0, 5.0), after) == 0.0


@pytest.mark.parametrize(
    ("foreign", "cores", "threads", "crowded"),
    [
        (0.0, 2, 2, False),
        (0.2, 2, 2, False),
        (0.5, 2, 2, True),
        (1.0, 2, 1, False),  # a core is left for the one thread
        (30.0, 64, 8, False),
        (60.0, 64, 8, True),
        (0.0, 2, 16, False),  # more threads than cores are our own doing
    ],
)
def test_a_machine_is_crowded_where_others_leave_too_few_cores(
    foreign: float, cores: int, threads: int, crowded: bool
) -> None:
    assert is_crowded(foreign, cores, threads) == crowded


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux has /proc/stat")
def test_the_whole_machine_has_used_at_least_what_this_process_has() -> None:
    reading = processor.read()
    assert reading.machine is not None and reading.machine >= reading.own > 0
    assert reading.own <= os.times().user + os.times().system


@pytest.mark.parametrize("content", ["", "intr 1 2 3", "cpu a b c", "cpu 1 2"])
def test_a_system_that_does_not_count_is_not_known_to_be_busy(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor.Path, "read_text", lambda *_args, **_options: content)
    assert processor.read().machine is None
    assert not processor.was_busy(Reading(0.0, None, 0.0), 2)


def test_instructions_for_bfloat16_are_those_that_the_processor_lists() -> None:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        pytest.skip("only Linux lists them")
    flags = {flag for line in described.splitlines() if line.startswith("flags") for flag in line.split()}
    assert processor.has_bfloat16() == bool(flags & {"avx512_bf16", "amx_bf16"})
