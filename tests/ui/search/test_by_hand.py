"""Who beats whom, in words, and what a visitor's evaluations add up to."""

from __future__ import annotations

import re
from math import nan

import numpy as np
import pytest

from decam.experiments import by_hand
from decam.experiments.by_hand import Reached
from decam.experiments.cells import CellKey
from decam.experiments.evaluate import question_of
from decam.experiments.history import Frame
from decam.explanation import Explanation, last
from decam.lessons.runs import exact
from decam.methods.de_cam.settings import DeCamSettings
from decam.ui.search.by_hand import Attempt, Hand, Match, _fitness, own_values, table, verdict
from tests.studies.made import run, view

MAP = np.eye(4, dtype=np.float32)
FIRST = Frame(64, {}, saliency=np.zeros((4, 4), np.uint8))


def attempt(fitness: float, theirs: float | None) -> Attempt:
    there = None if theirs is None else Reached(80, MAP, None)
    return Attempt(90, 0.1, fitness, there, nan if theirs is None else theirs)


@pytest.mark.parametrize(
    ("fitness", "theirs", "sentence"),
    [
        (0.5, 0.25, "After 90 evaluations you lead by 0.25."),
        (-0.25, 0.25, "After 90 evaluations DE-CAM leads by 0.50."),
        (0.5, 0.501, "After 90 evaluations you and DE-CAM are level."),
        (0.5, None, "After 90 evaluations there is nothing to compare yet: DE-CAM had its first map after 64."),
    ],
)
def test_who_leads_is_said_in_words(fitness: float, theirs: float | None, sentence: str) -> None:
    assert verdict(attempt(fitness, theirs), [FIRST]) == sentence


def test_the_table_has_a_row_an_attempt_and_leaves_out_what_cannot_be_compared() -> None:
    rows = re.findall("<tr>(.*?)</tr>", table([attempt(-0.25, None), attempt(0.5, 0.125)]))
    assert [re.findall("<td>(.*?)</td>", row) for row in rows[1:]] == [
        ["90", "10 %", "−0.250", ""],
        ["90", "10 %", "0.500", "0.125"],
    ]


def test_a_search_without_maps_on_its_way_is_said_so() -> None:
    assert verdict(attempt(0.5, None), [Frame(64, {})]).endswith("DE-CAM kept no maps on its way.")


def test_the_searchs_own_values_are_told_once_a_moment_and_not_where_there_are_none() -> None:
    moments = [Reached(64, MAP, None), Reached(128, MAP, 0.25), Reached(128, MAP, 0.25), Reached(900, MAP, 0.5)]
    said = "The search's own estimate for its fittest: 0.25 after 128, 0.50 after 900 evaluations."
    assert own_values(moments, estimated=True) == said
    assert "value of its fittest" in own_values(moments, estimated=False)
    assert own_values(moments[:1], estimated=True) == ""


def test_each_cover_counts_once_and_the_bare_picture_not_at_all() -> None:
    hand = Hand()
    covers = [np.zeros((4, 4), np.bool_), np.eye(4, dtype=np.bool_), ~np.eye(4, dtype=np.bool_)]
    for cover in (*covers, *covers):
        hand.note(cover)
    for cover in (*covers[1:], covers[1]):
        hand.judge(cover, 20)
    assert hand.calls == 2 + 40


@pytest.mark.slow
def test_a_cover_of_one_class_rather_than_another_is_judged_by_that_contrast() -> None:
    settings = DeCamSettings(variant="plain")
    cover = np.zeros((128, 128), np.float32)
    cover[40:90, 30:100] = 1
    found = {}
    for against in (None, 1, 2):
        snapshot = run(f"rather-{against}", {"noise.png": view(0, (128, 128))}, targets=[0])
        made = Explanation("de-cam", cover, 0, "", 0.5, settings, 3, 1, 0.1, against=against)
        found[against] = _fitness(Match(snapshot, CellKey(0, 0), settings, made), cover)
        question = question_of(exact("embedded"), snapshot.views[0], 0, against)
        assert found[against] == pytest.approx(last(by_hand.measured(question, settings, 3, cover)), abs=1e-3)
    assert len(set(found.values())) == 3
