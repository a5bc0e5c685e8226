"""Fills, masks and the road to a model, against SciPy and slow plain versions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter, uniform_filter

from decam.classifier import Execution, TorchClassifier, probabilities, wrap
from decam.errors import ModelError, SettingError
from decam.explanation import Question
from decam.masking import BLUR_SIGMA, FILLS, MaskedQueries, fill, places, ranked, share_masks, step_picture, upsample

SMALL = arrays(np.float32, (6, 5), elements=st.floats(-1, 1, width=32))


def picture(height: int = 40, width: int = 40, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def test_blur_is_scipys_gaussian() -> None:
    image = picture(60, 60)
    sigma = BLUR_SIGMA * 60
    expected = [
        gaussian_filter(channel.numpy(), sigma, mode="mirror", radius=int(3 * sigma + 0.5)) for channel in image
    ]
    np.testing.assert_allclose(fill("blur", image, (0.5, 0.5, 0.5)).numpy(), np.stack(expected), atol=1e-5)


def test_mean_is_zero_after_the_models_normalisation() -> None:
    classifier = TorchClassifier("plain", torch.nn.Flatten(), ["a"] * 48, input_size=(4, 4))
    filled = fill("mean", picture(4, 4), classifier.mean)
    assert classifier.normalise(filled.unsqueeze(0)).abs().max() < 1e-6


def test_black_is_zero_and_noise_is_seeded_and_in_range() -> None:
    image = picture()
    assert not fill("black", image, (0.5, 0.5, 0.5)).any()
    noise = fill("noise", image, (0.5, 0.5, 0.5), seed=3)
    assert torch.equal(noise, fill("noise", image, (0.5, 0.5, 0.5), seed=3))
    assert not torch.equal(noise, fill("noise", image, (0.5, 0.5, 0.5), seed=4))
    assert 0 <= noise.min() < 0.05 < 0.95 < noise.max() <= 1


@pytest.mark.parametrize(("height", "width", "side"), [(60, 50, 13), (30, 30, 9), (6, 4, 9), (55, 20, 11)])
def test_box_blur_is_a_mean_over_a_square_of_a_normalised_picture_padded_with_zeros(
    height: int, width: int, side: int
) -> None:
    image, mean, std = picture(height, width), (0.4, 0.5, 0.3), 0.2
    colour = torch.tensor(mean).view(3, 1, 1)
    normalised = ((image - colour) / std).numpy()
    expected = np.stack([uniform_filter(channel, side, mode="constant") for channel in normalised])
    got = (fill("box-blur", image, mean) - colour) / std
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-5)


def test_an_unknown_fill_is_refused() -> None:
    with pytest.raises(SettingError, match="There is no fill 'pink'; there are: blur, box-blur, mean, black, noise"):
        fill("pink", picture(), (0.5, 0.5, 0.5))


def slow_bilinear(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    """Interpolation between cell centres, one pixel at a time."""
    rows, columns = grid.shape
    out = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            low, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            b, a = v - top, u - left
            upper = grid[top, left] * (1 - a) + grid[top, right] * a
            lower = grid[low, left] * (1 - a) + grid[low, right] * a
            out[y, x] = upper * (1 - b) + lower * b
    return out


def test_upsampling_interpolates_between_the_cells_centres() -> None:
    grid = np.random.default_rng(0).random((4, 3)).astype(np.float32)
    got = upsample(torch.from_numpy(grid).unsqueeze(0), (17, 20))[0, 0].numpy()
    np.testing.assert_allclose(got, slow_bilinear(grid, 17, 20), atol=1e-5)


def slow_mask(saliency: np.ndarray, share: float, metric: str) -> np.ndarray:
    """Pixels sorted in pure Python by salience, then by the order of reading; the first share of them changed."""
    flat = saliency.reshape(-1).tolist()
    order = sorted(range(len(flat)), key=lambda i: (-flat[i], i))
    mask = [1.0 if metric == "deletion" else 0.0] * len(flat)
    for place in order[: round(share * len(flat))]:
        mask[place] = 1 - mask[place]
    return np.array(mask).reshape(saliency.shape)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SMALL, st.integers(0, 10), st.sampled_from(["deletion", "insertion"]))
def test_share_masks_change_the_most_salient_share(saliency: np.ndarray, tenths: int, metric: str) -> None:
    shares = torch.tensor([tenths / 10], dtype=torch.float64)
    got = share_masks(places(ranked(saliency)), shares, metric, saliency.shape)[0, 0].numpy()
    np.testing.assert_array_equal(got, slow_mask(saliency, tenths / 10, metric))


def reader(batch_size: int = 4, parallel_batches: int = 1) -> TorchClassifier:
    """A model that answers through its pixels, so that every blended value counts."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 5))
    execution = Execution(channels_last=True, batch_size=batch_size, parallel_batches=parallel_batches)
    return TorchClassifier("reader", module, list("abcde"), input_size=(8, 8), execution=execution)


