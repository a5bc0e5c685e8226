"""The benchmark of backdoors: its curve against a plain count, its shares of energy, and what it prints."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import backdoors
from benchmarks.backdoors import LOCAL, Asked, attacked, auc, energy, main, scores, separation
from decam.experiments.plan import MethodChoice
from decam.models.hidden import SECRETS


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backdoors, "RESAMPLES", 50)


def test_the_area_counts_pairs_and_ties_half() -> None:
    random = np.random.default_rng(3)
    positive, negative = random.integers(0, 6, 9) * 1.0, random.integers(0, 6, 14) * 1.0
    plain = [1.0 if one > other else 0.5 if one == other else 0.0 for one in positive for other in negative]
    assert auc(positive, negative) == pytest.approx(sum(plain) / len(plain))
    assert math.isnan(auc(positive, negative[:0]))


def test_attacked_are_the_target_alone_or_all_classes_of_the_all_to_all_attack() -> None:
    assert np.flatnonzero(attacked("hidden-08")).tolist() == [3]
    assert attacked("hidden-07").all()
    assert not attacked("hidden-02").any() and not attacked("hidden-09").any()


def test_energy_is_one_for_an_even_map_and_the_inverse_of_the_area_on_the_trigger() -> None:
    even = np.ones((3, 128, 128), np.float32)
    for model in LOCAL:
        assert energy(model, even) == pytest.approx(1)
    region = SECRETS["hidden-08"].region()
    assert region is not None
    assert energy("hidden-08", np.tile(region, (3, 1, 1)).astype(np.float32)) == pytest.approx(128**2 / 16**2)
    anywhere = np.zeros((3, 128, 128), np.float32)
    anywhere[:, 50:70, 30:50] = 1
    assert energy("hidden-03", anywhere) == pytest.approx(128**2 / 20**2)


def test_models_with_a_shortcut_stand_apart_from_the_separation() -> None:
    found = {name: attacked(name).astype(float) for name in ("hidden-08", "hidden-02")}
    whole = separation(found)
    assert whole is not None and whole.value == 1
    assert separation({**found, "hidden-09": np.full(10, 9.0)}) == whole
    assert separation({"hidden-02": found["hidden-02"]}) is None


def made(model: str, measure: str, seed: int, cheap: int | None) -> Asked:
    costs = [10.0 + 0.1 * number for number in range(10)]
    if cheap is not None:
        costs[cheap] = 1.0
    return Asked(model, measure, seed, tuple(costs), 12.0 if model in LOCAL else math.nan, 1000, 2.0)


def test_a_score_is_the_largest_over_measures_and_the_median_over_seeds() -> None:
    found = [made("hidden-08", "pixels", seed, cheap) for seed, cheap in ((0, 3), (1, 3), (2, None))]
    found += [made("hidden-08", "waves", seed, None) for seed in range(3)]
    values = scores(found, "hidden-08", ["pixels", "waves"])
    assert values is not None and values.argmax() == 3 and values[3] == pytest.approx(math.log(10) / 0.1)
    assert (np.delete(values, 3) < 0.1).all()


def test_a_score_rests_on_seeds_that_have_all_its_measures() -> None:
    found = [
        made("hidden-08", "pixels", 0, 3),
        made("hidden-08", "pixels", 1, None),
        made("hidden-08", "waves", 0, None),
    ]
    values = scores(found, "hidden-08", ["pixels", "waves"])
    assert values is not None and values.argmax() == 3, "the seed 1 lacks waves"
    assert scores(found[1:2], "hidden-08", ["pixels", "waves"]) is None


@pytest.mark.parametrize("found", [[], [made("hidden-08", "pixels", 0, 3)]], ids=["nothing", "one model of two"])
def test_tables_of_what_is_there_leave_the_rest_open(found: list[Asked]) -> None:
    models, measures = ["hidden-02", "hidden-08"], ["pixels", "waves"]
    titles = backdoors.compared(measures)
    lines = backdoors.models_table(found, models, titles).splitlines()
    assert lines[2].startswith("| hidden-02 |") and lines[2].count("– / –") == 3
    assert lines[3].count("– / –") == (2 if found else 3)
    assert len(backdoors.separation_table(found, models, titles).splitlines()) == 2 + 3
    assert backdoors.energy_table(found, models, measures).splitlines()[2].count("–") == (1 if found else 2)


@pytest.mark.slow
def test_what_was_asked_before_is_read_and_the_page_has_all_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = {"iterations": 2, "batch": 1, "fresh": 2, "samples": "gaussian"}
    monkeypatch.setitem(backdoors.CHOICES, "pixels", MethodChoice.default("smallest", basis="pixels", **quick))
    monkeypatch.setitem(backdoors.CHOICES, "Neural Cleanse", MethodChoice.default("neural-cleanse", **quick))
    given = ["--out", str(tmp_path / "store"), "--models", "hidden-02", "hidden-08"]
    given += ["--measures", "pixels", "Neural Cleanse", "--seeds", "1"]
    main(given)
    first = capsys.readouterr()
    assert "hidden-08" in first.out and "100.0%" in first.err
    monkeypatch.setattr(backdoors.LocalRun, "run", lambda *_: pytest.fail("it was asked again"))
    main([*given, "--table", "--write", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    assert [line for line in first.out.splitlines() if line.startswith("|")] == [
        line for line in page.splitlines() if line.startswith("|")
    ]
    assert "| largest of ours |" in page and page.count("hidden-02") >= 2 and "A corner patch" in page


def test_the_triggers_with_a_place_are_those_of_the_models() -> None:
    assert backdoors.LOCAL == {"hidden-03": 0, "hidden-05": 6, "hidden-08": 3, "hidden-14": 1}


@pytest.mark.slow
def test_one_model_is_asked_in_one_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = MethodChoice.default("smallest", basis="pixels", iterations=2, batch=1, fresh=2, samples="gaussian")
    monkeypatch.setitem(backdoors.CHOICES, "pixels", quick)
    (found,) = backdoors.computed(["hidden-08"], ["pixels"], [0], tmp_path)
    assert len(found.costs) == 10 and all(cost > 0 for cost in found.costs)
    assert found.evaluations == 10 * (2 + 16 * 2) and found.energy > 0
