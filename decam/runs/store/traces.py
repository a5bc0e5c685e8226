"""Traces of a search as a handful of arrays: what differs in length from one to the next lies end to end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decam.evolution.trace import Asked, Trace
from decam.experiments.history import Frame

_STACKED = ("targets", "others", "mutants", "crossed", "weights", "rates", "before", "after", "accepted")
_ASKED = 3


def pack(frames: Sequence[Frame]) -> dict[str, NDArray[Any]]:
    """The traces of frames as named arrays; none where no frame has one. `trace_at` says which frames have."""
    there = [(place, frame.trace) for place, frame in enumerate(frames) if frame.trace is not None]
    if not there:
        return {}
    traces = [trace for _, trace in there]
    arrays: dict[str, NDArray[Any]] = {
        "trace_at": np.array([place for place, _ in there], dtype=np.int64),
        "trace_recipes": np.array(json.dumps([trace.recipe for trace in traces])),
        "trace_parents": np.concatenate([trace.parents.reshape(-1) for trace in traces]),
        "trace_asked": np.concatenate([_rows(trace.asked) for trace in traces]),
        "trace_asked_count": np.array([len(trace.asked) for trace in traces], dtype=np.int64),
    }
    for name in _STACKED:
        parts = [getattr(trace, name) for trace in traces]
        arrays[f"trace_{name}"] = np.concatenate(parts)
        arrays[f"trace_{name}_count"] = np.array([len(part) for part in parts], dtype=np.int64)
    return arrays


def unpack(arrays: Mapping[str, NDArray[Any]]) -> dict[int, Trace]:
    """What `pack` packed, by the place of its frame; nothing for maps that were kept without traces."""
    if "trace_at" not in arrays:
        return {}
    recipes = [tuple(recipe) for recipe in json.loads(str(arrays["trace_recipes"]))]
    parts = {name: _split(arrays[f"trace_{name}"], arrays[f"trace_{name}_count"]) for name in _STACKED}
    asked = _split(arrays["trace_asked"], arrays["trace_asked_count"])
    trials = [len(mutants) for mutants in parts["mutants"]]
    sizes = np.array([len(recipe) * count for recipe, count in zip(recipes, trials, strict=True)], dtype=np.int64)
    parents = _split(arrays["trace_parents"], sizes)
    return {
        int(place): Trace(
            recipe=recipes[index],
            parents=parents[index].reshape(len(recipes[index]), trials[index]),
            asked=tuple(Asked(bool(keeps), float(share), float(value)) for keeps, share, value in asked[index]),
            **{name: parts[name][index] for name in _STACKED},
        )
        for index, place in enumerate(arrays["trace_at"])
    }


def _rows(asked: Sequence[Asked]) -> NDArray[np.float64]:
    rows = [(float(each.keeps), each.share, each.probability) for each in asked]
    return np.array(rows, dtype=np.float64).reshape(-1, _ASKED)


def _split(stacked: NDArray[Any], counts: NDArray[np.int64]) -> list[NDArray[Any]]:
    if int(counts.sum()) != len(stacked):
        raise ValueError("a trace has lost a part")
    return np.split(stacked, np.cumsum(counts)[:-1])
