"""The Python interface: names, checks and sentences."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import decam
from decam.errors import ImageError, MethodError, ModelError, SettingError
from decam.experiments.diagnostics import remarks
from decam.experiments.explain import class_index
from decam.explanation import last
from decam.methods import table as methods_table

LABELS = ["tench", "great white shark", "hammerhead shark", "hen"]


@pytest.fixture(scope="module")
def classifier():
    def function(images: torch.Tensor) -> torch.Tensor:
        share = images[:, 0, :, :16].mean((1, 2))
        rest = (1 - share) / 3
        return torch.stack([share, rest, rest, rest], 1)

    return decam.wrap(function, labels=LABELS, input_size=(32, 32))


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    pixels = np.full((32, 32, 3), 40, dtype=np.uint8)
    pixels[:, :16] = 250
    return pixels


@pytest.mark.slow
def test_the_core_imports_neither_streamlit_nor_plotly_nor_torch() -> None:
    code = (
        "import sys, decam; heavy = {'streamlit', 'plotly', 'torch', 'captum', 'torchvision'} & set(sys.modules);"
        "assert not heavy, heavy; decam.methods(), decam.explain;"
        "light = {'streamlit', 'plotly'} & set(sys.modules); assert not light, light"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parent.parent)


def test_the_tables_are_functions_and_rooms_alike() -> None:
    assert next(iter(decam.methods())) == "de-cam"
    assert next(iter(decam.metrics())) == "deletion"
    from decam.methods.base import Method
    from decam.metrics.base import Metric

    assert all(isinstance(row, Method) for row in decam.methods().values())
    assert all(isinstance(row, Metric) for row in decam.metrics().values())


def test_every_public_name_is_there() -> None:
    assert all(getattr(decam, name) is not None for name in decam.__all__)
    with pytest.raises(AttributeError, match="no attribute 'explian'"):
        decam.explian  # noqa: B018  # the access is the test


@pytest.mark.slow
def test_an_automatic_budget_ends_where_the_map_has_settled_and_says_so(classifier, image: np.ndarray) -> None:
    found = decam.explain(classifier, image, budget="auto", settled=0.2)
    assert found.evaluations < 4000 and found.rank_errors is not None
    assert found.notes[0].startswith(f"The map had settled after {found.evaluations} of at most 4000 evaluations")


def test_explain_gives_the_promised_fields(classifier, image: np.ndarray) -> None:
    explanation = decam.explain(classifier, image, method="occlusion", seed=3, window=0.25)
    assert explanation.saliency.shape == (32, 32)
    assert explanation.saliency.dtype == np.float32
    assert explanation.target == 0
    assert explanation.label == "tench"
    assert explanation.probability == pytest.approx(250 / 255, abs=1e-6)
    assert explanation.evaluations > 0
    assert explanation.seconds > 0
    assert explanation.settings.to_mapping()["window"] == 0.25
    assert explanation.saliency[:, :12].mean() > explanation.saliency[:, 20:].mean()


def test_steps_end_with_the_same_explanation(classifier, image: np.ndarray) -> None:
    steps = decam.explain_steps(classifier, image, method="rise", budget=64, target="hen", seed=1)
    one = last(steps)
    two = decam.explain(classifier, image, method="rise", budget=64, target=3, seed=1)
    np.testing.assert_array_equal(one.saliency, two.saliency)
    assert one.label == "hen"


@pytest.mark.parametrize("kind", ["path", "string", "pil", "array", "float array"])
def test_a_picture_comes_as_a_path_an_image_or_an_array(classifier, image: np.ndarray, kind: str, tmp_path) -> None:
    Image.fromarray(image).save(tmp_path / "a.png")
    given = {
        "path": tmp_path / "a.png",
        "string": str(tmp_path / "a.png"),
        "pil": Image.fromarray(image),
        "array": image,
        "float array": image.astype(np.float64) / 255,
    }[kind]
    expected = decam.explain(classifier, image, method="occlusion").saliency
    np.testing.assert_allclose(decam.explain(classifier, given, method="occlusion").saliency, expected, atol=1e-6)


def test_every_setting_of_every_method_can_be_given_as_a_keyword() -> None:
    table = methods_table.METHODS, decam.explain, decam.explain_steps
    of_classes = methods_table.CLASS_METHODS, decam.explain_class, decam.explain_class_steps
    for rows, *functions in (table, of_classes):
        taken = {name for function in functions for name in inspect.signature(function).parameters}
        for row in rows.values():
            assert not taken & {parameter.name for parameter in row.settings.parameters()}, row.name


@pytest.mark.parametrize(
    ("target", "index"),
    [(None, None), (2, 2), ("hen", 3), ("HEN", 3), ("hammer", 2), (" tench ", 0), (np.int64(1), 1)],
)
def test_a_class_is_found_by_index_or_part_of_its_name(classifier, target, index) -> None:
    assert class_index(classifier, target) == index


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (4, "Class 4 does not exist: function knows classes 0 to 3"),
        (-1, "Class -1 does not exist"),
        ("cat", "knows no class whose name contains 'cat'"),
        ("", "knows no class whose name contains ''"),
        ("shark", r"2 classes of function fit 'shark': great white shark \(1\), hammerhead shark \(2\)"),
    ],
)
def test_a_class_that_is_not_there_or_not_clear_is_a_sentence(classifier, target, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        class_index(classifier, target)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"method": "grad-cam"}, MethodError, "needs the model's activations and gradients"),
        ({"method": "nothing"}, MethodError, "There is no method 'nothing'"),
        ({"budget": 3, "method": "rise"}, SettingError, "budget is 3, but must lie between 16 and 50000"),
        ({"bugdet": 3}, SettingError, "There is no setting 'bugdet'.*Did you mean 'budget'"),
        ({"seed": -1}, SettingError, "The seed is -1"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(classifier, image, arguments, error, sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        decam.explain(classifier, image, **arguments)


def test_a_missing_picture_is_a_sentence(classifier, tmp_path) -> None:
    with pytest.raises(ImageError, match=r"gone\.png"):
        decam.explain(classifier, tmp_path / "gone.png")


def test_measure_takes_the_prediction_where_no_target_is_given(classifier, image: np.ndarray) -> None:
    saliency = decam.explain(classifier, image, method="occlusion").saliency
    assert decam.measure(classifier, image, saliency) == decam.measure(classifier, image, saliency, target=0)
    with pytest.raises(MethodError, match="There is no metric 'beauty'; there are: deletion, insertion"):
        decam.measure(classifier, image, saliency, metrics=["beauty"])
    with pytest.raises(SettingError, match="fill is 'pink'"):
        decam.measure(classifier, image, saliency, fill="pink")
    with pytest.raises(SettingError, match="steps is 1, but must lie between 2 and 500"):
        decam.measure(classifier, image, saliency, steps=1)


def test_an_explanation_is_measured_over_the_view_that_was_explained(classifier) -> None:
    wide = np.full((32, 64, 3), 40, np.uint8)
    wide[:, :24] = 250
    fitted = decam.explain(classifier, wide, method="occlusion", framing="fit")
    known = decam.measure(classifier, wide, fitted)
    assert known == decam.measure(classifier, wide, fitted.saliency, target=fitted.target, framing="fit")
    assert known != decam.measure(classifier, wide, fitted.saliency, target=fitted.target)
    assert decam.measure(classifier, Image.fromarray(wide), fitted) == known
    assert decam.measure(classifier, wide, fitted.saliency, target=fitted.target, method=fitted) == known


@pytest.mark.parametrize("given", [{"framing": "crop"}, {"image": np.zeros((32, 64, 3), np.uint8)}])
def test_an_explanation_of_another_view_is_refused(classifier, given) -> None:
    wide = np.full((32, 64, 3), 40, np.uint8)
    wide[:, :24] = 250
    fitted = decam.explain(classifier, wide, method="occlusion", framing="fit")
    with pytest.raises(SettingError, match="The explanation is of image 1, framed by 'fit', and this is another view"):
        decam.measure(classifier, **{"image": wide, "saliency": fitted, **given})


def test_another_model_of_the_same_input_may_be_asked_about_a_map(classifier, image: np.ndarray) -> None:
    def even(images: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 4), 0.25)

    other = decam.wrap(even, labels=LABELS, input_size=(32, 32), name="other")
    explanation = decam.explain(classifier, image, method="occlusion")
    assert set(decam.measure(other, image // 2, explanation)) == {"deletion", "insertion"}


def test_a_map_that_says_nothing_is_told_in_words(classifier) -> None:
    assert "constant" in remarks(np.ones((4, 4), np.float32))[0]
    assert "not finite" in remarks(np.array([[1, np.nan]], np.float32))[0]
    assert remarks(np.array([[1, 2]], np.float32)) == ()
    flat = decam.explain(classifier, np.zeros((32, 32, 3), np.uint8), method="occlusion", fill="black")
    assert flat.notes == ("The map is constant: the method found no difference between any two places.",)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda images: torch.zeros(len(images), 3), "answers 3 values an image, but 4 labels were given"),
        (lambda images: [0.5] * len(images), "answers a list of 1, and its scores are no tensor"),
        (
            lambda images: torch.full((len(images), 4), float("nan")),
            "answered an image with something that is no number",
        ),
    ],
)
def test_a_function_that_answers_nonsense_is_a_sentence(function, sentence: str, image: np.ndarray) -> None:
    with pytest.raises(ModelError, match=sentence):
        decam.explain(decam.wrap(function, labels=LABELS, input_size=(32, 32)), image, method="occlusion")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"labels": []}, "at least one label"),
        ({"labels": "ill"}, "labels are a str, but must be a list of names"),
        ({"labels": {0: "a", 1: "b"}}, r"list\(labels.values\(\)\)"),
        ({"labels": ["a"], "input_size": (1, 5)}, r"input size is \(1, 5\), but must be .* at least 2×2"),
        ({"labels": ["a"], "input_size": (8.0, 8.0)}, "must be .* at least 2×2"),
        ({"labels": ["a"], "input_size": "224"}, "input size is '224'"),
        ({"labels": ["a"], "mean": (123.7, 116.8, 103.9)}, r"must lie in \[0, 1\]"),
        ({"labels": ["a"], "mean": (0.5, 0.5)}, "three numbers"),
        ({"labels": ["a"], "std": (0.2, 0.2, 0.2)}, "are for a torch module"),
        ({"labels": ["a"], "batch_size": 0}, "batch size is 0"),
        ({"labels": ["a"], "answers": "percent"}, "answers is 'percent', but must be one of: auto, logits, prob"),
    ],
)
def test_wrap_refuses_what_cannot_be_asked(arguments, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        decam.wrap(lambda images: images, **arguments)
