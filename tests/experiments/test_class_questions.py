"""A question about a class, with no picture, goes the way of all questions: events, grid, run, export, replay."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from decam import api, export
from decam.classifier import Classifier
from decam.cli.choices import choices
from decam.errors import DecamError, MethodError, SettingError
from decam.experiments.cells import CellKey
from decam.experiments.events import Explained, Failed, Progressed
from decam.experiments.execute import execute
from decam.experiments.explain import class_question, explain_classes
from decam.experiments.grid import Grid
from decam.experiments.kinds import KINDS, class_maps
from decam.experiments.kinds.class_maps import CLASS_MAPS
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.questions import ModelSpec, QuestionSpec
from decam.experiments.variants import models_by
from decam.explanation import ClassExplanation, ClassMap, ClassSteps, Progress, Unit, last
from decam.export import wire
from decam.export.replay import Remade, read, remake
from decam.methods import CLASS_METHODS, get_class_method
from decam.methods.class_level.display import shown
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.experiments.class_level import BROKEN, NAME, PULL, PullSettings
from tests.runs.colours import colours, layered, wait_for
from tests.tools.colours import LABELS, SIZE


@pytest.fixture(autouse=True)
def _pull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_METHODS, NAME, PULL)


def a_gallery(*targets: int | Unit, **changes: object) -> Plan:
    return class_maps.plan(["colours"], "cpu", targets or (0, 1), [MethodChoice.default(NAME)], **changes)  # type: ignore[arg-type]


def computed(plan: Plan, classifier: Classifier | None = None) -> Grid:
    model = classifier or colours()
    return last(execute(Grid.empty(plan, (), labels=model.labels), lambda _: model))


def map_of(grid: Grid, question: int) -> ClassExplanation:
    explanation = grid.cells[CellKey(question, 0)].explanation
    assert isinstance(explanation, ClassExplanation)
    return explanation


def test_the_maps_of_all_classes_come_from_one_call_and_nothing_is_predicted() -> None:
    grid = Grid.empty(a_gallery(0, 1), ())
    events = list(execute(grid, lambda _: colours()))
    assert {type(event) for event in events} == {Progressed, Explained}
    first = [event.cell.question for event in events if isinstance(event, Progressed)][:2]
    assert first == [0, 1]  # side by side, not one after the other
    for event in events:
        grid = grid.after(event)
    assert grid.complete
    assert [cell.state for cell in grid.cells.values()] == ["done", "done"]
    assert grid.evaluations == 24
    found = map_of(grid, 1)
    assert (found.label, found.target, found.fidelity, found.baseline, found.control) == ("green", 1, 0.9, 0.1, 0.2)
    assert found.norm == pytest.approx(float(np.linalg.norm(found.map)))
    assert found.saliency == pytest.approx(np.sqrt((found.map.astype(float) ** 2).sum(0)), rel=1e-6)
    frames = grid.cells[CellKey(1, 0)].frames
    assert [frame.curves["fidelity"] for frame in frames] == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(frame.pattern is not None and frame.pattern.shape == (*SIZE, 3) for frame in frames)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("0 0 0! 1 1! 2!", [3, 2, 1]),  # one after the other: each its own
        ("0 1 2 0 1 2 0! 1! 2!", [3, 3, 3]),  # in one batch: what they shared, and their own measuring
        ("0! 1! 2!", [1, 1, 1]),
        ("0 1 1! 0 0 0! 2 2 2!", [4, 2, 3]),  # 1 is done early, 2 begins late
    ],
)
def test_the_seconds_of_maps_are_their_own_and_add_up_to_the_calls(
    steps: str, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method takes a second for each step; its steps are places of questions, those with a mark their maps."""
    now = 0.0

    def run(*_: object) -> ClassSteps:
        nonlocal now
        pattern = np.ones((3, *SIZE), np.float32)
        for step in steps.split():
            now += 1
            place = int(step.removesuffix("!"))
            yield place, (ClassMap(pattern, 0.9, 0.1, 0.2, 1.0) if step.endswith("!") else Progress(1, 1, 1))

    monkeypatch.setattr("decam.experiments.explain.time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setitem(CLASS_METHODS, NAME, dataclasses.replace(PULL, run=run))
    model = colours()
    made = last(explain_classes([class_question(model, target) for target in range(3)], NAME, PullSettings()))
    assert [one.seconds for one in made] == pytest.approx(expected)
    assert sum(one.seconds for one in made) == pytest.approx(now)


def test_a_class_that_fails_leaves_the_others_their_maps() -> None:
    grid = Grid.empty(a_gallery(0, BROKEN, 1), ())
    events = list(execute(grid, lambda _: colours()))
    assert [event.sentence for event in events if isinstance(event, Failed)] == ["This class has no map."]
    assert [event.cell.question for event in events if isinstance(event, Explained)] == [0, 2]


def test_what_is_there_is_not_made_again() -> None:
    plan = a_gallery(0, 1)
    grid = Grid.empty(plan, ()).after(Explained(CellKey(0, 0), map_of(computed(plan), 0)))
    events = list(execute(grid, lambda _: colours()))
    assert {event.cell.question for event in events if isinstance(event, Progressed | Explained)} == {1}


def test_a_unit_is_named_by_its_layer_and_channel() -> None:
    grid = computed(a_gallery(Unit("stem", 3)), layered())
    found = map_of(grid, 0)
    assert (found.target, found.label, grid.subject_of(0)) == (3, "stem, channel 3", "stem, channel 3")


def test_several_classes_may_share_one_map() -> None:
    grid = computed(a_gallery((0, 1), 1))  # type: ignore[arg-type]
    found = map_of(grid, 0)
    assert (found.target, found.label, grid.subject_of(0)) == (0, "red + green", "red + green")
    assert plan_from_json(plan_to_json(grid.plan)) == grid.plan
    with pytest.raises(SettingError, match="named twice or below 0"):
        a_gallery((1, 1))  # type: ignore[arg-type]


def test_a_plan_of_classes_survives_its_json() -> None:
    plan = a_gallery(0, 2, Unit("stem", 1), seeds=(0, 5))
    assert plan_from_json(plan_to_json(plan)) == plan
    assert class_maps.targets_of(plan) == ((0,), (2,), Unit("stem", 1))
    assert len(plan.questions) == 6
    assert KINDS[CLASS_MAPS].facts(plan) == ("3 classes", "2 seeds")
    assert KINDS[CLASS_MAPS].facts(a_gallery(Unit("stem", 1))) == ("1 unit",)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: a_gallery(0, 0), "class is given twice"),
        (lambda: class_maps.plan([], "cpu", (0,), [MethodChoice.default(NAME)]), "No model was given"),
        (lambda: a_gallery(0, seeds=()), "No seed was given"),
        (lambda: QuestionSpec(ModelSpec("colours"), None), "needs a class or a unit"),
        (lambda: QuestionSpec(ModelSpec("colours"), None, 1, unit=Unit("stem", 0)), "needs a class or a unit"),
        (lambda: QuestionSpec(ModelSpec("colours"), 0, unit=Unit("stem", 0)), "without an image"),
        (
            lambda: class_maps.plan(["colours"], "cpu", (0,), [MethodChoice.default("random")]),
            "explains images, not classes",
        ),
        (lambda: _asked_of_a_picture(), "explains classes, not images"),
        (lambda: _mixed(), "images or about classes, not both"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_in_words(make, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make()


def _asked_of_a_picture() -> Plan:
    question = QuestionSpec(ModelSpec("colours"), 0)
    return Plan(CLASS_MAPS, "cpu", (PictureChoice("a.png"),), (question,), (MethodChoice.default(NAME),))


def _mixed() -> Plan:
    questions = (QuestionSpec(ModelSpec("colours"), 0), QuestionSpec(ModelSpec("colours"), None, 1))
    return Plan(CLASS_MAPS, "cpu", (PictureChoice("a.png"),), questions, (MethodChoice.default("random"),))


@pytest.mark.slow
def test_a_run_of_classes_is_kept_listed_streamed_and_read_by_another_process(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path / "data"), colours)
    link = runs.start(a_gallery(0, 1), [], "ann")
    run = wait_for(runs, link)
    expected = computed(a_gallery(0, 1))
    (summary,) = runs.recent("ann", kind=CLASS_MAPS)
    assert (summary.pictures, summary.facts) == ((), ("2 classes",))
    assert Image.open(io.BytesIO(summary.thumbnail)).size == SIZE[::-1]
    runs.close()
    other = Store(tmp_path / "data")
    again = other.load(link)
    assert (run.status, again.status) == ("done", "done")
    for question in range(2):
        kept, made = map_of(again.grid, question), map_of(expected, question)
        assert kept.map.tobytes() == made.map.tobytes()
        assert (kept.fidelity, kept.baseline, kept.control, kept.norm) == (
            made.fidelity,
            made.baseline,
            made.control,
            made.norm,
        )
        both = (one.cells[CellKey(question, 0)].frames for one in (again, run))
        frames = zip(*both, strict=True)
        assert all((one.pattern == two.pattern).all() for one, two in frames)
    cells = wire.grid_cells(again)
    sent = wire.cell_object(cells[CellKey(0, 0)], frozenset(), True)
    assert sent["pattern"].startswith("data:image/png")
    assert sent["worth"] == {"fidelity": 0.9, "baseline": 0.1, "control": 0.2, "norm": pytest.approx(kept_norm(again))}
    assert sent["words"] == "0.90 with the map, 0.10 without, 0.20 with a random map of the same size"
    assert sent["nothing"] == ""
    json.dumps(sent, allow_nan=False)
    other.close()


def kept_norm(run) -> float:
    return float(f"{map_of(run.grid, 0).norm:.5g}")


def test_an_export_holds_the_patterns_and_is_made_again_bit_for_bit(tmp_path: Path) -> None:
    grid = computed(a_gallery(0, 1, Unit("stem", 3), seeds=(0, 1)), layered())
    export.write(grid, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out" / "maps").iterdir()}
    assert len(names) == 6
    with np.load(tmp_path / "out" / "maps" / "class-001_pull.npz") as content:
        assert content["map"].tobytes() == map_of(grid, 1).map.tobytes()
        assert float(content["control"]) == 0.2
    picture = np.asarray(Image.open(tmp_path / "out" / "patterns" / "class-001_pull.png"))
    assert (picture == shown(map_of(grid, 1).map)).all()
    lines = (tmp_path / "out" / "metrics.csv").read_text().splitlines()
    assert lines[0].startswith(
        "number,picture,model,method,target,label,probability,baseline,control,norm,cost,evaluations"
    )
    assert len(lines) == 7
    recording = read(tmp_path / "out" / "settings.json")
    events = list(remake(recording, models_by(lambda _: layered())))
    assert [event.verdict for event in events if isinstance(event, Remade)] == ["identical"] * 6


def test_a_pattern_is_shown_grey_where_it_is_zero_and_clipped_at_both_ends() -> None:
    pattern = np.zeros((3, 8, 8), np.float32)
    assert (shown(pattern) == 128).all()
    pattern[0, 0, 0], pattern[1, 0, 1], pattern[2, 0, 2] = 1, -1, np.nan
    picture = shown(pattern)
    assert picture[0, 0].tolist() == [255, 128, 128]
    assert picture[0, 1].tolist() == [128, 0, 128]
    assert picture[0, 2].tolist() == [128, 128, 128]


def test_python_asks_about_a_class_by_its_name() -> None:
    steps = api.explain_class_steps(colours(), "gree", NAME, seed=4, steps=2)
    assert [progress.step for progress in _drained(steps)] == [1, 2]
    found = api.explain_class(colours(), "green", NAME, seed=4, steps=2)
    assert (found.label, found.seed, found.settings) == (LABELS[1], 4, PullSettings(steps=2))


def _drained(steps):
    while True:
        try:
            yield next(steps)
        except StopIteration:
            return


@pytest.mark.parametrize(
    ("target", "method", "words"),
    [
        ("violet", NAME, "knows no class"),
        (7, NAME, "Class 7 does not exist"),
        (None, NAME, "No class was given"),
        ((0, "red"), NAME, "A class is named twice"),
        (Unit("stem", 0), NAME, "so it has no layer 'stem'"),
        (1, "grad-cam", "There is no method 'grad-cam'"),
    ],
)
def test_a_class_that_does_not_exist_is_said(target, method: str, words: str) -> None:
    with pytest.raises(DecamError, match=words):
        api.explain_class(colours(), target, method)


def test_a_layer_that_does_not_exist_is_said() -> None:
    with pytest.raises(SettingError, match="has no layer 'steam'"):
        api.explain_class(layered(), Unit("steam", 0), NAME)
    with pytest.raises(SettingError, match="counted from 0"):
        api.explain_class(layered(), Unit("stem", -1), NAME)


def test_a_method_that_cannot_ask_a_model_names_the_one_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = dataclasses.replace(PULL, name="deep", title="Deep", needs=frozenset({"gradients"}), instead=NAME)
    monkeypatch.setitem(CLASS_METHODS, "deep", deep)
    with pytest.raises(
        MethodError, match=r"Deep needs the model's gradients.* Choose Pull, which asks for answers only"
    ):
        api.explain_class(colours(), 1, "deep")


def test_a_method_has_defaults_that_suit_a_kind_of_model_and_what_is_given_counts_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = dataclasses.replace(PULL, suited=lambda model: {"steps": 5} if model.name == "layered" else {})
    monkeypatch.setitem(CLASS_METHODS, NAME, few)
    assert api.explain_class(layered(), 0, NAME).settings == PullSettings(steps=5)
    assert api.explain_class(layered(), 0, NAME, steps=2).settings == PullSettings(steps=2)
    assert api.explain_class(colours(), 0, NAME).settings == PullSettings()
    assert [one.default for one in few.parameters_for(layered())] == [5]
    assert [one.default for one in few.parameters_for(None)] == [3]
    (choice,), _ = choices([NAME], (), (), layered())
    assert choice.settings == PullSettings(steps=5)
    (choice,), _ = choices([NAME], (), (f"{NAME}.steps=4",), layered())
    assert choice.settings == PullSettings(steps=4)


def test_the_input_agnostic_maps_defaults_suit_scenes_and_photographs(embedded: Classifier) -> None:
    row = get_class_method("input-agnostic")
    assert row.settings_for(embedded) == row.settings()
    suited = row.settings_for(layered()).to_mapping()
    assert (suited["turn"], suited["budget"], suited["window"]) == (0.0, 400, 0.0)
