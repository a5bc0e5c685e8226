"""The masked pictures behind a map: what its method asked about, by a plain loop and by the method's own definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from decam.classifier import TorchClassifier, probabilities
from decam.errors import MethodError
from decam.experiments import behind
from decam.experiments.behind import Masks, Recorder, replayed
from decam.experiments.evaluate import question_of
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, MaskedBatch, last
from decam.methods import METHODS
from tests.tools.networks import small_classifier

HIDING = [name for name, row in METHODS.items() if row.hides]
FEW = 200
SEED = 3


@pytest.fixture(scope="module")
def small() -> TorchClassifier:
    return small_classifier()


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def made(small: TorchClassifier, view: np.ndarray) -> Callable[[str], Explanation]:
    """A map by the name of its method, with a small budget where it spends one."""
    known: dict[str, Explanation] = {}

    def make(name: str) -> Explanation:
        row = METHODS[name]
        lows = {parameter.name: parameter.low or 0 for parameter in row.settings.parameters()}
        budget = {"budget": max(FEW, int(lows["budget"]))} if "budget" in lows else {}
        settings = row.settings.from_mapping(budget)
        if name not in known:
            known[name] = last(explain_view(small, view, name, settings, None, SEED))
        return known[name]

    return make


def test_the_methods_that_hide_are_those_that_ask_about_masks_of_the_picture_alone() -> None:
    expected = {"de-cam", "rise", "occlusion", "feature-ablation", "lime", "kernel-shap", "sobol", "hsic", "cma-es"}
    assert expected <= set(HIDING)
    assert not {"grad-cam", "feature-permutation", "mc-rise", "random", "score-cam"} & set(HIDING)


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDING)
def test_a_map_stands_on_what_is_heard_and_hearing_it_changes_nothing(
    name: str, small: TorchClassifier, view: np.ndarray, made: Callable[[str], Explanation]
) -> None:
    before = made(name)
    heard: list[MaskedBatch] = []
    question = replace(question_of(small, view, before.target), listener=heard.append)
    again = last(METHODS[name].run(question, before.settings, SEED))
    assert np.array_equal(again, before.saliency) or np.allclose(again, before.saliency, atol=1e-5)
    visible, pictures, answers = (
        torch.cat([getattr(one, part) for one in heard]) for part in ("visible", "pictures", "answers")
    )
    assert len(answers) == before.evaluations
    assert visible.shape == (len(answers), 1, 40, 40)
    assert visible.min() >= 0 and visible.max() <= 1 + 1e-6
    # The model gives the answers that were told to the pictures that were told, and what is visible is the picture.
    some = slice(None, None, 17)
    asked = probabilities(small, pictures[some])[:, before.target]
    assert torch.allclose(asked, answers[some], atol=1e-4)
    whole = (visible >= 1 - 1e-6).expand_as(pictures)
    assert torch.allclose(pictures[whole], question.image.expand_as(pictures)[whole], atol=1e-5)
    assert (visible < 1).any(), "something is hidden"


def test_rises_map_is_the_mean_of_what_is_heard(
    small: TorchClassifier, view: np.ndarray, made: Callable[[str], Explanation]
) -> None:
    before = made("rise")
    heard: list[MaskedBatch] = []
    question = replace(question_of(small, view, before.target), listener=heard.append)
    last(METHODS["rise"].run(question, before.settings, SEED))
    total, count = np.zeros((40, 40)), 0
    for batch in heard:
        for mask, answer in zip(batch.visible[:, 0].numpy(), batch.answers.numpy(), strict=True):
            total += answer * mask
            count += 1
    assert np.allclose(total / (count * 0.5), before.saliency, atol=1e-5)


@pytest.mark.slow
def test_the_first_masks_are_made_again_and_a_whole_map_is_compared(
    small: TorchClassifier, view: np.ndarray, made: Callable[[str], Explanation]
) -> None:
    before = made("rise")
    first = last(replayed(small, view, before, 70))
    whole = last(replayed(small, view, before, 500))
    assert (len(first.answers), first.asked, first.same) == (70, 200, None)
    assert (len(whole.answers), whole.asked, whole.same) == (200, 200, True)
    assert np.allclose(first.answers, whole.answers[:70])
    assert np.array_equal(first.visible, whole.visible[:70])
    other = replace(before, saliency=before.saliency + before.saliency.max())
    assert last(replayed(small, view, other, 500)).same is False


def test_a_method_that_asks_about_no_masks_has_none(
    small: TorchClassifier, view: np.ndarray, made: Callable[[str], Explanation]
) -> None:
    with pytest.raises(MethodError, match="does not ask about masked images"):
        last(replayed(small, view, made("edges"), 10))
    with pytest.raises(MethodError, match="no masked image"):
        Recorder().masks(0, None)


def test_the_masked_pictures_of_a_contrast_are_answered_by_the_contrast(
    small: TorchClassifier, view: np.ndarray
) -> None:
    row = METHODS["rise"]
    settings = row.settings.from_mapping({"budget": 64})
    before = last(explain_view(small, view, "rise", settings, 0, SEED, against=1))
    heard: list[MaskedBatch] = []
    last(row.run(replace(question_of(small, view, 0), listener=heard.append), settings, SEED))
    pictures = torch.cat([one.pictures for one in heard])
    odds = probabilities(small, pictures)[:, :2].double()
    again = last(replayed(small, view, before, 500))
    assert again.same
    assert again.answers == pytest.approx((odds[:, 0] / odds.sum(1)).numpy(), abs=1e-5)


def test_closing_ends_the_method(small: TorchClassifier, view: np.ndarray, made: Callable[[str], Explanation]) -> None:
    steps = replayed(small, view, made("occlusion"))
    event = next(steps)
    assert 0 < event.step <= event.total
    steps.close()
    assert next(steps, None) is None


@pytest.mark.slow
@given(
    hnp.arrays(np.uint8, (12, 3, 4), elements=st.sampled_from([0, 100, 200, 255])),
    hnp.arrays(np.float32, 12, elements=st.floats(0, 1, width=32)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_few_are_the_lowest_that_hid_a_place_and_the_highest_that_showed_it(
    visible: np.ndarray, answers: np.ndarray, across: float, down: float
) -> None:
    pictures = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1) + np.zeros((12, 3, 4, 3), np.uint8)
    masks = Masks(visible, pictures, answers, 12)
    row, column = min(int(3 * down), 2), min(int(4 * across), 3)
    hid, showed = [], []
    for number in range(12):
        if (visible[number] == 255).all() or (visible[number] == 0).all():
            continue
        (hid if visible[number, row, column] < 127.5 else showed).append((float(answers[number]), number))
    for side, wanted in (
        (masks.hid(across, down, 4), sorted(hid)),
        (masks.showed(across, down, 4), sorted(showed, key=lambda one: (-one[0], one[1]))),
    ):
        assert side.count == len(wanted)
        assert [(one.probability, one.number - 1) for one in side.few] == wanted[:4]
        assert all((one.picture == one.number - 1).all() for one in side.few)
        assert side.mean is None if not wanted else side.mean == pytest.approx(np.mean([one for one, _ in wanted]))


def test_what_is_kept_is_small_and_the_mean_of_what_it_stands_for() -> None:
    visible = torch.zeros(2, 1, 2 * behind.LONGEST, behind.LONGEST)
    visible[:, :, ::2] = 1
    recorder = Recorder(1)
    recorder(MaskedBatch(visible, visible.expand(-1, 3, -1, -1), torch.tensor([0.25, 0.5])))
    assert recorder.left == 0
    masks = recorder.masks(2, None)
    assert masks.visible.shape == (1, behind.LONGEST, behind.LONGEST // 2)
    assert masks.pictures.shape == (*masks.visible.shape, 3)
    assert set(np.unique(masks.visible)) == {128}
    assert masks.answers.tolist() == [0.25]
