"""Masks come from files and from drawings as they were meant, and follow a picture through a model's eyes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from decam.classifier import wrap
from decam.errors import ImageError
from decam.images import ground_truth


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def marks(size: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


MASK = marks((40, 60), slice(10, 30), slice(5, 20))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "RGBA", "I;16"])
def test_light_on_dark_is_the_object_in_every_kind_of_file(mode: str) -> None:
    grey = Image.fromarray(MASK.astype(np.uint8) * 255)
    image = Image.fromarray(MASK.astype(np.uint16) * 65535) if mode == "I;16" else grey.convert(mode)
    np.testing.assert_array_equal(ground_truth.from_file(png(image), "mask.png", (40, 60)), MASK)


def test_what_is_opaque_is_the_object_where_there_is_transparency() -> None:
    dark = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    dark.paste((0, 0, 0, 255), (5, 10, 20, 30))
    np.testing.assert_array_equal(ground_truth.from_file(png(dark), "mask.png", (40, 60)), MASK)


def test_a_mask_may_be_smaller_than_its_picture_but_not_of_another_shape() -> None:
    image = Image.fromarray(MASK.astype(np.uint8) * 255)
    np.testing.assert_array_equal(
        ground_truth.from_file(png(image), "mask.png", (80, 120)), MASK.repeat(2, axis=0).repeat(2, axis=1)
    )
    with pytest.raises(ImageError, match="60×40 pixels, but its image has 50×50"):
        ground_truth.from_file(png(image), "mask.png", (50, 50))


@pytest.mark.parametrize(("value", "words"), [(0, "marks nothing"), (255, "marks the whole image")])
def test_a_mask_of_nothing_or_everything_is_refused(value: int, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        ground_truth.from_file(png(Image.new("L", (60, 40), value)), "mask.png", (40, 60))


def test_a_file_that_is_no_picture_is_refused_with_its_name() -> None:
    with pytest.raises(ImageError, match=r"mask\.png is not an image"):
        ground_truth.from_file(b"hello", "mask.png", (40, 60))


@pytest.mark.slow
@given(st.data())
def test_a_box_on_the_edges_of_pixels_holds_exactly_these_pixels(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(2, 40)), data.draw(st.integers(2, 40))
    top = data.draw(st.integers(0, height - 1))
    left = data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    expected = marks((height, width), slice(top, bottom), slice(left, right))
    outline = ground_truth.box(left / width, top / height, right / width, bottom / height)
    if expected.all():
        with pytest.raises(ImageError, match="whole image"):
            ground_truth.drawn([outline], (height, width))
    else:
        np.testing.assert_array_equal(ground_truth.drawn([outline], (height, width)), expected)


def test_an_outline_drawn_by_hand_is_filled_and_several_are_joined() -> None:
    triangle = ((0.1, 0.1), (0.45, 0.1), (0.1, 0.8))
    both = ground_truth.drawn([triangle, ground_truth.box(0.6, 0.2, 0.9, 0.4)], (100, 200))
    canvas = Image.new("L", (200 * 8, 100 * 8))
    ImageDraw.Draw(canvas).polygon([(x * 1600, y * 800) for x, y in triangle], fill=255)
    fine = np.asarray(canvas.resize((200, 100), Image.Resampling.BOX)) / 255
    assert abs(both[:, :110].mean() - fine[:, :110].mean()) < 0.002
    assert both[20:40, 120:180].all()
    assert not both[45:, 110:].any()


@pytest.mark.parametrize(
    ("outlines", "words"),
    [
        ([], "marks nothing"),
        ([((0.1, 0.1), (0.2, 0.2))], "3 to"),
        ([((0.1, 0.1), (0.5, 0.1), (0.3, 0.1))], "marks nothing"),
        ([ground_truth.box(0, 0, 0.5, 0.5)] * 51, "At most 50"),
    ],
)
def test_what_is_no_drawing_of_an_object_is_refused(outlines: list[ground_truth.Outline], words: str) -> None:
    with pytest.raises(ImageError, match=words):
        ground_truth.drawn(outlines, (20, 20))


def test_a_mask_is_cropped_and_resized_as_its_picture_is() -> None:
    seen = wrap(lambda images: images.mean(dim=(2, 3)), labels=["r", "g", "b"], input_size=(20, 20))
    np.testing.assert_array_equal(
        ground_truth.seen(MASK, seen),
        marks((40, 60), slice(10, 30), slice(5, 20))[:, 10:50].reshape(20, 2, 20, 2).all((1, 3)),
    )
    with pytest.raises(ImageError, match="What the model sees of the mask marks nothing"):
        ground_truth.seen(marks((40, 60), slice(0, 40), slice(0, 8)), seen)


def test_what_is_to_be_done_fits_where_a_mask_comes_from() -> None:
    small = wrap(lambda images: images.mean(dim=(2, 3)), labels=["r", "g", "b"], input_size=(20, 20))
    empty = png(Image.new("L", (60, 40)))
    with pytest.raises(ImageError, match=r"mask\.png marks nothing; the object must be white on black, or opaque on"):
        ground_truth.from_file(empty, "mask.png", (40, 60))
    with pytest.raises(ImageError, match="drawn marks nothing; draw around the object, within the picture"):
        ground_truth.drawn([], (40, 60))
    with pytest.raises(ImageError, match="of the mask marks nothing; mark an object of which the model sees something"):
        ground_truth.seen(marks((40, 60), slice(0, 40), slice(0, 8)), small)
