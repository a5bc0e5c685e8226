"""Generations of a search as the browser takes them: once, in a few kilobytes each, to be played there."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from decam.evolution.trace import Trace
from decam.export.wire import short

STEPS = 65_535


@dataclass(frozen=True)
class Moment:
    """A generation by its number from 1, the evaluations up to its end, and what happened in it."""

    number: int
    evaluations: int
    trace: Trace


def sent(moment: Moment) -> dict[str, Any]:
    """One generation, ready for JSON: its grids to 1/65535 of their range, targets, others and mutants end to end."""
    trace = moment.trace
    grids = np.concatenate([trace.targets, trace.others, trace.mutants]).astype(np.float32)
    low, high = (float(grids.min()), float(grids.max())) if grids.size else (0.0, 0.0)
    reach = high - low
    entries = np.rint((grids - low) * (STEPS / reach)) if reach > 0 else np.zeros_like(grids)
    return {
        "number": moment.number,
        "evaluations": moment.evaluations,
        "individuals": len(trace.targets),
        "others": len(trace.others),
        "trials": len(trace.mutants),
        "low": low,
        "high": high,
        "grids": _text(entries.astype("<u2").tobytes()),
        "crossed": _text(np.packbits(trace.crossed).tobytes()),
        "recipe": list(trace.recipe),
        "parents": trace.parents.tolist(),
        "weights": _numbers(trace.weights),
        "rates": _numbers(trace.rates),
        "before": _numbers(trace.before),
        "after": _numbers(trace.after),
        "accepted": trace.accepted.astype(int).tolist(),
        "asked": [
            {"keeps": asked.keeps, "share": asked.share, "probability": short(asked.probability)}
            for asked in trace.asked
        ],
    }


def within(moments: Sequence[Moment], limit: int) -> list[Moment]:
    """Evenly spaced moments, at least the last one, that together take at most `limit` bytes."""
    stride, chosen = 1, list(moments)
    while len(chosen) > 1 and sum(moment.trace.nbytes for moment in chosen) > limit:
        stride *= 2
        chosen = list(moments[::-1][::stride][::-1])
    return chosen


def _numbers(values: np.ndarray[Any, np.dtype[np.float32]]) -> list[float | None]:
    return [short(value) for value in values.tolist()]


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
