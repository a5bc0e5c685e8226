"""The Sanity page: what it shows of a check in every state, and how one comes back to it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from decam.export import randomisation as export
from decam.ui import state
from decam.ui import text as words
from decam.ui.randomisation import form
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
QUICK = ("grad-cam", "guided-backprop", "edges")


def visitor(link: str | None = None) -> Visitor:
    """A visitor who went on to the Sanity page, or came there by a link."""
    arrived = Visitor()
    if link is not None:
        arrived.app.query_params["sanity"] = link
    arrived.go("sanity")
    return arrived.look()


def chosen(*names: str) -> Visitor:
    """One who has chosen a sample and methods."""
    arrived = visitor().sample("scene-star")
    arrived.app.session_state["checked"] = names or QUICK
    return arrived.look()


def started(*names: str) -> Visitor:
    """One who has begun a check."""
    return chosen(*names).press("randomise")


def link(of: Visitor) -> str:
    """The check that the address names."""
    return str(of.app.query_params.get("sanity", ""))


def table(of: Visitor) -> str:
    """The table of maps as it is sent."""
    return next((text for text in of.app.html.values if 'class="dc-sanity"' in text), "")


def maps(of: Visitor) -> int:
    """How many maps are drawn."""
    return table(of).count("<img")


def test_before_a_picture_is_chosen_there_are_samples_and_no_button() -> None:
    arrived = visitor()
    assert not arrived.offers("randomise")
    assert arrived.has("button", "welcome-scene-star")


def test_a_check_shows_every_map_with_its_likeness_and_a_sentence_a_method() -> None:
    arrived = started().finish()
    drawn = table(arrived)
    assert arrived.status.startswith("Finished")
    found = state.checks().snapshot(link(arrived)).found
    assert maps(arrived) == 3 * (1 + len(found.variants))
    assert [re.sub("<.*", "", head) for head in re.findall(r'<th scope="row"[^>]*>(.*?)</th>', drawn)] == [
        "Grad-CAM",
        "Guided backpropagation",
        "Edge detector",
    ]
    assert re.findall(r'<em class="dc-(\w+)"', drawn)[-1] == "blind"
    assert drawn.count("<p>") == 3
    assert "A control that never asks the model" in drawn
    assert len(arrived.app.get("plotly_chart")) == 4, "a chart a measure"


def test_the_table_shows_the_similarity_that_is_chosen() -> None:
    arrived = started("grad-cam", "edges").finish()
    first = state.checks().snapshot(link(arrived)).found.compared[0]
    for measure in ("spearman", "ssim"):
        arrived.app.session_state["sanity-measure"] = measure
        arrived.look()
        assert f"{words.number(first.likeness.plain[measure])}</figcaption>" in table(arrived)


def test_a_finished_check_opens_by_its_link_after_a_restart_with_what_it_was_made_from(
    restart: Callable[[], None],
) -> None:
    arrived = chosen("grad-cam", "random")
    arrived.app.number_input(key="seed").set_value(5)
    arrived.app.radio(key="sanity-mode").set_value("independent")
    arrived.look().press("randomise").finish()
    there = link(arrived)
    restart()
    back = visitor(there)
    assert maps(back) == maps(arrived) > 0
    assert re.findall(r"<figcaption>.*?</figcaption>", table(back)) == re.findall(
        r"<figcaption>.*?</figcaption>", table(arrived)
    )
    assert back.app.number_input(key="seed").value == 5
    assert back.app.radio(key="sanity-mode").value == "independent"
    assert back.chosen == {"grad-cam", "random"}
    assert back.cards == ["Star"], "the check's picture can be asked about again"
    assert back.offers("randomise")


def test_a_check_can_be_stopped_and_keeps_what_it_has(restart: Callable[[], None]) -> None:
    arrived = chosen("grad-cam", "de-cam")
    arrived.app.number_input(key="sanity-budget").set_value(5_000)
    arrived.look().press("randomise").until(lambda: maps(arrived) > 0)
    arrived.press("stop-check").finish()
    assert arrived.status.startswith("Stopped")
    assert 0 < maps(arrived) < 14
    there, before = link(arrived), maps(arrived)
    restart()
    assert maps(visitor(there)) == before


def test_the_budget_of_this_page_is_its_own(server: Path) -> None:
    assert server
    arrived = chosen("de-cam")
    arrived.app.number_input(key="sanity-budget").set_value(300)
    arrived.look().press("randomise").press("stop-check").finish()
    (choice,) = state.checks().snapshot(link(arrived)).plan.methods
    assert choice.settings.to_mapping()["budget"] == 300
    assert visitor(link(arrived)).app.number_input(key="sanity-budget").value == 300
    arrived.go("compare")
    arrived.look()
    assert arrived.app.number_input(key="setting:de-cam:budget").value != 300


@pytest.mark.parametrize("bad", ["nonsense", "../../etc/passwd", "a" * 500, "%00"])
def test_a_link_that_leads_nowhere_says_so_and_offers_a_way_on(bad: str) -> None:
    arrived = visitor(bad)
    assert arrived.says("There is no sanity check")
    arrived.press("leave-check")
    assert arrived.alerts == [] and link(arrived) == ""


def test_a_server_that_was_killed_says_that_the_check_is_lost(restart: Callable[[], None]) -> None:
    arrived = started("grad-cam").finish()
    check = state.checks().snapshot(link(arrived))
    folder = state.checks()._store
    folder.save(type(check)(check.id, check.created, "running", check.plan, check.view))
    restart()
    back = visitor(check.id)
    assert back.status.startswith("Interrupted")
    assert back.says("press Randomise")


def test_random_labels_are_offered_where_there_is_a_model_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "twin", lambda _: None)
    assert visitor().app.radio(key="sanity-mode").options == ["Stage after stage", "One stage alone"]
    monkeypatch.setattr(form, "twin", lambda _: "shuffled")
    assert visitor().app.radio(key="sanity-mode").options[-1] == "Random labels"


def test_earlier_checks_are_listed_opened_and_deleted() -> None:
    arrived = started("grad-cam").finish().look()
    first = link(arrived)
    arrived.press("new")
    assert link(arrived) == "" and arrived.cards == []
    arrived.press(f"check-{first}")
    assert link(arrived) == first and maps(arrived) > 0 and arrived.cards == ["Star"]
    arrived.delete(first, "check")
    assert link(arrived) == "" and not arrived.has("button", f"check-{first}")
    assert visitor(first).says("There is no sanity check")


def test_the_downloads_hold_every_similarity_and_every_map() -> None:
    arrived = started("grad-cam", "guided-backprop").finish()
    check = state.checks().snapshot(link(arrived))
    assert arrived.app.get("download_button")
    head, *rows = export.similarities_csv(check).decode().splitlines()
    assert head == "method,stage,share,probability,measure,values,similarity"
    assert len(rows) == len(check.found.to_rows())
    with np.load(io.BytesIO(export.maps_npz(check))) as kept:
        assert np.array_equal(kept["grad-cam/original"], check.found.originals[0].explanation.saliency)
        assert len(kept.files) == 1 + 2 * (1 + len(check.found.variants))
