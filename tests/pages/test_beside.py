"""Two runs on one page: the second is chosen below the first, and the address names both."""

from __future__ import annotations

import json

import pytest

from decam.methods import CLASS_METHODS
from decam.ui import state
from decam.ui.runs import gallery
from tests.experiments.class_level import NAME, PULL
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")


def finished(visitor: Visitor) -> str:
    run = visitor.explain()
    visitor.finish()
    return run


def two_runs() -> tuple[str, str]:
    """Two comparisons of one sample, for its star and for its heart; the second has one method fewer."""
    visitor = Visitor().sample("scene-star").methods("random", "centre").quick()
    above = finished(visitor)
    visitor.ask("Star", "heart").methods("random")
    below = finished(visitor)
    state.runs().describe(below, "Heart *instead*", "Only one method")
    return above, below


def choose(guest: Visitor, above: str) -> list[str]:
    """Choose the first run that is offered; the names of all."""
    guest.app.session_state[f"beside-open-{above}"] = True
    guest.look()
    box = guest.app.selectbox(key=f"beside-pick-{above}")
    box.select_index(0)
    guest.look()
    return list(box.options)


def beside(visitor: Visitor) -> str:
    """The run below, as the address names it."""
    return str(visitor.app.query_params.get("beside", ""))


def opened(above: str, below: str) -> Visitor:
    """A visitor who follows a link to two runs."""
    guest = Visitor(above)
    guest.app.query_params["beside"] = below
    return guest.look()


def test_another_run_stands_below_with_what_differs_in_words() -> None:
    above, below = two_runs()
    guest = Visitor(above)
    (offered,) = choose(guest, above)
    assert offered.startswith("Heart")
    assert any("Heart" in element.value for element in guest.app.main.subheader)
    assert guest.reads("These maps are for *star*; below it is *heart*.", "Only the run above has *Centre Gaussian*.")
    assert guest.reads("Only one method")
    assert (guest.run, beside(guest)) == (above, below)
    state.runs().delete(below)
    assert guest.look().says("There is no run", below)
    guest.press("beside-close")
    assert not guest.has("button", "beside-close")
    assert (guest.run, beside(guest)) == (above, "")


def test_a_link_opens_both_runs_which_stay_over_a_change_of_page_until_another_is_shown() -> None:
    above, below = two_runs()
    guest = opened(above, below)
    assert guest.reads("These maps are for *star*; below it is *heart*.")
    guest.app.query_params.clear()
    guest.visit("methods").visit("compare")
    assert (guest.run, beside(guest)) == (above, below)
    guest.press(f"run-{below}")
    assert (guest.run, beside(guest)) == (below, "")
    assert not guest.has("button", "beside-close")


def test_below_a_comparison_stands_nothing_else() -> None:
    above, _ = two_runs()
    check = Visitor().visit("sanity").sample("scene-star")
    check.press("randomise").press("stop").finish()
    guest = opened(above, str(check.app.query_params["sanity"]))
    assert guest.says("This run is a check.", "close this one")
    assert opened(above, "nothing").says("There is no run")


def test_a_run_does_not_stand_below_itself() -> None:
    above, _ = two_runs()
    guest = opened(above, above)
    assert not guest.has("button", "beside-close")
    assert guest.grid["columns"], "it stands alone"


def test_galleries_of_many_classes_turn_their_pages_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "A_PAGE", 2)
    monkeypatch.setitem(CLASS_METHODS, NAME, PULL)
    links = []
    for classes in ([0, 1, 2], [3, 4, 5]):
        visitor = Visitor()
        visitor.app.session_state["mapped"] = (NAME,)
        visitor.visit("class_maps").app.session_state["maps-classes-scenes"] = classes
        visitor.look().press("map-classes").finish()
        links.append(str(visitor.app.query_params["gallery"]))
    guest = Visitor()
    guest.app.query_params.update({"gallery": links[0], "beside": links[1]})
    guest.visit("class_maps")
    guest.app.selectbox(key=f"maps-part-{links[1]}").select_index(1)
    guest.look()
    assert [len(sent["cards"]) for sent in guest._components_data if "cards" in sent] == [2, 1]


def test_two_searches_stand_below_each_other_and_runs_without_one_are_not_offered() -> None:
    above, _ = two_runs()
    for seed in (0, 1):
        visitor = Visitor().go("de_cam").look().sample("scene-star").quick(600)
        visitor.app.number_input(key="seed").set_value(seed)
        above, before = finished(visitor), above
    guest = Visitor(above).go("de_cam").look()
    assert len(choose(guest, above)) == 1
    assert beside(guest) == before
    assert guest.reads("These maps were made with *seed 1*; below it is *seed 0*.")
    sent = [json.loads(element.proto.json) for element in guest.app.get("bidi_component")]
    searches = [one for one in sent if "generations" in one]
    assert len({one["key"] for one in searches}) == len(searches) == 2
    assert all(one["finished"] for one in searches)
