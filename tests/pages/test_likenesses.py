"""This looks like that, on the pages: for the methods whose maps rest on training pictures, and for no others."""

from __future__ import annotations

import dataclasses
import re

import pytest

from decam.experiments.grid import Grid
from decam.images.samples import SAMPLES
from decam.images.scenes.scene import CLASSES
from decam.methods import METHODS
from decam.models import load_classifier
from decam.ui import state
from decam.ui.methods import cards as methods_cards
from decam.ui.methods import examples
from decam.ui.shared import pictures, shared_runs
from tests.pages.test_methods import cards, visitor
from tests.pages.visitor import Visitor

TAB = "This looks like that"
FRAME = re.compile(r'<u style="top:([\d.]+)%;left:([\d.]+)%;width:([\d.]+)%;height:([\d.]+)%">')


def lines(of: Visitor) -> list[str]:
    """The pairs of places in the tab, one text each."""
    drawn = next((text for text in of.app.html.values if 'class="dc-likenesses"' in text), "")
    return re.findall("<li>(.*?)</li>", drawn)


@pytest.mark.usefixtures("server")
def test_a_prototype_map_has_a_tab_with_both_places_framed_and_what_they_count() -> None:
    arrived = Visitor().sample("scene-star", "scene-arrow").model("prototypes").methods("prototypes", "random").quick()
    arrived.explain()
    arrived.finish().tab(TAB)
    found = lines(arrived)
    assert found
    for line in found:
        assert any(f"that: {name}, prototype" in line for name in CLASSES)
        assert re.search(r"Likeness</dt><dd>[\d.−]+</dd><dt>Points</dt><dd>[\d.−]+<", line)
        frames = [[float(share) for share in frame] for frame in FRAME.findall(line)]
        assert len(frames) == 2
        assert all(left + width <= 100 and top + height <= 100 for top, left, width, height in frames)
    points = [float(re.findall(r"<dd>(.*?)</dd>", line)[1].replace("−", "-")) for line in found]
    assert points == sorted(points, reverse=True)


@pytest.mark.usefixtures("server")
def test_other_methods_have_no_such_tab() -> None:
    arrived = Visitor().sample("scene-star").methods("random").quick()
    arrived.explain()
    arrived.finish()
    assert TAB not in [tab.label for tab in arrived.app.tabs]
    assert METHODS["random"].evidence is None


@pytest.mark.usefixtures("server")
def test_the_methods_page_shows_the_likenesses_that_count_most_in_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    able = examples.able
    few = ("prototypes", "random")
    monkeypatch.setattr(examples, "able", lambda asked: [pair for pair in able(asked) if pair[0].name in few])
    arrived = visitor()
    arrived.app.selectbox(key="field-model").select("prototypes")
    picture = pictures.of_sample(SAMPLES[0])
    classifier = load_classifier("prototypes")
    finished = arrived.look().finish()
    link = shared_runs.link_of(examples.plan_of(classifier, picture), picture.view(classifier))
    run = state.runs().snapshot(link)
    drawn = cards(finished)
    assert not methods_cards._awaits_evidence(run)
    begun = Grid.empty(run.plan, run.views, [None])
    assert methods_cards._awaits_evidence(dataclasses.replace(run, grid=begun)), "else the strip waits for all maps"
    assert drawn["prototypes"].count("≈") == 3
    assert len(FRAME.findall(drawn["prototypes"])) == 6
    assert "≈" not in drawn["random"]
