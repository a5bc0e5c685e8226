"""Sanity checks on disk: they come back as they were, whole or not at all, and a bad file says so."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from decam.errors import StoreError
from decam.experiments.plan import MethodChoice
from decam.experiments.randomisation_plan import SanityPlan, SanitySnapshot
from decam.experiments.randomisation_result import Compared, Failed, Floor, Likeness, Original, Sanity, Variant
from decam.explanation import Explanation
from decam.runs.store.randomisation import SanityStore

METHODS = (MethodChoice.default("grad-cam"), MethodChoice.default("de-cam"))


@pytest.fixture
def store(tmp_path: Path) -> SanityStore:
    return SanityStore(tmp_path / "data" / "sanity")


def explained(method: int, seed: int) -> Explanation:
    saliency = np.random.default_rng(seed).standard_normal((5, 7)).astype(np.float32)
    choice = METHODS[method]
    return Explanation(choice.name, saliency, 3, "star", 0.25, choice.settings, 9, 11, 0.5, ("Löwe", "b"), silent=True)


def a_check(link: str = "check", **changes: object) -> SanitySnapshot:
    """A finished check with everything that there can be in one, values that are not defined among it."""
    plan = SanityPlan("embedded", "cpu", "Löwe.png", METHODS, target=3, mode="independent", seed=9)
    likeness = Likeness({"spearman": 0.5, "ssim": math.nan}, {"spearman": -0.25, "ssim": 1.0})
    found = Sanity(
        ("Grad-CAM", "DE-CAM"),
        (Variant("head", 0.125), Variant("body", 1.0)),
        3,
        "star",
        (
            Original(0, explained(0, 1), (Floor("Random map", likeness),)),
            Original(1, explained(1, 2), (Floor("Random map", likeness),)),
        ),
        (Compared(0, 0, explained(0, 3), likeness), Compared(1, 1, explained(1, 4), likeness)),
        (Failed(0, 1, "It failed."), Failed(1, None, "So did this.")),
    )
    made = SanitySnapshot(
        id=link,
        created=datetime(2024, 5, 6, tzinfo=UTC),
        status="done",
        plan=plan,
        view=np.arange(105, dtype=np.uint8).reshape(5, 7, 3),
        found=found,
        owner="ann",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own keywords


def test_what_was_kept_comes_back_the_same(store: SanityStore) -> None:
    before = a_check()
    store.save(before)
    after = store.load("check")
    np.testing.assert_equal(after.view, before.view)
    assert (after.plan, after.created, after.status, after.owner) == (
        before.plan,
        before.created,
        before.status,
        before.owner,
    )
    for name in ("originals", "compared"):
        pairs = list(zip(getattr(after.found, name), getattr(before.found, name), strict=True))
        for one, other in pairs:
            np.testing.assert_array_equal(one.explanation.saliency, other.explanation.saliency)
            assert one.explanation.saliency.dtype == np.float32
            nothing = np.zeros(0, np.float32)
            assert replace(one.explanation, saliency=nothing).notes == other.explanation.notes
            assert one.explanation.settings == other.explanation.settings
    # As text, in which values that are not defined equal each other.
    assert repr(after.found.to_rows()) == repr(before.found.to_rows())
    assert after.found.failures == before.found.failures


def test_a_later_save_replaces_the_earlier_and_leaves_nothing_beside_it(store: SanityStore, tmp_path: Path) -> None:
    store.save(a_check(status="queued", found=Sanity()))
    store.save(a_check())
    assert store.load("check").found.methods == ("Grad-CAM", "DE-CAM")
    assert [path.name for path in (tmp_path / "data" / "sanity").iterdir()] == ["check.npz"]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_one_that_was_never_ended_is_interrupted_and_says_so(store: SanityStore, status: str) -> None:
    store.save(a_check(status=status, found=Sanity()))
    found = store.load("check")
    assert found.status == "interrupted"
    assert "press Randomise" in found.note
    assert store.summaries()[0].status == "interrupted"


@pytest.mark.parametrize("link", ["", "nothing", "..", "../check", "a/b", "a\\b", "check.npz", "ä", "x" * 65, "a\0b"])
def test_a_link_that_leads_nowhere_is_told(store: SanityStore, link: str) -> None:
    store.save(a_check())
    with pytest.raises(StoreError, match="There is no sanity check"):
        store.load(link)
    with pytest.raises(StoreError, match="There is no sanity check"):
        store.delete(link)


def test_a_damaged_file_is_told_and_the_list_goes_on(store: SanityStore, tmp_path: Path) -> None:
    store.save(a_check())
    store.save(a_check("other"))
    path = tmp_path / "data" / "sanity" / "check.npz"
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="damaged"):
            store.load("check")
        assert [one.id for one in store.summaries()] == ["other"]


def test_a_file_without_all_its_maps_is_told(store: SanityStore, tmp_path: Path) -> None:
    store.save(a_check())
    path = tmp_path / "data" / "sanity" / "check.npz"
    with np.load(path) as kept:
        arrays = dict(kept)
    np.savez(path, **arrays | {"maps": arrays["maps"][:2]})
    with pytest.raises(StoreError, match="damaged"):
        store.load("check")


def test_the_newest_are_listed_first_and_a_deleted_one_is_gone(store: SanityStore) -> None:
    first = a_check("first")
    store.save(first)
    store.save(a_check("second", created=first.created + timedelta(hours=1)))
    assert [one.id for one in store.summaries()] == ["second", "first"]
    store.delete("second")
    assert [one.id for one in store.summaries()] == ["first"]


def test_nothing_is_listed_before_there_is_anything(store: SanityStore) -> None:
    assert store.summaries() == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Cannot write"):
        SanityStore(tmp_path / "file" / "sanity").save(a_check())
