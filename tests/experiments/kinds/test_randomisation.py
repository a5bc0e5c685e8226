"""The randomisation check: what forgets, what is compared, and that the model is left as it was."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import decam
from decam.api import sanity_check
from decam.classifier import Execution, TorchClassifier
from decam.errors import MethodError, SettingError
from decam.experiments.cells import CellKey
from decam.experiments.events import Explained, Failed, Predicted, Progressed
from decam.experiments.execute import execute
from decam.experiments.explain import explain_view
from decam.experiments.grid import Grid
from decam.experiments.kinds import randomisation
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, fingerprint
from decam.experiments.status import CellState
from decam.experiments.variants import models_by, variants_of
from decam.explanation import Question, last
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.metrics.similarity import SIMILARITIES, get
from decam.models.randomise import layers, randomised, stages
from tests.tools.networks import small_classifier

MODE = pytest.mark.parametrize("mode", ["cascading", "independent"])


@pytest.fixture
def small() -> TorchClassifier:
    return small_classifier()


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def choices(*names: str) -> list[MethodChoice]:
    return [MethodChoice.default(name) for name in names]


def begun(classifier, view, methods, target=None, seed=0, mode="cascading") -> Grid:
    plan = randomisation.plan(classifier, PictureChoice("a"), methods, target=target, mode=mode, seed=seed)
    return Grid.empty(plan, [view], labels=classifier.labels)


def check(classifier, view, methods, target=None, seed=0, mode="cascading"):
    return execute(begun(classifier, view, methods, target, seed, mode), models_by(lambda _: classifier))


def failures(grid: Grid) -> dict[CellKey, str]:
    return {key: cell.error for key, cell in grid.cells.items() if cell.error}


def similarity(grid: Grid, key: CellKey, measure: str, absolute: bool = False) -> float:
    return grid.cells[key].measurements[MetricChoice.default(f"similarity-{measure}", absolute=absolute).key].value


@MODE
@pytest.mark.slow
def test_each_map_is_the_methods_own_on_a_model_that_forgot_these_layers(mode, small, view) -> None:
    grid = last(check(small, view, choices("gradient", "occlusion"), 2, 5, mode))
    variants = variants_of(grid.plan)
    assert [variant.stage for variant in variants] == ["6", "2", "0"]
    forgotten = {"cascading": [{"6"}, {"6", "2"}, {"6", "2", "0"}], "independent": [{"6"}, {"2"}, {"0"}]}[mode]
    total = sum(weight.numel() for weight in small.module.parameters())
    assert grid.complete and not failures(grid)
    for key in list(grid.plan.cells())[2:]:
        chosen = forgotten[key.question - 1]
        model = small.with_module(randomised(small.module, chosen, 5))
        choice = choices("gradient", "occlusion")[key.method]
        expected = last(explain_view(model, view, choice.name, choice.settings, 2, 5))
        made = grid.cells[key].explanation
        np.testing.assert_array_equal(made.saliency, expected.saliency)
        assert made.probability == pytest.approx(expected.probability, rel=1e-6)
        count = sum(w.numel() for name in chosen for w in small.module.get_submodule(name).parameters())
        assert variants[key.question - 1].share == pytest.approx(count / total)
        original = grid.cells[CellKey(0, key.method)].explanation.saliency
        for measure in SIMILARITIES:
            for absolute in (False, True):
                expected_value = get(measure).between(original, expected.saliency, absolute=absolute)
                np.testing.assert_allclose(similarity(grid, key, measure, absolute), expected_value, atol=1e-9)


@pytest.mark.slow
@MODE
def test_the_model_is_bit_for_bit_what_it_was_and_lies_where_it_lay(mode, small, view) -> None:
    small.configure(Execution(channels_last=True))
    before = [(part.clone(), part.data_ptr(), part.stride()) for part in small.module.parameters()]
    last(check(small, view, choices("grad-cam", "guided-backprop"), 1, 0, mode))
    for (value, place, stride), part in zip(before, small.module.parameters(), strict=True):
        assert torch.equal(value, part) and (place, stride) == (part.data_ptr(), part.stride())
        assert not part.requires_grad


@pytest.mark.slow
@MODE
def test_methods_that_ignore_the_model_are_the_same_throughout(mode, small, view) -> None:
    grid = sanity_check(small, view, ["edges", "centre"], mode=mode)
    for key in list(grid.plan.cells())[2:]:
        for measure in SIMILARITIES:
            for absolute in (False, True):
                assert similarity(grid, key, measure, absolute) == pytest.approx(1)


@pytest.mark.slow
def test_the_original_comes_first_and_one_model_after_the_other(small, view) -> None:
    events = list(check(small, view, choices("gradient", "rise"), None, 0))
    main = [event for event in events if isinstance(event, Predicted | Explained)]
    assert [event.question for event in main if isinstance(event, Predicted)] == [0, 1, 2, 3]
    explained = [event.cell for event in main if isinstance(event, Explained)]
    assert explained == [CellKey(question, method) for question in range(4) for method in range(2)]


@pytest.mark.slow
def test_the_class_of_the_original_is_asked_about_throughout(small, view) -> None:
    grid = sanity_check(small, view, ["gradient"])
    asked = {cell.explanation.target for cell in grid.cells.values()}
    assert asked == {grid.predictions[0][0][0]}
    assert {grid.target_of(question) for question in range(4)} == asked


@pytest.mark.slow
def test_what_fails_is_told_in_a_sentence_and_the_others_go_on(small, view, monkeypatch) -> None:
    honest = METHODS["gradient"].run

    def moody(question: Question, settings: object, seed: int):
        if not torch.equal(question.classifier.module[2].weight, small.module[2].weight):
            raise SettingError("This layer is not what it was.")
        return (yield from honest(question, settings, seed))

    monkeypatch.setitem(METHODS, "gradient", decam.methods.Method(**{**vars(METHODS["gradient"]), "run": moody}))
    grid = last(check(small, view, choices("gradient", "centre"), 0, 0, "independent"))
    assert failures(grid) == {CellKey(2, 0): "This layer is not what it was."}
    assert sum(cell.state is CellState.DONE for cell in grid.cells.values()) == 7


@pytest.mark.slow
def test_a_method_that_cannot_explain_the_original_has_no_maps_of_the_variants(small, view) -> None:
    small.provides = frozenset({"output"})
    events = list(check(small, view, choices("grad-cam", "centre"), 0, 0))
    failed = [event for event in events if isinstance(event, Failed)]
    assert [event.cell for event in failed] == [CellKey(question, 0) for question in range(4)]
    assert "Grad-CAM needs" in failed[0].sentence
    assert {event.sentence for event in failed[1:]} == {"Grad-CAM has no map from the original model to compare with."}


@pytest.mark.slow
def test_closing_ends_the_check_and_leaves_the_model(small, view) -> None:
    before = [part.clone() for part in small.module.parameters()]
    steps = check(small, view, choices("rise"), 0, 0)
    for event in steps:
        if isinstance(event, Progressed) and event.cell.question == 2:
            break
    steps.close()
    assert all(torch.equal(one, part) for one, part in zip(before, small.module.parameters(), strict=True))
    with pytest.raises(StopIteration):
        next(steps)


@pytest.mark.slow
def test_a_check_that_was_cut_short_goes_on_to_the_very_same_maps(small, view) -> None:
    whole = last(check(small, view, choices("rise", "gradient"), 0, 3))
    grid = begun(small, view, choices("rise", "gradient"), 0, 3)
    steps = execute(grid, models_by(lambda _: small))
    for event in steps:
        grid = grid.after(event)
        if isinstance(event, Progressed) and event.cell == CellKey(2, 0):
            break
    steps.close()
    grid = last(execute(grid.ended().waiting(maps=True), models_by(lambda _: small)))
    for key, cell in whole.cells.items():
        np.testing.assert_array_equal(grid.cells[key].explanation.saliency, cell.explanation.saliency)
        assert dict(grid.cells[key].measurements) == dict(cell.measurements)


@pytest.mark.slow
def test_random_labels_compare_with_the_other_models_map(small, view) -> None:
    other = small.with_module(randomised(small.module, layers(small.module), 3))
    grid = sanity_check(small, view, ["gradient"], target=1, shuffled=other)
    expected = last(explain_view(other, view, "gradient", choices("gradient")[0].settings, 1, 0))
    np.testing.assert_array_equal(grid.cells[CellKey(1, 0)].explanation.saliency, expected.saliency)
    assert [variant.stage for variant in variants_of(grid.plan)] == ["shuffled labels"]


@pytest.mark.slow
def test_a_check_calls_its_image_by_the_file_and_knows_it_by_its_fingerprint(small, view, tmp_path) -> None:
    Image.fromarray(view).save(tmp_path / "heron.png")
    (picture,) = sanity_check(small, tmp_path / "heron.png", ["centre"]).plan.pictures
    assert (picture.name, picture.sha256) == ("heron.png", fingerprint(small.view(Image.fromarray(view))))


@pytest.mark.slow
def test_the_floor_is_the_similarity_with_maps_that_know_nothing(small, view) -> None:
    grid = sanity_check(small, view, ["centre"])
    cell = grid.cells[CellKey(0, 0)]

    def floor(measure: str) -> dict[str, float]:
        return dict(cell.measurements[MetricChoice.default(f"control-similarity-{measure}").key].parts)

    assert list(floor("ssim")) == ["Random map", "Centre Gaussian", "Edge detector"]
    assert floor("spearman")["Centre Gaussian"] == pytest.approx(1)
    draws = [decam.explain(small, view, "random", seed=seed).saliency for seed in range(5)]
    expected = np.mean([get("ssim").between(cell.explanation.saliency, drawn) for drawn in draws])
    assert floor("ssim")["Random map"] == pytest.approx(expected)


def test_bad_requests_are_refused_with_a_sentence(small, view, rectangle) -> None:
    with pytest.raises(SettingError, match="no randomisation 'sideways'; there are: cascading, independent"):
        sanity_check(small, view, mode="sideways")
    with pytest.raises(MethodError, match="PyTorch model, and rectangle is none"):
        sanity_check(rectangle.classifier, view, ["occlusion"])
    with pytest.raises(SettingError, match="at least one image or class, and one method"):
        sanity_check(small, view, [])
    with pytest.raises(SettingError, match="Class 9 does not exist"):
        sanity_check(small, view, ["gradient"], target=9)
    with pytest.raises(SettingError, match="does not see and name the same images as small"):
        other = TorchClassifier("other", small.module, list("abc"), input_size=(40, 40))
        sanity_check(small, view, ["gradient"], shuffled=other)


@pytest.mark.slow
def test_a_stage_that_the_model_does_not_have_fails_its_own_maps_alone(small, view) -> None:
    grid = begun(small, view, choices("gradient"), 0)
    questions = list(grid.plan.questions)
    lost = dataclasses.replace(questions[1].model.variant, stage="attic")
    questions[1] = dataclasses.replace(questions[1], model=dataclasses.replace(questions[1].model, variant=lost))
    plan = dataclasses.replace(grid.plan, questions=tuple(questions))
    grid = last(execute(Grid.empty(plan, [view]), models_by(lambda _: small)))
    assert list(failures(grid)) == [CellKey(1, 0)]
    assert "small has no stage 'attic'; it has: 6, 2, 0" in failures(grid)[CellKey(1, 0)]


@pytest.mark.slow
def test_guided_backpropagation_changes_less_than_the_gradient_when_the_head_forgets(embedded) -> None:
    """A known failure of the method (Adebayo et al. 2018, figure 2)."""
    kept = {"Guided backpropagation": [], "Gradient": []}
    for seed in range(2):
        grid = sanity_check(embedded, scene(500 + seed).image, ["guided-backprop", "gradient"], seed=seed)
        assert grid.complete and not failures(grid)
        for method, title in enumerate(grid.plan.titles()):
            kept[title].append(similarity(grid, CellKey(1, method), "spearman", absolute=True))
    assert min(kept["Guided backpropagation"]) > 0.9 > max(kept["Gradient"])


def test_the_stages_of_the_embedded_model_are_its_blocks(embedded) -> None:
    pieces = stages(embedded.module, embedded.input_size)
    assert [piece.name for piece in pieces] == ["head", "blocks.3", "blocks.2", "blocks.1", "blocks.0", "stem"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", ["fc", "layer4", "layer3", "layer2", "layer1", "conv1"]),
        (
            "squeezenet1_0",
            ["classifier", "features.12", "features.9 … 10", "features.7 … 8", "features.3 … 5", "features.0"],
        ),
    ],
)
def test_stages_of_a_large_network_go_by_resolution_and_hold_every_weight_once(name: str, expected: list[str]) -> None:
    from torchvision.models import get_model

    with torch.device("meta"):
        module = get_model(name).eval()
    pieces = stages(module, (224, 224))
    assert [piece.name for piece in pieces] == expected
    assert sorted(layer for piece in pieces for layer in piece.layers) == sorted(layers(module))
    assert sum(piece.weights for piece in pieces) == sum(weight.numel() for weight in module.parameters())
