"""The guided filter against the regressions that define it."""

import numpy as np
import pytest
import torch

from decam.masking import gaussian
from decam.methods.de_cam.guided_filter import FINEST, GRAIN, Guide


def guided(saliency: np.ndarray, image: torch.Tensor, radius: float = 0.19, epsilon: float = 1e-2) -> np.ndarray:
    guide = Guide(image, radius, epsilon)
    assert guide.size == saliency.shape
    return guide.fitted(guide.slopes(torch.from_numpy(saliency).unsqueeze(0)))[0].numpy()


def slow(saliency: np.ndarray, colour: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """A ridge regression of the map on the colour in every window; each pixel's mean over the windows it is in."""
    height, width = saliency.shape
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            rows = slice(max(0, y - radius), y + radius + 1)
            columns = slice(max(0, x - radius), x + radius + 1)
            colours = colour[rows, columns].reshape(-1, 3)
            values = saliency[rows, columns].reshape(-1)
            centred = colours - colours.mean(0)
            normal = centred.T @ centred / len(values) + epsilon * np.eye(3)
            slope = np.linalg.solve(normal, centred.T @ (values - values.mean()) / len(values))
            total[rows, columns] += values.mean() + (colour[rows, columns] - colours.mean(0)) @ slope
            count[rows, columns] += 1
    return total / count


def test_it_is_the_mean_of_local_regressions_of_the_map_on_the_colour() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, 17, 23, generator=generator)
    saliency = torch.rand(17, 23, generator=generator).numpy()
    colour = gaussian(image.double(), GRAIN * 23).permute(1, 2, 0).numpy()
    expected = slow(saliency, colour, radius=4, epsilon=0.01)
    # Windows of pixels near the border are cut, so that as many windows hold a pixel as it has neighbours.
    np.testing.assert_allclose(guided(saliency, image, radius=4 / 23, epsilon=0.01), expected, rtol=1e-4, atol=1e-5)


def test_a_blurred_map_gets_the_edges_of_the_object_that_it_lies_on() -> None:
    mask = np.zeros((56, 56), np.float32)
    mask[16:34, 20:46] = 1
    image = torch.from_numpy(0.2 + 0.6 * np.stack([mask, 1 - mask, mask]))
    blurred = gaussian(torch.from_numpy(mask).expand(3, 56, 56), 7.0)[0].numpy()
    fitted = guided(blurred, image)
    alike, before = (np.corrcoef(values.ravel(), mask.ravel())[0, 1] for values in (fitted, blurred))
    assert alike > 0.95 > before
    assert mask[np.unravel_index(fitted.argmax(), fitted.shape)] == 1


def test_a_picture_of_one_colour_has_no_edges_to_follow() -> None:
    saliency = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    fitted = guided(saliency, torch.full((3, 32, 32), 0.4))
    assert fitted.std() < saliency.std() / 5
    assert np.allclose(guided(np.full((32, 32), 0.3, np.float32), torch.rand(3, 32, 32)), 0.3, atol=1e-6)


def test_maps_add_up_as_their_slopes_do() -> None:
    generator = torch.Generator().manual_seed(1)
    guide = Guide(torch.rand(3, 80, 60, generator=generator))
    one, other = torch.rand(2, *guide.size, generator=generator).unsqueeze(1)
    apart = 2 * guide.fitted(guide.slopes(one)) - 3 * guide.fitted(guide.slopes(other))
    torch.testing.assert_close(guide.fitted(guide.slopes(2 * one - 3 * other)), apart, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_large_picture_is_fitted_on_a_coarse_copy_and_gets_nearly_the_same_map() -> None:
    generator = torch.Generator().manual_seed(2)
    image = gaussian(torch.rand(3, 2 * FINEST, 2 * FINEST, generator=generator), 4.0)
    image = (image - image.min()) / (image.max() - image.min())
    coarse = gaussian(torch.rand(1, FINEST, FINEST, generator=generator), 6.0)
    coarse = (coarse - coarse.min()) / (coarse.max() - coarse.min())
    fine = torch.nn.functional.interpolate(coarse.unsqueeze(0), scale_factor=2, mode="bilinear")[0, 0]
    guide = Guide(image)
    fast = guide.fitted(guide.slopes(coarse))[0].numpy()
    exact = slow(fine.numpy(), gaussian(image.double(), GRAIN * 2 * FINEST).permute(1, 2, 0).numpy(), 21, 1e-2)
    assert fast.shape == exact.shape == (2 * FINEST, 2 * FINEST)
    assert np.corrcoef(fast.ravel(), exact.ravel())[0, 1] > 0.98
    small = guide.thumbnails(guide.slopes(coarse))[0].numpy()
    pooled = fast.reshape(FINEST, 2, FINEST, 2).mean((1, 3))
    assert np.corrcoef(small.ravel(), pooled.ravel())[0, 1] > 0.99