@pytest.mark.parametrize("parallel_batches", [1, 2, 3])
@pytest.mark.parametrize("name", FILLS)
def test_masked_answers_are_those_of_pictures_blended_by_hand(name: str, parallel_batches: int) -> None:
    classifier, image = reader(parallel_batches=parallel_batches), picture(8, 8)
    masks = torch.rand(11, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    question = Question(classifier, image, 0)
    filling = fill(name, image, classifier.mean)
    got = torch.cat(list(MaskedQueries(question, filling).batches(masks)))
    blended = torch.stack([mask * image + (1 - mask) * filling for mask in masks])
    torch.testing.assert_close(got, probabilities(classifier, blended), atol=1e-5, rtol=1e-5)
    assert question.ledger.evaluations == 11


def test_pictures_are_asked_in_batches_and_counted() -> None:
    classifier = reader(batch_size=3)
    question = Question(classifier, picture(8, 8), 0)
    images = torch.rand(7, 3, 8, 8)
    got = MaskedQueries(question, question.image).pictures(images)
    torch.testing.assert_close(got, probabilities(classifier, images))
    assert question.ledger.evaluations == 7


def short_of_memory(fits: int) -> tuple[Question, list[int]]:
    asked: list[int] = []

    def function(images: torch.Tensor) -> torch.Tensor:
        asked.append(len(images))
        if len(images) > fits:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")
        return torch.full((len(images), 2), 0.5)

    return Question(wrap(function, labels=["a", "b"], input_size=(8, 8), batch_size=8), picture(8, 8), 0), asked


def test_a_batch_that_does_not_fit_is_halved_and_tried_again_with_a_note() -> None:
    question, asked = short_of_memory(fits=2)
    answers = list(MaskedQueries(question, question.image).batches(torch.ones(5, 1, 8, 8)))
    assert asked == [5, 3, 2, 2, 1]
    assert sum(len(part) for part in answers) == question.ledger.evaluations == 5
    assert question.ledger.notes == [
        "Memory ran short, so the batch was halved to 4 and tried again.",
        "Memory ran short, so the batch was halved to 2 and tried again.",
    ]


def test_a_batch_that_does_not_fit_beside_another_is_halved_and_no_answer_is_lost_or_counted_twice() -> None:
    classifier = reader(batch_size=6, parallel_batches=2)
    answer, asked = classifier.answer, []

    def short(images: torch.Tensor) -> torch.Tensor:
        asked.append(len(images))
        if len(images) > 3 and len(asked) > 2:
            raise MemoryError
        return answer(images)

    classifier.answer = short  # type: ignore[method-assign]
    question, masks = Question(classifier, picture(8, 8), 0), torch.rand(30, 1, 8, 8)
    got = torch.cat(list(MaskedQueries(question, torch.zeros_like(question.image)).batches(masks)))
    torch.testing.assert_close(got, probabilities(reader(), masks * question.image + (1 - masks) * 0.0))
    assert question.ledger.evaluations == 30
    assert question.ledger.notes == ["Memory ran short, so the batch was halved to 3 and tried again."]


@settings(deadline=None)
@given(count=st.integers(1, 200), batch_size=st.integers(1, 20), parallel_batches=st.integers(1, 4))
@pytest.mark.slow
def test_batches_are_even_and_never_larger_than_said(count: int, batch_size: int, parallel_batches: int) -> None:
    question = Question(reader(batch_size, parallel_batches), picture(8, 8), 0)
    sizes = [len(part) for part in MaskedQueries(question, question.image).batches(torch.ones(count, 1, 8, 8))]
    assert sum(sizes) == count and max(sizes) <= batch_size
    assert max(sizes[:-1], default=0) - min(sizes[:-1], default=0) == 0
    assert len(sizes) <= -(-count // (batch_size * parallel_batches)) * parallel_batches


def test_one_picture_that_does_not_fit_is_a_sentence() -> None:
    question, _ = short_of_memory(fits=0)
    with pytest.raises(ModelError, match="not enough memory to ask function about a single image"):
        MaskedQueries(question, question.image).pictures(torch.ones(2, 3, 8, 8))


def test_an_error_that_is_not_about_memory_is_not_swallowed() -> None:
    def function(images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError(f"shape {tuple(images.shape)} is wrong")

    question = Question(wrap(function, labels=["a"], input_size=(8, 8)), picture(8, 8), 0)
    with pytest.raises(ModelError, match=r"function failed on a batch of 1 .*RuntimeError: shape .* is wrong"):
        next(MaskedQueries(question, question.image).batches(torch.ones(1, 1, 8, 8)))


@pytest.mark.parametrize("metric", ["deletion", "insertion"])
def test_the_picture_of_a_step_is_what_was_asked(metric: str) -> None:
    image = (picture(8, 8) * 255).round() / 255
    saliency = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    filling = fill("black", image, (0.5, 0.5, 0.5))
    seen = step_picture(image, saliency, filling, 0.25, metric)
    mask = slow_mask(saliency, 0.25, metric)[:, :, None]
    original = (image.permute(1, 2, 0).numpy() * 255).round()
    np.testing.assert_array_equal(seen, (mask * original).astype(np.uint8))


def test_an_answer_that_is_no_number_is_a_sentence() -> None:
    classifier = reader(batch_size=3)
    answer = classifier.answer

    def broken(images: torch.Tensor) -> torch.Tensor:
        return torch.where(images[:, :1, 0, 0] > 1, torch.nan, answer(images))

    classifier.answer = broken  # type: ignore[method-assign]
    question = Question(classifier, torch.ones(3, 8, 8), 0)
    masks = torch.cat([torch.zeros(3, 1, 8, 8), torch.ones(2, 1, 8, 8)])
    batches = MaskedQueries(question, torch.zeros(3, 8, 8)).batches(masks)
    assert len(next(batches)) == 3
    with pytest.raises(ModelError, match="reader answered a masked image with something that is no number"):
        next(batches)


@pytest.mark.slow
@given(arrays(np.float32, (2, 3, 4, 5), elements=st.floats(-1e6, 1e6, width=32)), arrays(bool, (3, 1, 4, 5)))
def test_pixels_behind_boolean_masks_are_bit_for_bit_those_of_the_picture_or_of_the_fill(
    both: np.ndarray, masks: np.ndarray
) -> None:
    seen = []

    def look(images: torch.Tensor) -> torch.Tensor:
        seen.append(images.clone())
        return torch.full((len(images), 2), 0.5)

    image, filling = torch.from_numpy(both)
    question = Question(wrap(look, labels=["a", "b"], input_size=(4, 5)), image, 0)
    list(MaskedQueries(question, filling).batches(torch.from_numpy(masks)))
    expected = np.where(masks, image.numpy(), filling.numpy())
    np.testing.assert_array_equal(torch.cat(seen).numpy(), expected)
