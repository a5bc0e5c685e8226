"""Maps made visible: closed forms for scaling, laying over, masking, and maps that are constant or not finite."""

import base64
import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from decam.errors import SettingError
from decam.explanation import Explanation
from decam.figures import (
    FLAT,
    alone,
    limits_for,
    limits_of,
    lut,
    masked,
    overlay,
    png_bytes,
    png_uri,
    scaled,
    shared_limits,
    table_for,
    upsampled,
)
from decam.methods import METHODS

any_map = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


def test_unsigned_maps_run_from_their_minimum_to_their_maximum():
    assert scaled(np.array([[2.0, 3.0, 4.0]], np.float32)).tolist() == [[0, 128, 255]]


def test_signed_maps_keep_zero_at_the_centre_and_both_sides_to_one_scale():
    assert scaled(np.array([[-1.0, 0.0, 2.0, -2.0]], np.float32), signed=True).tolist() == [[64, 128, 255, 1]]


def test_shared_limits_make_equal_values_equally_bright():
    small, large = np.array([[0.0, 1.0]], np.float32), np.array([[0.0, 4.0]], np.float32)
    limits = shared_limits([small, large], signed=False)
    assert limits == (0.0, 4.0)
    assert scaled(small, limits=limits).tolist() == [[0, 64]]
    assert scaled(large, limits=limits).tolist() == [[0, 255]]
    assert shared_limits([-small, large], signed=True) == (-4.0, 4.0)


def test_values_beyond_given_limits_are_drawn_as_the_limits():
    assert scaled(np.array([[-9.0, 9.0]], np.float32), limits=(0.0, 1.0)).tolist() == [[0, 255]]


def outlying(sign: float = 1.0) -> np.ndarray:
    """199 values of 0 to 0.5 and a single 50."""
    saliency = np.linspace(0, 0.5, 200, dtype=np.float32).reshape(10, 20)
    saliency[-1, -1] = 50 * sign
    return saliency


def test_one_outlier_does_not_dim_the_rest_of_an_unsigned_map() -> None:
    # Of 200 values the 199th (at place 0.99 · 199 rounded up, from 0) is the end: 198/199 of 0.5.
    high = 0.5 * 198 / 199
    assert limits_of(outlying(), signed=False) == pytest.approx((0.0, high))
    entries = scaled(outlying())
    assert entries[0, 0] == 0 and entries[-1, -1] == 255 and entries[-1, -2] == 255
    assert entries[5, 0] == round(255 * (0.5 * 100 / 199) / high)
    assert alone(outlying(), (10, 20))[-1, -1].tolist() == lut("magma")[255].tolist()
    assert scaled(outlying(), limits=limits_of(outlying(), False, extremes=True))[5, 0] == round(255 * 0.2513 / 50)


def test_one_outlier_does_not_dim_the_rest_of_a_signed_map_and_bare_pixels_follow_by_hand() -> None:
    high = 0.5 * 198 / 199
    signed = outlying(-1.0)
    entries = scaled(signed, signed=True)
    assert entries[-1, -1] == 1 and entries[0, 0] == 128
    assert entries[5, 0] == round(128 + 127 * (0.5 * 100 / 199) / high)
    share = (0.5 * 100 / 199) / high
    view = np.full((10, 20, 3), (200, 100, 50), np.uint8)
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    colour = lut(table_for("cividis", signed=True))[entries[5, 0]].astype(float)
    cover = 0.6 * np.sqrt(share)
    expected = (np.array([200, 100, 50]) * 0.4 + grey * 0.6) * (1 - cover) + colour * cover
    assert np.abs(overlay(view, signed, signed=True, opacity=0.6)[5, 0] - expected).max() <= 1


def test_under_a_signed_map_the_picture_keeps_its_colours_as_far_as_the_map_is_transparent() -> None:
    view = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    nothing = np.zeros((6, 5), np.float32)
    assert (overlay(view, nothing, signed=True, opacity=0.0) == view).all()
    grey = np.asarray(Image.fromarray(view).convert("L"), float)[..., None]
    assert np.abs(overlay(view, nothing, signed=True, opacity=1.0) - grey).max() <= 1


@pytest.mark.parametrize(("signed", "entry"), [(False, 0), (True, 128)])
def test_a_silent_map_is_flat_whatever_its_values(signed: bool, entry: int) -> None:
    made = Explanation("rise", outlying(), 0, "a", 0.5, METHODS["rise"].settings(), 0, 1, 0.1, silent=True)
    limits = limits_for(made, made.saliency, signed)
    assert limits == FLAT and (scaled(made.saliency, signed, limits) == entry).all()
    assert limits_for(dataclasses.replace(made, silent=False), made.saliency, signed) == limits_of(outlying(), signed)
    assert limits_for(None, made.saliency, signed) == limits_of(outlying(), signed)


