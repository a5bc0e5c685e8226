"""Previews: held under a token that says nothing, and the same as long as nothing changed."""

from __future__ import annotations

import json
from pathlib import Path

from decam.studies import previews
from decam.studies.road import road, wording_of
from tests.studies.studies import block, study, whole


def test_a_preview_has_what_participants_get_and_no_more() -> None:
    made = whole()
    steps = road(made, 3)
    found = previews.find(previews.offer(steps, wording_of(made), Path("folder")))
    assert found is not None
    assert list(found.steps) == [step.visible() for step in steps]
    assert found.images == {picture.image for step in steps for picture in step.pictures}
    assert "facts" not in json.dumps(found.steps) and "correct" not in json.dumps(found.steps)


def test_the_token_changes_with_what_is_shown_and_with_nothing_else() -> None:
    made, other = study(block("trials", task="clicks")), study(block("trials", task="rating"))
    offers = [
        previews.offer(road(one, sequence), wording_of(one), folder)
        for one, sequence, folder in (
            (made, 0, Path("a")), (made, 0, Path("a")), (made, 1, Path("a")), (other, 0, Path("a")),
            (made, 0, Path("b")),
        )
    ]  # fmt: skip
    assert offers[0] == offers[1]
    assert len(set(offers)) == 4
    assert all(len(token) == 32 for token in offers)


def test_what_nobody_offered_is_not_found() -> None:
    assert previews.find("") is None and previews.find("0" * 32) is None
