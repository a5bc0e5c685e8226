from __future__ import annotations

from decam.ui.shared.kept import Kept


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    kept: Kept[str] = Kept(2)
    kept.put("a", "first")
    kept.put("b", "second")
    assert kept.get("a") == "first"
    kept.put("c", "third")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == ("first", None, "third")


def test_a_result_is_replaced_without_taking_more_room() -> None:
    kept: Kept[int] = Kept(2)
    for value in range(5):
        kept.put("a", value)
    kept.put("b", 9)
    assert (kept.get("a"), kept.get("b")) == (4, 9)


def test_the_very_object_is_handed_out() -> None:
    kept: Kept[list[int]] = Kept(1)
    result = [1]
    kept.put("a", result)
    assert kept.get("a") is result


def test_what_is_forgotten_is_not_there_any_more() -> None:
    kept: Kept[int] = Kept(2)
    kept.put("a", 1)
    kept.forget("a")
    kept.forget("nothing")
    assert kept.get("a") is None
