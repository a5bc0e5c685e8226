"""The benchmark of scenes from its questions to its tables: what is asked, in which order, and going on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scene_rows import candidates, costly, metrics, models
from benchmarks.scenes import Wanted, exactly, main, parts, questions
from decam import explain, load_classifier, measure
from decam.benchmark.candidates import selected
from decam.benchmark.datasets import few, places
from decam.benchmark.outcomes import Outcomes
from decam.benchmark.shards import Asked
from decam.classifier import TorchClassifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice, MetricChoice
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.metrics import METRICS
from decam.runs.store import Store

FEW = ["--methods", "random", "centre", "edges", "--metrics", "pointing-game", "iou", "average-drop", "consistency"]
CALL = ["--scenes", "1", "--pairs", "1", "--remade", "1", *FEW]


@pytest.fixture(scope="module")
def classifiers() -> dict[str, TorchClassifier]:
    return {name: load_classifier(name, exact=True) for name in models()}


def wanted(classifiers: dict[str, TorchClassifier], *names: str) -> Wanted:
    chosen = places(2, 2)
    rows = selected(candidates(classifiers), ["random", "centre"])
    return Wanted(chosen, few(chosen, 1), rows, metrics(names))


@pytest.mark.slow
def test_every_method_that_can_explain_the_embedded_model_is_there_and_de_cam_twice(
    classifiers: dict[str, TorchClassifier],
) -> None:
    rows = [row for row in candidates(classifiers) if row.model == "embedded"]
    able = {name for name, method in METHODS.items() if not method.obstacle(classifiers["embedded"])}
    assert {row.choice.name for row in rows} == able
    assert [row.label for row in rows if row.choice.name == "de-cam"] == ["de-cam-500", "de-cam-1000"]
    assert len({row.choice for row in rows}) == len(rows)
    assert {row.label for row in rows if row.control} >= {"random", "centre", "edges"}


@pytest.mark.slow
def test_other_models_have_the_methods_made_for_them(classifiers: dict[str, TorchClassifier]) -> None:
    others = [row for row in candidates(classifiers) if row.model != "embedded"]
    assert others and all(METHODS[row.choice.name].family == "attention" for row in others)
    assert next(iter(classifiers)) == "embedded"


def test_metrics_that_remake_maps_come_last_for_few_scenes_and_map_by_map(
    classifiers: dict[str, TorchClassifier],
) -> None:
    dear = {name for name in METRICS if costly(MetricChoice.default(name))}
    assert dear == {"max-sensitivity", "seed-agreement", "consistency"}
    todo = [part.plan for part in parts(classifiers, wanted(classifiers, "iou", "consistency"))]
    order = [(plan.pictures[0].name, len(plan.methods), [metric.name for metric in plan.metrics]) for plan in todo]
    scenes = [f"scene {place.number}" for place in places(2, 2)]
    cheap = [(name, 2, ["iou"]) for name in scenes]
    assert order == [*cheap, *((name, 1, ["consistency"]) for name in scenes[:2] for _ in range(2))]


def test_every_model_is_asked_about_a_scene_before_the_next(classifiers: dict[str, TorchClassifier]) -> None:
    chosen = places(2, 0)
    rows = candidates(classifiers)
    everything = Wanted(chosen, (), rows, metrics(["iou"]))
    order = [(part.plan.pictures[0].name, part.plan.model) for part in parts(classifiers, everything)]
    there = list(dict.fromkeys(row.model for row in rows))
    assert order == [(f"scene {place.number}", model) for place in chosen for model in there]
    asked = questions(classifiers, everything)
    assert [[one.model.name for one in line] for line in asked] == [[row.model for row in rows]] * 2
    assert [{one.seed for one in line} for line in asked] == [{place.number} for place in chosen]


@pytest.mark.parametrize(
    ("choose", "sentence"),
    [(lambda: metrics(["no-such"]), "No metric fits 'no-such'"), (lambda: selected((), ["ris*"]), "No method fits")],
)
def test_a_pattern_that_fits_nothing_is_said(choose: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        choose()


def test_no_scene_at_all_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scenes", "0", "--pairs", "0", "--out", str(tmp_path / "scenes")])
    assert "no scene to ask about" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_there_is_not_done_again_and_a_grown_call_ends_with_the_same_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, grown = str(tmp_path / "whole"), str(tmp_path / "grown")
    main([*CALL, "--out", whole])
    printed = capsys.readouterr().out
    main(["--scenes", "1", "--pairs", "0", "--methods", "random", "--metrics", "iou", "--out", grown])
    capsys.readouterr()
    main([*CALL, "--out", grown])
    assert capsys.readouterr().out == printed
    main([*CALL, "--out", grown])
    main([*CALL, "--out", grown, "--table"])
    assert capsys.readouterr() == (2 * printed, "")
    assert "(3 on 2 scenes; +1: both find the same methods better):" in printed
    assert "| *random* | 2 |" in printed


@pytest.mark.slow
def test_the_values_are_those_of_measure_with_the_truth_of_the_object_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scenes"
    call = ["--scenes", "0", "--pairs", "2", "--remade", "0", "--methods", "grad-cam", "--metrics"]
    names = ["insertion", "infidelity", "energy-inside", "relevance-rank", "sparsity"]
    main([*call, *names, "--out", str(out)])
    assert "| grad-cam | 2 |" in capsys.readouterr().out
    classifier = exactly("embedded")
    place = places(0, 2)[1]
    assert place.which == 1
    seen = scene(place.number, objects=2)
    made = explain(classifier, seen.image, "grad-cam", target=seen.labels[1])
    expected = measure(classifier, seen.image, made, metrics=names, truth=seen.masks[1], seed=place.number)
    chosen = MethodChoice.default("grad-cam")
    rows = selected(candidates({"embedded": classifier}), ["grad-cam"])
    ((asked,),) = questions({"embedded": classifier}, Wanted((place,), (), rows, ()))
    assert isinstance(asked, Asked)
    with closing(Store(out)) as store:
        outcome = Outcomes(store).get(asked, chosen)
    assert outcome is not None
    found = [outcome.values[MetricChoice.default(name).key] for name in names]
    np.testing.assert_allclose(found, list(expected.values()), atol=1e-5)
