"""Files are whole or not there, and come back as they were written."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.errors import StoreError
from decam.experiments.history import Frame
from decam.explanation import Explanation, further_arrays
from decam.metrics.base import Curve
from decam.runs.store import files
from decam.settings import Settings


def equal_frames(one: Frame, other: Frame) -> bool:
    def equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
        return a is b if a is None or b is None else a.dtype == b.dtype and np.array_equal(a, b)

    return (
        (one.evaluations, dict(one.curves), one.low, one.high)
        == (other.evaluations, dict(other.curves), other.low, other.high)
        and equal(one.mask, other.mask)
        and equal(one.saliency, other.saliency)
    )


def test_a_view_comes_back_without_loss(tmp_path: Path) -> None:
    view = np.random.default_rng(0).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    files.write_view(tmp_path / "view.png", view)
    np.testing.assert_array_equal(files.read_view(tmp_path / "view.png"), view)


def test_a_map_comes_back_bit_for_bit_with_its_frames(tmp_path: Path, frames: tuple[Frame, ...]) -> None:
    saliency = np.array([[np.nan, -np.inf, 1e-40], [0.1, -0.0, 3e38]], dtype=np.float32)
    files.write_map(tmp_path / "map.npz", saliency, frames, silent=True)
    kept = files.read_map(tmp_path / "map.npz")
    assert kept.silent
    assert kept.of_class is None
    assert kept.saliency.tobytes() == saliency.tobytes()
    assert len(kept.frames) == len(frames)
    assert all(equal_frames(one, other) for one, other in zip(frames, kept.frames, strict=True))


def test_how_sure_a_maps_ranks_are_comes_back_where_it_was_said(tmp_path: Path) -> None:
    errors = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    made = Explanation("de-cam", np.ones((56, 56), np.float32), 0, "a", 0.5, Settings(), 0, 10, 1.0, rank_errors=errors)
    for said, expected in ((made, errors), (dataclasses.replace(made, rank_errors=None), None)):
        files.write_map(tmp_path / "map.npz", said.saliency, (), further=further_arrays(said))
        kept = files.read_map(tmp_path / "map.npz")
        assert kept.of_class is None
        np.testing.assert_array_equal(kept.further.get("rank_errors"), expected)


def test_a_map_without_frames_comes_back_without_frames(tmp_path: Path) -> None:
    files.write_map(tmp_path / "map.npz", np.ones((2, 2), np.float32), ())
    assert files.read_map(tmp_path / "map.npz").frames == ()


def test_a_map_kept_by_an_earlier_version_is_not_silent(tmp_path: Path, frames: tuple[Frame, ...]) -> None:
    files.write_map(tmp_path / "map.npz", np.ones((2, 2), np.float32), frames, silent=True)
    arrays = files.read_arrays(tmp_path / "map.npz")
    del arrays["silent"]
    files.write_arrays(tmp_path / "map.npz", arrays)
    assert files.read_map(tmp_path / "map.npz").silent is False


@pytest.mark.parametrize("whole", [True, False])
def test_a_curve_comes_back(tmp_path: Path, curve: Curve, whole: bool) -> None:
    kept = curve if whole else Curve(curve.shares, curve.values)
    files.write_curve(tmp_path / "curve.npz", kept)
    read = files.read_curve(tmp_path / "curve.npz", "road")
    for name in ("shares", "values", "top", "top_values"):
        before, after = getattr(kept, name), getattr(read, name)
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(after, before)
            assert after.dtype == before.dtype


def test_a_thumbnail_is_a_small_png_in_the_views_proportions() -> None:
    with Image.open(io.BytesIO(files.thumbnail(np.full((384, 192, 3), 200, np.uint8)))) as image:
        assert (image.format, image.size) == ("PNG", (48, 96))
        assert image.getpixel((10, 10)) == (200, 200, 200)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "file"
    files.write(path, b"old")

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(files.UnwritableError, match="DECAM_DATA") as caught:
        files.write(path, b"new")
    assert os.strerror(code).lower()[1:] in str(caught.value).lower()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", [None, b"", b"nonsense", "half"])
def test_a_missing_or_damaged_file_ends_in_a_sentence_with_its_name(
    tmp_path: Path, damage: bytes | str | None, frames: tuple[Frame, ...], curve: Curve
) -> None:
    files.write_view(tmp_path / "v.png", np.zeros((40, 40, 3), np.uint8))
    files.write_map(tmp_path / "m.npz", np.ones((40, 40), np.float32), frames)
    files.write_curve(tmp_path / "c.npz", curve)
    for path in tmp_path.iterdir():
        whole = path.read_bytes()
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(whole[: len(whole) // 2] if isinstance(damage, str) else damage)
    for name, read in (
        ("v.png", files.read_view),
        ("m.npz", files.read_map),
        ("c.npz", lambda path: files.read_curve(path, "deletion")),
    ):
        with pytest.raises(StoreError, match=f"{name} is missing or damaged"):
            read(tmp_path / name)


def test_arrays_of_something_else_are_called_damaged(tmp_path: Path, curve: Curve) -> None:
    files.write_curve(tmp_path / "c.npz", curve)
    with pytest.raises(StoreError, match="damaged"):
        files.read_map(tmp_path / "c.npz")
