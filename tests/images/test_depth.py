"""Samples of more than 8 bits: files written byte by byte, what they hold worked out by hand."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image

from decam.errors import ImageError
from decam.images.reading import read, read_mask, to_picture
from tests.tools.deep_files import BLACK_IS_ZERO, RGB, WHITE_IS_ZERO, grey, near, png, rounded, tiff

RAMP = np.tile(np.linspace(0, 1, 64), (16, 1))  # dark on the left, bright on the right


# Which range a file uses


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("kind", ["PNG", "TIFF <", "TIFF >"])
def test_a_picture_that_uses_few_of_its_16_bits_is_brightened_with_a_note(bits: int, kind: str) -> None:
    values = (RAMP * (2**bits - 1)).astype(np.uint16)
    picture = read(png(values) if kind == "PNG" else tiff(values, order=kind[-1]), "a")
    near(grey(picture), rounded(values / (2**bits - 1)))
    note = f"The image uses {bits} of its 16 bits; it was brightened to full range."
    assert picture.notes == (note,)


@pytest.mark.parametrize(
    ("largest", "full"), [(1, 255), (256, 1023), (1024, 4095), (5000, 16383), (16384, 65535), (65535, 65535)]
)
def test_the_range_is_the_smallest_usual_depth_that_holds_the_largest_value(largest: int, full: int) -> None:
    values = (RAMP * largest).astype(np.uint16)
    picture = read(png(values), "a")
    near(grey(picture), rounded(values / full))
    assert bool(picture.notes) == (full < 65535)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("largest", [4095, 65535])
def test_a_16_bit_tiff_in_which_zero_is_white_is_inverted(order: str, largest: int) -> None:
    values = (RAMP * largest).astype(np.uint16)
    seen = grey(read(tiff(values, WHITE_IS_ZERO, order), "a"))
    near(seen, 255 - rounded(values / largest), 1)
    assert (seen[0, 0], seen[0, -1]) == (255, 0)


@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_8_bit_tiff_says_itself_whether_zero_is_white(photometric: int, order: str) -> None:
    values = (RAMP * 255).astype(np.uint8)
    expected = values if photometric == BLACK_IS_ZERO else 255 - values.astype(int)
    near(grey(read(tiff(values, photometric, order), "a")), expected)


@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
def test_a_1_bit_tiff_says_itself_whether_zero_is_white(photometric: int) -> None:
    packed = np.tile(np.array([0b11110000, 0b10101010], np.uint8), (16, 1))
    entries = (
        *((256, 4, 16), (257, 4, 16), (258, 3, 1), (259, 3, 1), (262, 3, photometric)),
        *((273, 4, 8), (278, 4, 16), (279, 4, 32)),
    )
    ends = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    data = b"II*\0" + struct.pack("<I", 40) + packed.tobytes() + struct.pack("<H", len(entries)) + ends + b"\0" * 4
    bits = np.unpackbits(packed, axis=1)
    near(grey(read(data, "a")), 255 * (bits if photometric == BLACK_IS_ZERO else 1 - bits.astype(int)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("kind", ["f4", "f8", "f2"])
def test_floats_from_0_to_1_keep_their_brightness(order: str, photometric: int, kind: str) -> None:
    values = (0.5 * RAMP).astype(kind)
    picture = read(tiff(values, photometric, order), "a")
    share = values.astype(float)
    near(grey(picture), rounded(share if photometric == BLACK_IS_ZERO else 1 - share), 1)
    assert picture.notes == ()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["i4", "u4", "i2"])
def test_wide_integers_within_12_bits_are_read_like_12_bits(order: str, kind: str) -> None:
    values = (RAMP * 4095).astype(kind)
    picture = read(tiff(values, order=order), "a")
    near(grey(picture), rounded(values / 4095))
    assert "12 of its" in picture.notes[0]


@pytest.mark.parametrize(("kind", "order"), [("<u4", "<"), (">u4", ">"), ("<i4", "<"), ("<i2", "<"), (">i2", ">")])
def test_values_below_zero_or_beyond_16_bits_are_stretched_with_a_note(kind: str, order: str) -> None:
    limits = np.iinfo(np.dtype(kind))
    values = (limits.min + RAMP * (float(limits.max) - limits.min)).astype(kind)
    picture = read(tiff(values, order=order), "a")
    near(grey(picture), rounded(RAMP), 1)
    assert "stretched" in picture.notes[0]


@pytest.mark.parametrize("order", ["<", ">"])
def test_signed_16_bits_reach_white_at_their_largest_value(order: str) -> None:
    picture = read(tiff((RAMP * 32767).astype(np.int16), order=order), "a")
    near(grey(picture), rounded(RAMP), 1)
    assert picture.notes == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_signed_8_bits_are_not_taken_for_unsigned(order: str) -> None:
    picture = read(tiff((RAMP * 200 - 100).round().astype(np.int8), order=order), "a")
    near(grey(picture), rounded((RAMP * 200).round() / 200))
    assert picture.notes == ("Grey values from -100 to 100 were stretched from black to white.",)
    near(grey(read(tiff((RAMP * 127).astype(np.int8), order=order), "a")), rounded((RAMP * 127).astype(int) / 127))


def test_doubles_whose_range_is_larger_than_any_number_go_from_black_to_white() -> None:
    near(grey(read(tiff((2 * RAMP - 1) * 1.7e308), "a")), rounded(RAMP), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("bits", "values"), [(64, np.ones((16, 16), np.complex64)), (14, None), (6, None)])
def test_complex_and_packed_samples_are_refused_for_what_they_are(bits: int, values: np.ndarray | None) -> None:
    if values is not None:
        file = BytesIO()
        tifffile.imwrite(file, values)
        data = file.getvalue()
    else:
        data = tiff(np.zeros((16, 64), np.uint16), bits=bits)  # more bytes than 64 packed samples take
    with pytest.raises(
        ImageError, match=rf"a is a TIFF file of a layout that cannot be read \({bits} bits, 1 channels"
    ):
        read(data, "a")


def test_12_bits_packed_into_one_and_a_half_bytes_have_all_their_range() -> None:
    low = np.full((16, 64), 900)  # two samples in three bytes
    packed = np.stack([low[:, ::2] >> 4, (low[:, ::2] & 15) << 4 | low[:, 1::2] >> 8, low[:, 1::2] & 255], axis=2)
    data = bytearray(tiff(packed.reshape(16, 96).astype(np.uint8), bits=12))
    place = data.index(struct.pack("<HHII", 256, 4, 1, 96))
    data[place + 8 : place + 12] = struct.pack("<I", 64)
    picture = read(bytes(data), "a")
    near(grey(picture), rounded(low / 4095))
    assert picture.notes == ()


# What a file says of its range


@pytest.mark.parametrize(
    ("used", "largest", "full"), [(16, 4095, 65535), (12, 65520, 65535), (12, 900, 4095), (12, 4095, 4095)]
)
def test_significant_bits_of_a_png_are_honoured(used: int, largest: int, full: int) -> None:
    values = (RAMP * largest).astype(np.uint16)
    near(grey(read(png(values, (b"sBIT", bytes([used]))), "a")), rounded(values / full))


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_range_that_a_tiff_states_goes_from_black_to_white(order: str) -> None:
    values = (1000 + RAMP * 1000).astype(np.uint16)
    picture = read(tiff(values, order=order, t340=1000, t341=3000), "a")
    near(grey(picture), rounded((values - 1000.0) / 2000))
    assert "1000 to 3000" in picture.notes[0]
    assert read(tiff(values, order=order, t340=0, t341=65535), "a").notes == ()
    floats = read(tiff((RAMP * 500).astype(np.float32), order=order, t340=0.0, t341=1000.0), "a")
    near(grey(floats), rounded(RAMP / 2), 1)


def test_a_stated_range_that_does_not_hold_the_values_is_not_believed() -> None:
    values = (RAMP * 4095).astype(np.uint16)
    near(grey(read(tiff(values, t340=0, t341=100), "a")), rounded(values / 4095))


@pytest.mark.parametrize(("stated", "full"), [(65535, 65535), (4000, 4095)])
def test_the_largest_value_that_a_tiff_states_widens_the_range(stated: int, full: int) -> None:
    values = (RAMP * 200).astype(np.uint16)
    near(grey(read(tiff(values, t281=stated), "a")), rounded(values / full))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros((16, 16), np.uint16), 0),
        (np.full((16, 16), 65535, np.uint16), 255),
        (np.full((16, 16), 32768, np.uint16), 128),
        (np.full((16, 16), 2048, np.uint16), 128),
        (np.full((16, 16), -7, np.int16), 128),
        (np.full((16, 16), 500, np.float32), 128),
        (np.full((16, 16), 0.25, np.float32), 64),
    ],
)
def test_a_picture_of_one_value_is_one_grey(values: np.ndarray, expected: int) -> None:
    picture = read(tiff(values), "a")
    assert set(grey(picture).ravel()) == {expected}
    assert bool(picture.notes) == (values[0, 0] in (2048, -7, 500))


# Colours, and what is transparent


def random_values(largest: int, channels: int) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, largest + 1, (16, 20, channels)).astype(np.uint16)
    values[0, 0] = largest
    return values


@pytest.mark.parametrize("largest", [255, 4095, 65535])
@pytest.mark.parametrize(
    "kind", ["PNG", "interlaced PNG", "TIFF <", "TIFF >", "planes", "deflated", "big-endian deflated"]
)
def test_16_bit_colours_keep_both_halves_of_each_sample(largest: int, kind: str) -> None:
    values = random_values(largest, 3)
    file = BytesIO()
    if kind == "planes":
        tifffile.imwrite(file, values.transpose(2, 0, 1), planarconfig="separate", photometric="rgb")
    elif "deflated" in kind:
        order = ">" if kind.startswith("big") else "<"
        tifffile.imwrite(file, values, photometric="rgb", compression="zlib", byteorder=order)
    elif "PNG" in kind:
        file.write(png(values, interlaced=kind != "PNG"))
    else:
        file.write(tiff(values, RGB, kind[-1]))
    picture = read(file.getvalue(), "a")
    near(np.asarray(picture.image), rounded(values / largest))
    assert bool(picture.notes) == (largest < 65535)


@pytest.mark.parametrize("largest", [4095, 65535])
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("kind", ["PNG", "TIFF <", "TIFF >"])
def test_16_bit_alpha_is_laid_on_white(largest: int, channels: int, kind: str) -> None:
    values = random_values(largest, channels)
    photometric = BLACK_IS_ZERO if channels == 2 else RGB
    data = png(values) if kind == "PNG" else tiff(values, photometric, kind[-1])
    alpha = values[..., -1:] / largest
    expected = 255 * (values[..., :-1] / largest * alpha + 1 - alpha)
    near(np.asarray(read(data, "a").image), np.broadcast_to(expected, (16, 20, 3)), 2)
    near(np.asarray(read_mask(data, "a")), rounded(alpha[..., 0]))


def test_an_opaque_12_bit_picture_with_16_bit_alpha_stays_opaque() -> None:
    values = random_values(4095, 4)
    values[..., 3] = 65535
    near(np.asarray(read(png(values), "a").image), rounded(values[..., :3] / 4095))


@pytest.mark.parametrize("kind", ["u4", "i4", "i2"])
@pytest.mark.parametrize("channels", [2, 4])
def test_wide_and_signed_alpha_is_opaque_at_its_largest_value(kind: str, channels: int) -> None:
    largest = np.iinfo(kind).max
    values = np.full((16, 16, channels), largest, kind)
    values[..., :-1] = 0
    values[:8, :8, :-1] = largest  # so that black and white are known
    values[8:, :, -1] = largest // 2
    seen = np.asarray(read(tiff(values, RGB if channels == 4 else BLACK_IS_ZERO), "a").image)
    assert (seen[:8, :8] == 255).all() and (seen[:8, 8:] == 0).all()
    near(seen[8:], np.full((8, 16, 3), 128), 1)


@pytest.mark.parametrize("full", [1.0, 255.0])
def test_float_alpha_is_opaque_at_1_or_at_its_largest_value_beyond(full: float) -> None:
    values = np.zeros((16, 16, 4), np.float32)
    values[:8], values[8:, :, 3] = full, full / 2
    near(np.asarray(read(tiff(values, RGB), "a").image)[8:], np.full((8, 16, 3), 128), 1)
    values[0, 0, 3] = np.nan
    with pytest.raises(ImageError, match="a holds values that are not finite"):
        read(tiff(values, RGB), "a")


def test_alpha_that_was_multiplied_into_16_bit_colours_is_divided_out() -> None:
    colours = np.full((16, 16, 3), [60000, 30000, 0], np.float64)
    values = np.concatenate([colours / 2, np.full((16, 16, 1), 65535 / 2)], axis=2).round().astype(np.uint16)
    file = BytesIO()
    tifffile.imwrite(file, values, photometric="rgb", extrasamples=["assocalpha"])
    near(np.asarray(read(file.getvalue(), "a").image), np.broadcast_to((colours / 65535 + 1) / 2 * 255, (16, 16, 3)), 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_colour_of_a_16_bit_png_becomes_white(channels: int) -> None:
    values = np.full((16, 16, channels), 60000, np.uint16)
    values[0, 0] = 1000
    values[0, 1] = 1001  # only the lower halves differ
    seen = np.asarray(read(png(values, (b"tRNS", struct.pack(">H", 1000) * channels)), "a").image)
    assert seen[0, 0].tolist() == [255] * 3
    assert seen[0, 1].tolist() == [4] * 3


def test_a_deep_tiff_is_turned_upright() -> None:
    values = random_values(65535, 3)
    stored = np.rot90(values)  # orientation 6: the picture must be turned clockwise
    for data in (tiff(stored, RGB, t274=6), tiff(stored.astype(np.uint32)[..., :2] * 65537, t274=6)):
        assert read(data, "a").image.size == (20, 16)
    near(np.asarray(read(tiff(stored, RGB, t274=6), "a").image), rounded(values / 65535))
    grey_values = values[..., 0]
    near(grey(read(tiff(np.rot90(grey_values), t274=6), "a")), rounded(grey_values / 65535))
    doubles = tiff(np.rot90(grey_values / 65535), t274=6)
    near(grey(read(doubles, "a")), rounded(grey_values / 65535), 1)


def test_what_another_reader_sees_in_16_bit_files_is_seen() -> None:
    values = (RAMP * 65535).astype(np.uint16)
    for order in "<>":
        for photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO):
            data = tiff(values, photometric, order)
            with tifffile.TiffFile(BytesIO(data)) as file:
                page = file.pages.first
                share = page.asarray() / 65535
                assert int(page.photometric) == photometric
            near(grey(read(data, "a")), rounded(share if photometric else 1 - share), 1)


# What cannot be read


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib", "data": (3, 16, 16)},
        {"photometric": "minisblack", "compression": "zlib", "data": (16, 16), "dtype": "f8"},
    ],
)
def test_layouts_that_no_reader_here_knows_are_refused_in_a_sentence(options: dict) -> None:
    options = dict(options)
    values = np.ones(options.pop("data"), options.pop("dtype", "u2"))
    file = BytesIO()
    tifffile.imwrite(file, values, **options)
    with pytest.raises(ImageError, match=r"^a\.tif .*save it as PNG\.$"):
        read(file.getvalue(), "a.tif")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize(
    "make", [lambda: png(random_values(65535, 4)), lambda: tiff(RAMP), lambda: tiff(random_values(9, 3), RGB)]
)
def test_a_truncated_deep_file_is_refused(share: float, make) -> None:
    data = make()
    with pytest.raises(ImageError, match=r"\.$"):
        read(data[: int(len(data) * share)], "a")


@pytest.mark.parametrize(
    "make",
    [
        lambda: png(random_values(65535, 3)),
        lambda: png(random_values(65535, 2)),
        lambda: tiff(RAMP, order=">"),
        lambda: tiff(random_values(4095, 2)),
        lambda: tiff(random_values(65535, 4), RGB),
        lambda: tiff((RAMP * 4095).astype(np.uint16), WHITE_IS_ZERO, ">", t340=0, t341=4095),
    ],
)
@pytest.mark.filterwarnings("ignore")  # damaged files make Pillow and tifffile warn
def test_deep_files_with_bytes_changed_at_random_give_a_picture_or_a_sentence(make) -> None:
    data = make()
    generator = np.random.default_rng(3)
    for _ in range(60):
        changed = bytearray(data)
        for place in [*generator.integers(0, len(data), 6), *generator.integers(len(data) - 150, len(data), 2)]:
            changed[place] = generator.integers(0, 256)
        try:
            assert read(bytes(changed), "a").image.mode == "RGB"
        except ImageError as error:
            assert "\n" not in str(error)


# In memory


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_a_deep_pillow_image_in_memory_is_read_like_a_file(mode: str) -> None:
    values = (RAMP * 4095).astype({"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode])
    image = Image.frombytes(mode, (64, 16), values.tobytes())
    near(np.asarray(to_picture(image))[..., 0], rounded(values / 4095))


@pytest.mark.parametrize("kind", ["uint16", "int32", "uint32", "float32"])
def test_arrays_whose_white_is_not_known_are_refused_in_a_sentence(kind: str) -> None:
    with pytest.raises(ImageError, match=r"^(Arrays|Float arrays) must .*\.$"):
        to_picture((RAMP * 4095).astype(kind))
