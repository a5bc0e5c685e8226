"""Why this class and not that one: against models whose difference is known, and against the same written by hand."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from decam.classifier import Classifier, FunctionClassifier, TorchClassifier, probabilities, wrap
from decam.classifier.contrast import contrast_label, contrasted, odds_of_probabilities
from decam.errors import MethodError, SettingError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.controls.maps import FAMILY as CONTROLS
from tests.methods.test_table import ON_ANY_NETWORK, quick
from tests.tools.networks import small_classifier, small_module

SIDE = 12
PICTURES = torch.rand(5, 3, 40, 40, generator=torch.Generator().manual_seed(1))
VIEW = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
TARGET, AGAINST = 2, 0


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.permutations(range(4)))
def test_shares_of_two_classes_add_up_and_keep_the_odds(values: list[float], places: list[int]) -> None:
    one, other = places[:2]
    found = odds_of_probabilities(torch.tensor([values]), one, other)[0]
    first, second = values[one], values[other]
    expected = first / (first + second) if first + second > 1e-30 else None
    if expected is not None:
        assert float(found[one]) == pytest.approx(expected, abs=1e-5)
    assert float(found.sum()) == pytest.approx(1)
    assert all(float(found[place]) == 0 for place in places[2:])


class Noting(Tensor):
    """A tensor that keeps the names of what is asked of it and of all that comes from it."""

    asked: ClassVar[list[str]] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        cls.asked.append(getattr(func, "__name__", ""))
        return super().__torch_function__(func, types, args, kwargs or {})


def test_shares_are_computed_on_the_processor_because_not_every_device_has_float64() -> None:
    Noting.asked.clear()
    odds_of_probabilities(torch.rand(3, 4).as_subclass(Noting), 0, 2)
    assert Noting.asked.index("cpu") < Noting.asked.index("double")


@pytest.mark.parametrize("kind", ["logits", "probabilities", "independent", "black box"])
def test_the_probability_is_the_sigmoid_of_the_difference_of_logits(kind: str) -> None:
    module = small_module()
    ends = {"probabilities": nn.Softmax(1), "independent": nn.Sigmoid()}
    whole = nn.Sequential(module, ends[kind]) if kind in ends else module
    plain: Classifier = wrap(whole, labels=list("abcd"), input_size=40)
    if kind == "black box":
        plain = FunctionClassifier(lambda images: torch.softmax(10 * module(images), 1), list("abcd"), 40)
    with torch.no_grad():
        logits = module(plain.normalise(PICTURES)) * (10 if kind == "black box" else 1)
    expected = 1 / (1 + torch.exp(logits[:, AGAINST].double() - logits[:, TARGET].double()))
    found = probabilities(contrasted(plain, TARGET, AGAINST), PICTURES)
    torch.testing.assert_close(found[:, TARGET].double(), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.sum(1), torch.ones(5))
    assert contrasted(plain, TARGET, AGAINST).labels == plain.labels


def test_classes_too_unlikely_for_float32_are_told_apart_all_the_same() -> None:
    class Far(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.tensor([[300.0, 1.0, 2.0]]).expand(len(images), 3) + 0 * images.mean((1, 2, 3)).unsqueeze(1)

    plain = wrap(Far(), labels=list("abc"), input_size=40, answers="logits")
    assert float(probabilities(plain, PICTURES)[0, 2]) == 0
    found = float(probabilities(contrasted(plain, 2, 1), PICTURES)[0, 2])
    assert found == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-5)


def test_of_one_score_a_picture_the_difference_is_that_score() -> None:
    plain = wrap(nn.Sequential(nn.Flatten(), nn.Linear(4800, 1)), labels=["no", "yes"], input_size=40, answers="logits")
    assert isinstance(plain, TorchClassifier)
    torch.testing.assert_close(
        probabilities(contrasted(plain, 1, 0), PICTURES), probabilities(plain, PICTURES), atol=1e-6, rtol=0
    )


def test_a_contrast_leaves_its_classifier_as_it_was_and_shares_its_weights() -> None:
    plain = small_classifier()
    before = probabilities(plain, PICTURES)
    other = contrasted(plain, TARGET, AGAINST)
    assert isinstance(other, TorchClassifier)
    assert other.module is plain.module
    assert (plain.contrast, other.contrast) == (None, (TARGET, AGAINST))
    torch.testing.assert_close(probabilities(plain, PICTURES), before, atol=0, rtol=0)


# A linear model: the map of a contrast is the difference of two maps, and both are known in closed form.


class Linear(nn.Module):
    """Logits that are weighted sums of pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.weights = nn.Parameter(torch.randn(4, 3, SIDE, SIDE) / SIDE)

    def forward(self, images: Tensor) -> Tensor:
        """N×3×H×W to N×4."""
        return torch.einsum("nrhw,crhw->nc", images, self.weights)


