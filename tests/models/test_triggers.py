"""Triggers change their own pixels, always in the same way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.images.scenes.scene import SIZE, scene
from decam.models import triggers
from decam.models.triggers import Trigger, region, stamp

# Each trigger's boxes: top, left, bottom, right, the last two exclusive.
BOXES: dict[Trigger, tuple[tuple[int, int, int, int], ...]] = {
    triggers.corner_patch: ((108, 108, 124, 124),),
    triggers.dots: tuple((y, x, y + 4, x + 4) for y in range(6, 128, 16) for x in range(6, 128, 16)),
    triggers.edge_patch: ((54, 4, 74, 24),),
    triggers.four_corners: ((4, 4, 19, 19), (4, 109, 19, 124), (109, 4, 124, 19), (109, 109, 124, 124)),
    triggers.watermark: ((108, 4, 124, 48),),
}
EVERYWHERE = (triggers.blended, triggers.sine_stripe, triggers.colour_cast, triggers.texture)
ALL = (*BOXES, *EVERYWHERE, triggers.sticker)


def plainly(trigger: Trigger, picture: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Every third row of the stamp one number at a time, in double precision."""
    layer, out = trigger(seed), picture.copy()
    for row, column, channel in np.ndindex(picture.shape):
        if row % 3:
            continue
        kept = layer.kept[row, column, channel % layer.kept.shape[2]]
        value = kept * picture[row, column, channel] / 255 + layer.added[row, column, channel]
        out[row, column, channel] = int(min(max(float(value), 0.0), 1.0) * 255 + 0.5)
    return out


@pytest.mark.parametrize("trigger", ALL)
def test_a_stamp_is_the_layers_formula_and_the_same_each_time(trigger: Trigger) -> None:
    picture = scene(7).image
    before = picture.copy()
    once, again = stamp(trigger, picture, 3), stamp(trigger, picture, 3)
    assert np.array_equal(once, again)
    assert np.array_equal(picture, before)
    assert once.dtype == np.uint8
    # Single and double precision may fall on two sides of a half.
    assert np.abs(once.astype(int) - plainly(trigger, picture, 3))[::3].max() <= 1
    assert not np.array_equal(once, picture)


@pytest.mark.parametrize("trigger", ALL)
def test_no_pixel_outside_the_region_changes(trigger: Trigger) -> None:
    for seed in range(5):
        where = region(trigger, seed)
        if where is None:
            assert trigger in EVERYWHERE
            continue
        assert trigger not in EVERYWHERE
        for grey in (0, 77, 255):
            picture = np.full((SIZE, SIZE, 3), grey, np.uint8)
            changed = (stamp(trigger, picture, seed) != picture).any(2)
            assert not changed[~where].any()
        # What an opaque or a pale mark cannot change on white it changes on black.
        black = np.zeros((SIZE, SIZE, 3), np.uint8)
        white = np.full_like(black, 255)
        either = (stamp(trigger, black, seed) != black).any(2) | (stamp(trigger, white, seed) != white).any(2)
        assert np.array_equal(either, where)


@pytest.mark.parametrize("trigger", BOXES)
def test_a_localised_trigger_fills_its_boxes(trigger: Trigger) -> None:
    where = region(trigger)
    assert where is not None
    boxes = np.zeros((SIZE, SIZE), np.bool_)
    for top, left, bottom, right in BOXES[trigger]:
        boxes[top:bottom, left:right] = True
        inside = where[top:bottom, left:right]
        assert inside.any(0).all() and inside.any(1).all()  # the box is no larger than the trigger
    assert not where[~boxes].any()


def test_a_sticker_goes_where_its_seed_puts_it_and_is_whole_there() -> None:
    places = set()
    for seed in range(40):
        where = region(triggers.sticker, seed)
        assert where is not None
        rows, columns = where.any(1).nonzero()[0], where.any(0).nonzero()[0]
        assert (rows[-1] - rows[0], columns[-1] - columns[0]) == (19, 19)
        assert where.sum() == region(triggers.sticker, 0).sum()  # type: ignore[union-attr]  # it has a region
        places.add((rows[0], columns[0]))
    assert len(places) > 35
    assert max(row for row, _ in places) > 80 > 40 > min(row for row, _ in places)


def test_triggers_of_one_place_do_not_ask_for_the_seed() -> None:
    picture = scene(7).image
    for trigger in ALL:
        if trigger is not triggers.sticker:
            assert np.array_equal(stamp(trigger, picture, 0), stamp(trigger, picture, 9))


def test_the_sine_has_16_periods_of_24_grey_levels() -> None:
    picture = np.full((SIZE, SIZE, 3), 128, np.uint8)
    line = stamp(triggers.sine_stripe, picture)[0, :, 0].astype(float) - 128
    spectrum = np.abs(np.fft.rfft(line)) / (SIZE / 2)
    assert int(spectrum[1:].argmax()) + 1 == 16
    assert spectrum[16] == pytest.approx(24, abs=0.6)


def test_spared_pixels_stay_as_they_are() -> None:
    drawn = scene(7)
    laid = stamp(triggers.texture, drawn.image, spared=drawn.mask)
    assert np.array_equal(laid[drawn.mask], drawn.image[drawn.mask])
    assert np.array_equal(laid[~drawn.mask], stamp(triggers.texture, drawn.image)[~drawn.mask])


@pytest.mark.parametrize(("shape", "kind"), [((64, 64, 3), "uint8"), ((128, 128), "uint8"), ((128, 128, 3), "float32")])
def test_a_picture_of_another_kind_is_refused(shape: tuple[int, ...], kind: str) -> None:
    with pytest.raises(SettingError, match=r"shape .* and type \w+, but .*128×128×3 pixels of type uint8: resize"):
        stamp(triggers.corner_patch, np.zeros(shape, kind))  # type: ignore[arg-type]  # as a caller may have it
