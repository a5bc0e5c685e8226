"""Scenes: the same everywhere, with masks that are the objects' visible pixels."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.images.scenes import shapes
from decam.images.scenes.rng import PortableRng, direction
from decam.images.scenes.scene import CLASSES, SIZE, Scene, scene

SEEDS = st.integers(0, 2**63)
# Drawn once and never to change: other machines must draw the same bytes.
PINNED = "f403521fd7cf76675681d9650f98e8fe16462fdf81d15d06f9fe76d08ebdf33b"


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, objects=st.sampled_from((1, 2)))
def test_a_scene_has_a_picture_and_a_mask_for_each_object(seed: int, objects: int) -> None:
    drawn = scene(seed, objects=objects)
    assert drawn.image.shape == (SIZE, SIZE, 3)
    assert drawn.image.dtype == np.uint8
    assert len(drawn.labels) == len(drawn.masks) == objects
    assert len(set(drawn.labels)) == objects
    assert all(0 <= label < len(CLASSES) for label in drawn.labels)
    assert all(mask.shape == (SIZE, SIZE) and mask.dtype == np.bool_ for mask in drawn.masks)
    assert drawn.label == drawn.labels[0]
    assert drawn.mask is drawn.masks[0]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, objects=st.sampled_from((1, 2)))
def test_objects_are_large_enough_inside_the_picture_and_apart(seed: int, objects: int) -> None:
    drawn = scene(seed, objects=objects)
    for mask in drawn.masks:
        assert 0.01 < mask.mean() < 0.35
        assert not mask[[0, -1]].any()
        assert not mask[:, [0, -1]].any()
    assert not np.logical_and.reduce(drawn.masks).any() or objects == 1


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, label=st.integers(0, len(CLASSES) - 1))
def test_the_same_seed_draws_the_same_scene(seed: int, label: int) -> None:
    one, two = scene(seed, labels=(label,)), scene(seed, labels=(label,))
    assert one.labels == (label,)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.mask, two.mask)


@pytest.mark.slow
def test_scenes_are_the_same_on_every_machine() -> None:
    whole = hashlib.sha256()
    for seed in range(40):
        drawn = scene(seed, objects=1 + seed % 2)
        whole.update(drawn.image.tobytes())
        whole.update(bytes(drawn.labels))
        for mask in drawn.masks:
            whole.update(np.packbits(mask).tobytes())
    assert whole.hexdigest() == PINNED


@pytest.mark.slow
def test_different_seeds_draw_different_scenes_of_every_class() -> None:
    drawn = [scene(seed) for seed in range(200)]
    assert len({one.image.tobytes() for one in drawn}) == 200
    assert {one.label for one in drawn} == set(range(len(CLASSES)))


@pytest.mark.slow
@pytest.mark.parametrize("label", range(len(CLASSES)), ids=CLASSES)
def test_an_object_stands_out_from_what_surrounds_it(label: int) -> None:
    for seed in range(30):
        drawn = scene(seed, labels=(label,))
        around = _grown(drawn.mask, 4) & ~_grown(drawn.mask, 1)
        inside = np.median(drawn.image[drawn.mask].astype(float), axis=0)
        outside = np.median(drawn.image[around].astype(float), axis=0)
        assert np.linalg.norm(inside - outside) > 45


@pytest.mark.slow
def test_masks_are_the_visible_pixels_of_the_shape_asked_for() -> None:
    """Areas of whole objects follow from geometry; what covers them may hide at most a fifth."""
    for label, (least, most) in AREAS.items():
        for seed in range(25):
            mask = scene(seed, labels=(CLASSES.index(label),)).mask
            rows, columns = np.nonzero(mask)
            radius = _circumscribed(rows, columns)
            share = mask.sum() / (math.pi * radius**2)
            assert least * 0.78 < share < most * 1.12, (label, seed)


@pytest.mark.slow
def test_an_object_is_sometimes_partly_covered_but_mostly_visible() -> None:
    covered = 0
    for seed in range(200):
        drawn = scene(seed, labels=(CLASSES.index("disc"),))
        rows, columns = np.nonzero(drawn.mask)
        hull = (columns.max() - columns.min() + 1) * (rows.max() - rows.min() + 1) * math.pi / 4
        assert drawn.mask.sum() > 0.7 * hull
        covered += bool(drawn.mask.sum() < 0.95 * hull)
    assert 10 < covered < 100


@pytest.mark.slow
def test_two_objects_are_both_largely_visible() -> None:
    for seed in range(100):
        first, second = scene(seed, objects=2).masks
        assert min(first.sum(), second.sum()) > 0.01 * SIZE**2


def test_classes_asked_for_are_drawn_in_order() -> None:
    assert scene(5, labels=(3, 7)).labels == (3, 7)
    fixed = scene(5, labels=(3,), objects=2).labels
    assert fixed[0] == 3
    assert fixed[1] != 3


@pytest.mark.parametrize(
    ("seed", "labels", "objects", "message"),
    [
        (-1, None, 1, "seed of a scene is -1"),
        (0, None, 0, "one or two objects, not 0"),
        (0, None, 3, "one or two objects, not 3"),
        (0, (10,), 1, "Class 10 does not exist"),
        (0, (-1,), 1, "Class -1 does not exist"),
        (0, (1, 2, 3), 1, "at most two classes"),
        (0, (4, 4), 2, "two different classes"),
    ],
)
def test_bad_requests_are_refused_in_a_sentence(
    seed: int, labels: tuple[int, ...] | None, objects: int, message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        scene(seed, labels=labels, objects=objects)


@pytest.mark.parametrize("name", [*shapes.TARGETS, *shapes.DISTRACTORS])
def test_shapes_stay_close_to_the_unit_circle_and_their_edge_is_one_pixel_wide(name: str) -> None:
    side = np.linspace(-1.4, 1.4, 281, dtype=np.float32)
    x, y = np.meshgrid(side, side)
    shape = (shapes.TARGETS | shapes.DISTRACTORS)[name]
    for seed in range(10):
        distance = shape(x, y, PortableRng(seed))
        inside = distance < 0
        assert inside.any()
        assert np.hypot(x, y)[inside].max() < 1.11
        # A distance that ran too fast or slow would draw jagged or blurred edges.
        slopes = np.hypot(*np.gradient(distance, 0.01))[np.abs(distance) < 0.02]
        assert 0.75 < np.median(slopes) < 1.3


@given(st.floats(-5, 5))
def test_directions_agree_with_the_library(turn: float) -> None:
    cosine, sine = direction(turn)
    assert cosine == pytest.approx(math.cos(2 * math.pi * turn), abs=2e-6)
    assert sine == pytest.approx(math.sin(2 * math.pi * turn), abs=2e-6)


def test_dice_are_even_and_noise_is_centred() -> None:
    rng = PortableRng(3)
    rolls = np.bincount([rng.whole(6) for _ in range(6000)], minlength=6)
    assert rolls.min() > 850
    fields = np.stack([PortableRng(seed).noise(0, 0.5) for seed in range(50)])
    assert fields.shape == (50, SIZE, SIZE)
    assert abs(fields.mean()) < 0.05
    assert 0.2 < fields.std() < 0.7


# The share of its circumscribed circle that each shape fills, from its formula at both ends of its proportions.
AREAS = {
    "disc": (1.0, 1.0),
    "square": (2 / math.pi, 2 / math.pi),
    "hexagon": (3 * math.sqrt(3) / (2 * math.pi), 3 * math.sqrt(3) / (2 * math.pi)),
    "ring": (1 - (0.73 / 0.97) ** 2, 1 - (0.55 / 0.97) ** 2),
}


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    grown = np.zeros_like(mask)
    for down in range(-by, by + 1):
        for right in range(-by, by + 1):
            grown |= np.roll(mask, (down, right), (0, 1))
    return grown


def _circumscribed(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> float:
    """Half the largest distance between two pixels, which is the radius for shapes with point symmetry."""
    edge = np.stack([rows, columns], 1)[:: max(len(rows) // 800, 1)]
    gaps = edge[:, None] - edge[None]
    return float(np.hypot(gaps[..., 0], gaps[..., 1]).max() + 1) / 2


def test_a_scene_cannot_be_changed() -> None:
    drawn = scene(0)
    assert isinstance(drawn, Scene)
    with pytest.raises(AttributeError):
        drawn.labels = (1,)  # type: ignore[misc]  # that is the point