@pytest.mark.parametrize("name", ["integrated-gradients", "input-x-gradient", "deeplift", "gradient-shap"])
def test_of_a_linear_model_the_map_is_the_difference_of_two_maps(name: str) -> None:
    module = Linear()
    classifier = wrap(module, labels=list("abcd"), input_size=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    view = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    settings = METHODS[name].settings.from_mapping(
        {}
        if name == "input-x-gradient"
        else {"baseline": "black", **({"noise": 0.0} if name == "gradient-shap" else {})}
    )

    def made(target: int, against: int | None) -> np.ndarray:
        return last(explain_view(classifier, view, name, settings, target, 5, against=against)).saliency

    found = made(TARGET, AGAINST)
    np.testing.assert_allclose(found, made(TARGET, None) - made(AGAINST, None), atol=1e-5)
    if name != "gradient-shap":  # whose random points weigh the same gradient by chance
        weights = (module.weights[TARGET] - module.weights[AGAINST]).detach().numpy()
        known = (weights * view.transpose(2, 0, 1) / 255).sum(0)
        np.testing.assert_allclose(found, known, atol=1e-5)


def test_occlusion_of_a_black_box_whose_two_probabilities_are_linear_is_the_difference_too() -> None:
    weights = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(4))
    weights /= weights.sum()

    def answer(images: Tensor) -> Tensor:
        share = (images * weights).sum((1, 2, 3))
        return torch.stack([0.8 * share, 0.8 - 0.8 * share, torch.full_like(share, 0.2)], 1)

    classifier = FunctionClassifier(answer, list("abc"), SIDE)
    view = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    settings = METHODS["occlusion"].settings()

    def made(target: int, against: int | None) -> np.ndarray:
        return last(explain_view(classifier, view, "occlusion", settings, target, 0, against=against)).saliency

    # p_a / (p_a + p_b) with p_a + p_b = 0.8 always: half of (p_a − p_b) / 0.8, and one half.
    np.testing.assert_allclose(made(0, 1), (made(0, None) - made(1, None)) / 1.6, atol=1e-6)


def test_cam_reads_the_difference_of_the_weights_of_two_classes() -> None:
    classifier = small_classifier()
    settings = METHODS["cam"].settings()
    one, other = (last(explain_view(classifier, VIEW, "cam", settings, c, 0)).saliency for c in (TARGET, AGAINST))
    found = last(explain_view(classifier, VIEW, "cam", settings, TARGET, 0, against=AGAINST))
    np.testing.assert_allclose(found.saliency, one - other, atol=1e-5)
    assert np.abs(found.saliency).max() > 0.01


# Every method: the same as of a model of two classes whose one logit is the difference.


class Pair(nn.Module):
    """The difference of two logits of a network, and nothing; or the sigmoids of both differences."""

    def __init__(self, *, shares: bool) -> None:
        super().__init__()
        self.inner, self._shares = small_module(), shares

    def forward(self, images: Tensor) -> Tensor:
        """N×3×H×W to N×2."""
        logits = self.inner(images)
        difference = logits[:, TARGET] - logits[:, AGAINST]
        if self._shares:
            return torch.sigmoid(torch.stack([difference, -difference], 1))
        return torch.stack([difference, torch.zeros_like(difference)], 1)


def pair(row: Method) -> TorchClassifier:
    # A search makes much of a last bit, which a softmax has otherwise than a sigmoid.
    shares = row.needs == {"output"}
    return TorchClassifier(
        "small",
        Pair(shares=shares),
        ["c", "a"],
        input_size=(40, 40),
        layer="inner.3",
        layers=("inner.1", "inner.3"),
        execution=small_classifier().execution,
        answers="probabilities" if shares else "logits",
    )


# CAM reads the weights of a last layer, which the pair does not have.
ABLE = [name for name in ON_ANY_NETWORK if not METHODS[name].one_class and name != "cam"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ABLE if METHODS[name].family != CONTROLS])
def test_every_method_makes_the_map_of_the_model_that_answers_the_difference_alone(name: str) -> None:
    found = last(explain_view(small_classifier(), VIEW, name, quick(name), TARGET, 0, against=AGAINST))
    known = last(explain_view(pair(METHODS[name]), VIEW, name, quick(name), 0, 0))
    scale = np.abs(known.saliency).max()
    np.testing.assert_allclose(found.saliency, known.saliency, atol=2e-3 * scale)
    assert found.probability == pytest.approx(known.probability, abs=1e-5)
    assert (found.target, found.against, found.label) == (TARGET, AGAINST, "c rather than a")


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.one_class])
def test_a_method_that_cannot_tell_classes_apart_says_so_and_what_to_ask(name: str) -> None:
    row = METHODS[name]
    assert row.one_class.startswith(row.title)
    assert row.one_class.endswith(".")
    if "attention" in row.needs:
        return
    with pytest.raises(MethodError) as raised:
        last(explain_view(small_classifier(), VIEW, name, quick(name), TARGET, 0, against=AGAINST))
    assert str(raised.value) == row.one_class


@pytest.mark.parametrize(
    ("target", "against", "words"), [(2, 2, "told from itself"), (2, 9, "Class 9 does not exist"), (None, 0, "")]
)
def test_a_class_is_not_told_from_itself_or_from_what_is_not_there(
    target: int | None, against: int, words: str
) -> None:
    classifier = small_classifier()
    predicted = int(last(explain_view(classifier, VIEW, "random", quick("random"), None, 0)).target)
    against = predicted if target is None else against
    with pytest.raises(SettingError, match=words or "told from itself"):
        last(explain_view(classifier, VIEW, "random", quick("random"), target, 0, against=against))


def test_a_contrast_is_called_by_both_classes() -> None:
    assert contrast_label("ox", "cow") == "ox rather than cow"
