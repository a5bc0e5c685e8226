"""The benchmark of scenes from its questions to its tables: what is asked, in which order, and going on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scenes
from benchmarks.scene_file import Asked, Journal
from benchmarks.scene_rows import all_rows, costly, few, key, metrics, models, places, selected
from benchmarks.scenes import Plan, drawn, main, share, tasks
from decam import explain, load_classifier, measure
from decam.classifier import TorchClassifier
from decam.methods import METHODS
from decam.methods.de_cam.method import DeCamSettings
from decam.metrics import METRICS

FEW = ["--methods", "random", "centre", "edges", "--metrics", "pointing-game", "iou", "average-drop", "consistency"]
CALL = ["--scenes", "1", "--pairs", "1", "--remade", "1", *FEW]


@pytest.fixture(scope="module")
def classifiers() -> dict[str, TorchClassifier]:
    return {name: load_classifier(name, exact=True) for name in models()}


def plan(classifiers: dict[str, TorchClassifier], *names: str) -> Plan:
    chosen = places(2, 2)
    rows = selected(all_rows(classifiers), ["random", "centre"])
    return Plan(chosen, few(chosen, 1), rows, metrics(names))


def test_every_method_that_can_explain_the_embedded_model_is_there_and_de_cam_twice(
    classifiers: dict[str, TorchClassifier],
) -> None:
    rows = [row for row in all_rows(classifiers) if row.model == "embedded"]
    able = {name for name, method in METHODS.items() if not method.obstacle(classifiers["embedded"])}
    assert {row.method for row in rows} == able
    assert [row.name for row in rows if row.method == "de-cam"] == ["de-cam-500", "de-cam-1000"]
    assert len({row.known for row in rows}) == len(rows)
    assert {row.name for row in rows if row.control} >= {"random", "centre", "edges"}


def test_other_models_have_the_methods_made_for_them(classifiers: dict[str, TorchClassifier]) -> None:
    others = [row for row in all_rows(classifiers) if row.model != "embedded"]
    assert all(METHODS[row.method].family == "attention" for row in others)
    assert next(iter(classifiers)) == "embedded"


def test_scenes_with_one_and_two_objects_take_turns_and_the_first_of_each_are_the_few() -> None:
    chosen = places(3, 2)
    assert [place.objects for place in chosen] == [1, 2, 1, 2, 1]
    assert len({place.number for place in chosen}) == 5
    assert few(chosen, 1) == chosen[:2]
    assert few(chosen, 0) == ()


def test_of_two_objects_the_first_and_the_second_are_asked_about_in_turns() -> None:
    asked = [place.asked("embedded").which for place in places(4, 4)]
    assert asked[::2] == [0, 0, 0, 0]
    assert asked[1::2] == [0, 1, 0, 1]


def test_metrics_that_remake_maps_come_last_for_few_scenes_and_row_by_row(
    classifiers: dict[str, TorchClassifier], tmp_path: Path
) -> None:
    assert {metric.name for metric in METRICS.values() if costly(metric)} == {
        "max-sensitivity",
        "seed-agreement",
        "consistency",
    }
    todo = list(tasks(plan(classifiers, "iou", "consistency"), Journal(tmp_path / "absent.jsonl")))
    order = [(task.asked.objects, [(one.metric.name, len(one.rows)) for one in task.portions]) for task in todo]
    cheap, dear = [("iou", 2)], [("consistency", 1), ("consistency", 1)]
    assert order == [(1, cheap), (2, cheap), (1, cheap), (2, cheap), (1, dear), (2, dear)]


@pytest.mark.parametrize(
    ("choose", "sentence"),
    [(lambda: metrics(["no-such"]), "No metric fits 'no-such'"), (lambda: selected((), ["ris*"]), "No method fits")],
)
def test_a_pattern_that_fits_nothing_is_said(choose: object, sentence: str) -> None:
    assert callable(choose)
    with pytest.raises(ValueError, match=sentence):
        choose()


@pytest.mark.parametrize("text", ["0/2", "3/2", "half", "1/", "-1/2"])
def test_a_share_is_a_part_of_parts(text: str) -> None:
    assert share("2/3") == (2, 3)
    with pytest.raises(ValueError, match="no share"):
        share(text)


def test_no_scene_at_all_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scenes", "0", "--pairs", "0", "--out", str(tmp_path / "scenes.jsonl")])
    assert "no scene to ask about" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    main([*CALL, "--out", str(whole)])
    said = capsys.readouterr()
    assert "questions are left, about" in said.err
    lines = whole.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2 * (3 + 3)

    stopped.write_bytes(b"".join(lines[:4]) + lines[4][:30])
    main([*CALL, "--out", str(stopped)])
    assert capsys.readouterr().out == said.out
    assert Journal(stopped).values == Journal(whole).values

    before = stopped.read_bytes()
    main([*CALL, "--out", str(stopped)])
    main([*CALL, "--out", str(stopped), "--table"])
    assert stopped.read_bytes() == before
    assert capsys.readouterr().out == 2 * said.out


@pytest.mark.slow
def test_shares_together_are_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--scenes", "2", "--pairs", "1", "--remade", "1", "--methods", "centre", "--metrics", "iou", "consistency"]
    whole, shared = tmp_path / "whole.jsonl", tmp_path / "shared.jsonl"
    main([*call, "--out", str(whole)])
    main([*call, "--out", str(shared), "--share", "2/2"])
    assert 0 < len(Journal(shared).values) < len(Journal(whole).values)
    main([*call, "--out", str(shared), "--share", "1/2"])
    assert Journal(shared).values == Journal(whole).values
    assert capsys.readouterr().out


@pytest.mark.slow
def test_the_values_are_those_of_measure_with_the_truth_of_the_object_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scenes.jsonl"
    call = ["--scenes", "0", "--pairs", "2", "--remade", "0", "--methods", "grad-cam", "--metrics"]
    names = ["insertion", "infidelity", "energy-inside", "relevance-rank", "sparsity"]
    main([*call, *names, "--out", str(out)])
    assert "| grad-cam | 2 |" in capsys.readouterr().out
    classifier = load_classifier("embedded", exact=True)
    place = places(0, 2)[1]
    asked = place.asked("embedded")
    assert asked.which == 1
    seen = drawn(asked)
    made = explain(classifier, seen.image, "grad-cam", target=seen.labels[1])
    expected = measure(classifier, seen.image, made, metrics=names, truth=seen.masks[1], seed=place.number)
    journal = Journal(out)
    (row,) = selected(all_rows({"embedded": classifier}), ["grad-cam"])
    found = [journal.values[key(asked, METRICS[name], row)] for name in names]
    np.testing.assert_allclose(found, list(expected.values()), atol=1e-5)


@pytest.mark.slow
def test_what_another_process_has_done_meanwhile_is_not_done_again(
    classifiers: dict[str, TorchClassifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scenes.jsonl"
    wanted = plan(classifiers, "iou")
    late = Journal(path)
    todo = list(tasks(wanted, late))
    monkeypatch.setattr(scenes, "tasks", lambda *_: iter(todo))
    scenes.run(classifiers, wanted, Journal(path))
    before = path.read_bytes()
    scenes.run(classifiers, wanted, late)
    assert path.read_bytes() == before
    assert len(late.values) == 4 * 2


def test_other_settings_are_other_values(classifiers: dict[str, TorchClassifier]) -> None:
    usual, fewer = selected(all_rows(classifiers), ["de-cam-1000"])[0], DeCamSettings(budget=900)
    asked = Asked("embedded", 1, 0, 0)
    assert key(asked, METRICS["iou"], usual) != key(asked, METRICS["iou"], replace(usual, settings=fewer))
