"""A question about one class rather than another, on its way through plan, JSON, digest, execution and export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import decam
from decam.classifier import FunctionClassifier
from decam.errors import SettingError
from decam.experiments import reuse
from decam.experiments.cells import CellKey
from decam.experiments.events import Events
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison, randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.experiments.variants import models_by
from decam.explanation import Unit, last
from decam.export import write
from decam.export.reading import grid_of
from decam.export.replay import Remade, read, remake
from tests.experiments.test_execute import a_classifier, a_plan, rise
from tests.tools.colours import LABELS, views
from tests.tools.networks import small_classifier

VIEW = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
FIRST = CellKey(0, 0)


def contrast(*against: int | None, **changes: object) -> Plan:
    return a_plan(len(against), rise(64), against=against, **changes)


def test_a_contrast_comes_back_from_json_and_a_plan_without_one_is_written_as_before() -> None:
    plan = contrast(1, None, targets=[0, 2])
    assert plan_from_json(plan_to_json(plan)) == plan
    told = [question.get("against", "none") for question in json.loads(plan_to_json(plan))["questions"]]
    assert told == [1, "none"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"picture": 0, "target": 1, "against": 1}, "told from itself"),
        ({"picture": 0, "target": 1, "against": -1}, "counted from 0"),
        ({"picture": None, "target": 1, "against": 2}, "in an image"),
        ({"picture": None, "unit": Unit("1", 0), "against": 2}, "in an image"),
    ],
)
def test_a_question_that_makes_no_contrast_is_one_sentence(fields: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        QuestionSpec(ModelSpec("colours"), **fields)


def test_json_with_a_second_class_that_is_no_number_is_one_sentence() -> None:
    read_back = json.loads(plan_to_json(contrast(1, targets=[0])))
    read_back["questions"][0]["against"] = "cow"
    with pytest.raises(SettingError, match="against must be a whole number"):
        plan_from_json(json.dumps(read_back))


def test_as_many_second_classes_as_pictures_are_asked_for() -> None:
    with pytest.raises(SettingError, match="1 classes to tell the targets from for 2 images"):
        a_plan(2, "random", against=[1])


def test_each_second_class_makes_another_map_and_the_digest_of_others_is_as_before() -> None:
    digests = {reuse.asked(contrast(other), FIRST, 0) for other in (None, 1, 2)}
    assert len(digests) == 3
    assert reuse.asked(contrast(1), FIRST, 0) == reuse.asked(contrast(1, targets=[0]), FIRST, 0)
    assert reuse.asked(contrast(None), FIRST, 0) == reuse.asked(a_plan(1, rise(64)), FIRST, 0)


def test_a_grid_names_both_classes_and_its_cells_know_them() -> None:
    plan = contrast(1, None, targets=[2, 0])
    grid = last(execute(Grid.empty(plan, views(2), labels=LABELS), lambda _: a_classifier()))
    assert grid.complete
    assert [grid.asked_of(question) for question in (0, 1)] == [f"{LABELS[2]} rather than {LABELS[1]}", LABELS[0]]
    first, second = (grid.cells[CellKey(place, 0)].explanation for place in (0, 1))
    assert first is not None and second is not None
    assert (first.target, first.against, first.label) == (2, 1, f"{LABELS[2]} rather than {LABELS[1]}")
    assert (second.against, second.label) == (None, LABELS[0])
    guesses = dict(grid.predictions[0] or ())
    assert first.probability == pytest.approx(guesses[2] / (guesses[2] + guesses[1]), abs=1e-5)


def test_a_metric_measures_the_same_probability_as_the_map_is_for() -> None:
    classifier, plan = a_classifier(), contrast(1, targets=[2])
    grid = last(execute(Grid.empty(plan, views(1), labels=LABELS), lambda _: classifier))
    cell = grid.cells[FIRST]
    assert cell.explanation is not None
    curve = next(one.curve for one in cell.measurements.values() if one.metric == "deletion")
    assert curve is not None
    assert curve.values[0] == pytest.approx(cell.explanation.probability, abs=1e-5)
    assert set(np.asarray(curve.top).tolist()) <= {1, 2}


def test_a_predicted_class_that_is_the_second_one_ends_the_cell_in_a_sentence() -> None:
    guess = last(executed(a_plan(1, "random"))).predictions[0]
    assert guess is not None
    grid = last(executed(contrast(guess[0][0])))
    assert "cannot be told from itself" in grid.cells[FIRST].error


def executed(plan: Plan) -> Events[Grid]:
    return execute(Grid.empty(plan, views(1), labels=LABELS), lambda _: a_classifier())


@pytest.mark.slow
def test_the_variants_of_a_randomisation_check_are_asked_the_same() -> None:
    classifier = small_classifier()
    plan = randomisation.plan(classifier, PictureChoice("one"), [MethodChoice.default("grad-cam")], target=2, against=0)
    grid = last(execute(Grid.empty(plan, [VIEW], labels=classifier.labels), models_by(lambda _: classifier)))
    made = [cell.explanation for cell in grid.cells.values()]
    assert len(made) > 2
    assert {(one.target, one.against) for one in made if one is not None} == {(2, 0)}
    assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.slow
def test_an_export_of_a_contrast_is_read_back_and_replayed_bit_for_bit(tmp_path: Path) -> None:
    classifier = small_classifier()
    plan = comparison.plan(
        classifier.name,
        "cpu",
        [PictureChoice("one.png")],
        [MethodChoice.default("grad-cam"), MethodChoice.default("rise", budget=32), MethodChoice.default("finer-cam")],
        targets=[2],
        against=[0],
        metrics=[MetricChoice.default("deletion", steps=4)],
        execution=classifier.execution,
    )
    grid = last(execute(Grid.empty(plan, [VIEW], labels=classifier.labels), lambda _: classifier))
    assert grid.cells[CellKey(0, 2)].error.startswith("Finer-CAM chooses the classes")
    write(grid, tmp_path)
    recording = read(tmp_path / "settings.json")
    remade = [one for one in remake(recording, lambda _: small_classifier()) if isinstance(one, Remade)]
    assert [one.verdict for one in remade] == ["identical"] * 2
    read_back = grid_of(recording, classifier.labels)
    assert read_back.asked_of(0) == "c rather than a"
    explanation = read_back.cells[FIRST].explanation
    assert explanation is not None
    assert (explanation.label, explanation.against) == ("c rather than a", 0)
    assert "c rather than a" in (tmp_path / "metrics.csv").read_text(encoding="utf-8")
    with np.load(tmp_path / recording.maps[0].file) as content:
        assert int(content["against"]) == 0


@pytest.mark.slow
def test_the_python_interface_takes_a_second_class_by_name_and_measures_by_it() -> None:
    classifier = small_classifier()
    made = decam.explain(classifier, VIEW, "grad-cam", target="c", against="a")
    assert (made.label, made.against) == ("c rather than a", 0)
    grid = decam.compare(classifier, [VIEW], ["grad-cam"], targets=["c"], against=["a"], metrics=["deletion"])
    cell = grid.cells[FIRST]
    assert cell.explanation is not None
    np.testing.assert_array_equal(cell.explanation.saliency, made.saliency)
    (measured,) = cell.measurements.values()
    known = decam.measure(classifier, VIEW, made, metrics=["deletion"])
    assert known["deletion"] == pytest.approx(measured.value, abs=1e-6)
    apart = decam.measure(classifier, VIEW, dataclasses.replace(made, against=None), metrics=["deletion"])
    assert apart["deletion"] != pytest.approx(measured.value, abs=1e-3)
    check = decam.sanity_check(classifier, VIEW, ["grad-cam"], target="c", against="a")
    assert check.asked_of(1) == "c rather than a"


def test_a_black_box_of_ones_own_is_asked_as_well() -> None:
    plain = a_classifier()
    assert isinstance(plain, FunctionClassifier)
    made = decam.explain(plain, views(1)[0], "rise", target=2, against=1, budget=64)
    assert made.against == 1
    assert made.evaluations == 64
