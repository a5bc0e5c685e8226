"""The benchmark of known answers from its questions to its page: scores by hand, what is asked, and going on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import known_answers
from benchmarks.known_answers import (
    NEAR,
    Line,
    Score,
    aims_table,
    candidates,
    cases,
    kinds_table,
    labels,
    main,
    rank_of,
    sign_of,
)
from benchmarks.known_answers import part as part_of
from decam.benchmark.known_answers.case import Case
from decam.benchmark.known_answers.grounds import EDGES, GROUNDS
from decam.benchmark.known_answers.kinds import KINDS
from decam.benchmark.known_answers.parts import pixels
from decam.errors import SettingError
from decam.methods import METHODS
from decam.methods.presets import PRESETS

CALL = ["--kinds", "against", "--methods", "rise", "--budgets", "60", "--seeds", "1"]


def test_every_black_box_of_the_table_is_asked_and_the_control() -> None:
    classifier = Case("rectangle", "noise", "agree", 0).classifier()
    black_boxes = {name for preset in ("black-box", "rivals") for name in PRESETS[preset].members(classifier)}
    assert set(labels()) - {"random-search"} == black_boxes
    found = candidates(classifier, labels(), 1000)
    assert {one.choice.name for one in found} == set(labels()) - {"random-search"}
    assert all(METHODS[one.choice.name].cost(one.choice.settings, classifier) <= 1000 for one in found)
    assert not candidates(classifier, ["de-cam"], 100)  # its least is more


def test_every_kind_is_asked_on_every_ground_with_both_edges_and_all_seeds() -> None:
    asked = cases(list(KINDS), 2)
    assert len(asked) == len(set(asked)) == len(KINDS) * len(GROUNDS) * len(EDGES) * 2
    assert {case.seed for case in asked[: len(asked) // 2]} == {0}


def test_settings_that_serve_two_budgets_are_asked_once() -> None:
    grid = part_of(Case("rectangle", "noise", "agree", 0), ["feature-ablation"], (500, 1000))
    assert len(grid.plan.methods) == 1


def painted(case: Case, values: list[float], elsewhere: float = 0.0) -> np.ndarray:  # type: ignore[type-arg]
    saliency = np.full(case.truth.shape, elsewhere, np.float32)
    for part, value in zip(case.drawn.parts, values, strict=True):
        saliency[pixels(part)] = value
    return saliency


def test_ranks_and_signs_of_maps_painted_by_hand() -> None:
    case = Case("additive", "smooth", "agree", 0)
    exact = list(case.values)
    assert rank_of(case, painted(case, exact)) == pytest.approx(1)
    assert rank_of(case, painted(case, [-value for value in exact])) == pytest.approx(-1)
    two = Case("against", "smooth", "agree", 0)
    for values, elsewhere, share in (([1, -1], 0, 1), ([3, 1], 2, 1), ([1, 1], 0, 0.5), ([-1, 1], 0, 0)):
        assert sign_of(two, painted(two, values, elsewhere)) == share
    one = Case("rectangle", "smooth", "agree", 0)
    assert np.isnan(rank_of(one, painted(one, [1]))) and np.isnan(sign_of(one, painted(one, [1])))


def line(label: str, ious: list[float], hit: float = 1.0) -> Line:
    names = [Case("both", "noise", "agree", seed).name for seed in range(len(ious))]
    scores = {name: Score(hit, iou, iou, np.nan, np.nan) for name, iou in zip(names, ious, strict=True)}
    return Line(label, 1000, 1000, scores)


def test_the_best_is_bold_and_an_aim_is_held_against_the_best_other() -> None:
    found = [line("de-cam", [0.6, 0.8], hit=0.5), line("rise", [0.7, 0.73]), line("lime", [0.1, 0.2])]
    assert "| rise | **0.715** |" in kinds_table(found, ["both"], "IoU")
    said = aims_table(found, ["both"])
    assert f"aim ≥ −{NEAR}" in said
    assert "| both | IoU | 0.700 | rise 0.715 | -0.015 [-0.100, +0.070] | met | 50% | missed |" in said
    worse = [line("de-cam", [0.6, 0.7]), line("rise", [0.7, 0.73])]
    assert "rise 0.715 | -0.065 [-0.100, -0.030] | missed | 100% | met |" in aims_table(worse, ["both"])
    assert aims_table(found[1:], ["both"]) == "There is nothing to compare yet."


@pytest.mark.slow
def test_what_is_there_is_not_asked_again_and_the_page_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "known")]
    main([*CALL, *out])
    first = capsys.readouterr().out
    assert "| rise | 60 | 60 | 6 |" in first
    monkeypatch.setattr(known_answers, "LocalRun", lambda *_: pytest.fail("a table asks nothing"))
    main([*CALL, *out, "--table", "--write", str(tmp_path / "page.md")])
    again = capsys.readouterr().out
    assert again == first
    assert "| rise | 60 | 60 | 6 |" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_a_name_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="No kind fits 'circle'; there are: rectangle"):
        main(["--kinds", "circle", "--out", str(tmp_path)])
    with pytest.raises(SettingError, match="No method fits 'grad-cam'"):
        main(["--methods", "grad-cam", "--out", str(tmp_path)])
