"""Traces come back from the disk as they were written."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from decam.evolution.trace import Trace
from decam.experiments.explain import explain_view
from decam.experiments.history import Frame, frame_of
from decam.methods.de_cam.settings import DeCamSettings
from decam.runs.store import files

MAP = np.ones((4, 4), np.float32)


def equal(one: Trace, other: Trace) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") and a.dtype == b.dtype
        if isinstance(a := getattr(one, field.name), np.ndarray)
        and isinstance(b := getattr(other, field.name), np.ndarray)
        else getattr(one, field.name) == getattr(other, field.name)
        for field in fields(Trace)
    )


@pytest.mark.parametrize("variant", ["seeded", "plain", "random search"])
@pytest.mark.slow
def test_a_search_comes_back_with_its_generations(tmp_path: Path, rectangle, variant: str) -> None:
    steps = explain_view(
        rectangle.classifier, rectangle.view, "de-cam", DeCamSettings(budget=900, variant=variant), 1, 0
    )
    frames = []
    for event in steps:
        frame = frame_of(event)
        frames.append(Frame(frame.evaluations, frame.curves, frame.mask, trace=event.trace))
    files.write_map(tmp_path / "map.npz", MAP, frames)
    again = files.read_map(tmp_path / "map.npz").frames
    assert [frame.trace is None for frame in again] == [frame.trace is None for frame in frames]
    pairs = [(one.trace, other.trace) for one, other in zip(frames, again, strict=True)]
    assert all(equal(one, other) for one, other in pairs if one is not None and other is not None)


def test_a_map_kept_before_there_were_traces_opens_without_them(tmp_path: Path) -> None:
    files.write_map(tmp_path / "map.npz", MAP, [Frame(10, {"best": 0.5})])
    assert "trace_at" not in files.read_arrays(tmp_path / "map.npz")
    assert files.read_map(tmp_path / "map.npz").frames[0].trace is None