@pytest.mark.parametrize(("value", "entry"), [(0.0, 0), (7.0, 0), (-7.0, 0), (np.nan, 0), (np.inf, 0), (-np.inf, 0)])
def test_constant_and_not_finite_maps_are_flat(value, entry):
    assert (scaled(np.full((3, 4), value, np.float32)) == entry).all()


@pytest.mark.parametrize(("value", "entry"), [(0.0, 128), (7.0, 255), (-7.0, 1), (np.nan, 128)])
def test_constant_signed_maps_are_flat_on_the_side_of_their_sign(value, entry):
    assert (scaled(np.full((3, 4), value, np.float32), signed=True) == entry).all()


def test_a_single_value_that_is_not_finite_does_not_dim_the_others():
    saliency = np.array([[0.0, 1.0, np.nan, np.inf, -np.inf]], np.float32)
    assert scaled(saliency).tolist() == [[0, 255, 0, 255, 0]]
    assert limits_of(saliency, signed=False) == (0.0, 1.0)


@pytest.mark.slow
@given(any_map, st.booleans())
def test_no_map_whatever_its_values_crashes_a_drawing_or_loses_the_pictures_shape(saliency, signed):
    view = np.full((12, 10, 3), 77, np.uint8)
    for drawn in (
        overlay(view, saliency, signed=signed),
        masked(view, saliency, signed=signed),
        alone(saliency, (12, 10), signed=signed),
    ):
        assert drawn.shape == view.shape and drawn.dtype == np.uint8


@given(any_map)
@pytest.mark.slow
def test_scaling_never_changes_the_order_of_values(saliency):
    finite = np.isfinite(saliency)
    values, entries = saliency[finite], scaled(saliency)[finite].astype(int)
    assert (np.diff(entries[np.argsort(values)]) >= 0).all()


def test_coarse_maps_grow_bilinearly_between_cell_centres():
    # With 2 cells on 4 pixels the centres lie at pixels 0.5 and 2.5: weights 1, 3/4, 1/4 in between.
    grown = upsampled(np.array([[0.0, 1.0]], np.float32), (1, 4))
    assert grown.tolist() == [[0.0, 0.25, 0.75, 1.0]]
    same = np.eye(3, dtype=np.float32)
    assert upsampled(same, (3, 3)) is same


def test_a_map_of_no_cells_is_refused():
    with pytest.raises(SettingError, match="two dimensions"):
        upsampled(np.zeros((0, 3), np.float32), (4, 4))


def test_overlays_of_unsigned_maps_cover_in_proportion_to_the_value_and_grey_the_picture_by_the_opacity():
    view = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    saliency = np.random.default_rng(1).random((6, 5), dtype=np.float32)
    colour = lut("magma")[scaled(saliency)].astype(float)
    low, high = limits_of(saliency, signed=False)
    cover = 0.3 * np.rint(255 * np.clip((saliency - low) / (high - low), 0, 1))[..., None] / 255
    beneath = view * 0.7 + (view @ [0.299, 0.587, 0.114])[..., None] * 0.3
    got = overlay(view, saliency, colours="magma", opacity=0.3)
    assert np.abs(got - (beneath * (1 - cover) + colour * cover)).max() <= 0.51
    assert (overlay(view, saliency, opacity=0.0) == view).all()
    whole, top = overlay(view, saliency, colours="magma", opacity=1.0), scaled(saliency) == 255
    assert (whole[top] == lut("magma")[255]).all()
    assert np.ptp(whole[scaled(saliency) == 0], axis=-1).max() <= 1  # bare and grey


def test_overlays_of_signed_maps_leave_the_picture_bare_where_the_map_is_zero():
    view = np.full((1, 3, 3), 90, np.uint8)
    drawn = overlay(view, np.array([[0.0, 1.0, -1.0]], np.float32), signed=True, opacity=1.0)
    assert (drawn[0, 0] == 90).all()
    table = lut(table_for("cividis", signed=True))
    assert (drawn[0, 1] == table[255]).all() and (drawn[0, 2] == table[1]).all()


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_out_of_bounds_is_refused(opacity):
    with pytest.raises(SettingError, match="between 0 and 1"):
        overlay(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32), opacity=opacity)


def test_masked_pictures_show_the_picture_at_the_maximum_and_the_background_at_the_minimum():
    view = np.full((1, 3, 3), 200, np.uint8)
    assert masked(view, np.array([[0.0, 0.5, 1.0]], np.float32))[0, :, 0].tolist() == [128, 164, 200]
    signed = masked(view, np.array([[-1.0, 0.5, 1.0]], np.float32), signed=True, background=(255, 255, 255))
    assert signed[0, :, 0].tolist() == [255, 228, 200]


def test_pictures_survive_png_byte_for_byte():
    pixels = np.random.default_rng(2).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png_bytes(pixels)))) == pixels).all()
    kind, data = png_uri(pixels).split(",", 1)
    assert kind == "data:image/png;base64" and base64.b64decode(data) == png_bytes(pixels)
