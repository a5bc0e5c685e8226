"""Colour tables against matplotlib's published values, and what a diverging table must keep."""

import itertools

import numpy as np
import plotly.colors
import pytest

from decam.errors import SettingError
from decam.figures import COLOURS, DIVERGING, lut, method_colour, method_dash, plotly_scale, table_for
from decam.figures.colours import CENTRE


def _lightness(colours: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB bytes, from its definition."""
    unit = colours.astype(float) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("cividis", (0, 34, 78), (254, 232, 56)),
        ("viridis", (68, 1, 84), (253, 231, 37)),
        ("magma", (0, 0, 4), (252, 253, 191)),
    ],
)
def test_sequential_tables_begin_and_end_at_their_published_colours(name, first, last):
    table = lut(name)
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert np.abs(table[0].astype(int) - first).max() <= 3
    assert np.abs(table[255].astype(int) - last).max() <= 3


@pytest.mark.parametrize("name", ["cividis", "viridis", "magma"])
def test_sequential_tables_are_plotlys(name):
    scale = plotly.colors.get_colorscale(name)
    wanted = plotly.colors.sample_colorscale(scale, np.linspace(0, 1, 256), colortype="tuple")
    assert np.abs(lut(name) - 255 * np.array(wanted)).max() <= 1


@pytest.mark.parametrize("name", ["cividis", "viridis", "magma"])
def test_lightness_of_sequential_tables_never_falls_so_that_hue_is_not_needed(name):
    lightness = _lightness(lut(name))
    assert np.diff(lightness).min() > -0.5
    assert lightness[255] - lightness[0] > 50


def test_diverging_table_is_neutral_at_zero_and_equally_light_at_equal_distance():
    table = lut(DIVERGING)
    assert np.ptp(table[CENTRE].astype(int)) == 0
    lightness = _lightness(table)
    assert np.diff(lightness[1 : CENTRE + 1]).min() > 0 and np.diff(lightness[CENTRE:]).max() < 0
    assert np.abs(lightness[1:CENTRE][::-1] - lightness[CENTRE + 1 :]).max() < 12


def test_an_unknown_table_is_refused_with_the_names_there_are():
    with pytest.raises(SettingError, match=r"'jet'.*magma, viridis, cividis"):
        lut("jet")


def test_tables_cannot_be_written_to_by_whoever_borrows_them():
    with pytest.raises(ValueError, match="read-only"):
        lut("cividis")[0] = 0


def test_signed_maps_get_the_diverging_table_and_unsigned_ones_never():
    for name in COLOURS:
        assert table_for(name, signed=True) == DIVERGING
        assert table_for(name, signed=False) != DIVERGING
    assert table_for("magma", signed=False) == "magma"


@pytest.mark.parametrize("name", COLOURS)
def test_the_scale_for_heatmaps_says_the_same_as_the_table(name):
    scale = plotly_scale(name)
    places = np.array([place for place, _ in scale]) * 255
    stops = np.array([[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for _, colour in scale])
    drawn = np.stack([np.interp(np.arange(256), places, stops[:, channel]) for channel in range(3)], axis=1)
    assert scale[0][0] == 0 and scale[-1][0] == 1
    assert np.abs(drawn - lut(name)).max() <= 8


@pytest.mark.parametrize("dark", [False, True])
def test_method_colours_differ_from_each_other_and_from_the_background(dark):
    colours = [method_colour(index, dark) for index in range(8)]
    values = np.array([[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in colours])
    for one, other in itertools.combinations(values.astype(int), 2):
        assert np.abs(one - other).sum() > 60
    background = 9.0 if dark else 100.0
    assert np.abs(_lightness(values) - background).min() > 30


def test_no_two_of_forty_eight_lines_share_both_colour_and_dash_and_the_first_eight_differ_by_colour_alone():
    looks = {(method_colour(index), method_dash(index)) for index in range(48)}
    assert len(looks) == 48
    assert len({method_colour(index) for index in range(8)}) == 8
    assert {method_dash(index) for index in range(8)} == {"solid"}
