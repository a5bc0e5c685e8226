"""Reading pictures: what can be shown is shown as a person would expect it, what cannot is refused in one sentence."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops
from skimage import color

from decam.errors import ImageError
from decam.images.reading import MAX_BYTES, read, to_picture

WIDTH, HEIGHT = 40, 30


def colours() -> Image.Image:
    """A picture whose four quarters differ: red, green, blue and yellow, from the top left."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "red")
    image.paste("green", (WIDTH // 2, 0, WIDTH, HEIGHT // 2))
    image.paste("blue", (0, HEIGHT // 2, WIDTH // 2, HEIGHT))
    image.paste("yellow", (WIDTH // 2, HEIGHT // 2, WIDTH, HEIGHT))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def difference(first: Image.Image, second: Image.Image) -> int:
    """The largest difference of any value."""
    assert first.size == second.size
    return max(high for _, high in ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getextrema())


def refusal(data: bytes | Path, name: str = "cat.png") -> str:
    """The sentence with which a file is refused; it must be one line, and end like a sentence."""
    with pytest.raises(ImageError) as caught:
        read(data, name)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_lossless_formats_come_out_as_they_went_in(kind: str) -> None:
    picture = read(encoded(colours(), kind, lossless=True), "a")
    assert picture.image.mode == "RGB"
    assert difference(picture.image, colours()) == 0
    assert picture.notes == ()


def test_jpeg_comes_out_nearly_as_it_went_in() -> None:
    image = Image.new("RGB", (WIDTH, HEIGHT), (200, 100, 50))
    assert difference(read(encoded(image, "JPEG", quality=95), "a").image, image) <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright_by_their_exif_data(orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = colours().transpose(undo) if undo is not None else colours()
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(read(encoded(stored, "PNG", exif=exif), "a").image, colours()) == 0


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(kind: str) -> None:
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (0, 0, 8, 16))
    image.paste((0, 0, 0, 128), (8, 8, 16, 16))
    seen = read(encoded(image, kind, lossless=True), "a").image
    assert seen.getpixel((2, 2)) == (255, 255, 255)
    assert seen.getpixel((12, 2)) == (255, 0, 0)
    assert seen.getpixel((12, 12)) == pytest.approx((127, 127, 127), abs=1)


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = colours().quantize(4)
    index = image.getpixel((0, 0))
    seen = read(encoded(image, "PNG", transparency=index), "a").image
    assert seen.getpixel((0, 0)) == (255, 255, 255)
    assert difference(seen.crop((20, 0, 40, 30)), colours().crop((20, 0, 40, 30))) <= 2


def test_a_palette_without_transparency_keeps_its_colours() -> None:
    assert difference(read(encoded(colours().quantize(4), "PNG"), "a").image, colours()) <= 2


def test_grey_with_alpha_is_laid_on_white() -> None:
    image = Image.new("LA", (16, 16), (10, 255))
    image.paste((10, 0), (0, 0, 8, 16))
    seen = read(encoded(image, "PNG"), "a").image
    assert seen.getpixel((0, 0)) == (255, 255, 255)
    assert seen.getpixel((15, 0)) == (10, 10, 10)


def test_one_bit_is_black_and_white() -> None:
    image = Image.new("1", (16, 16), 1)
    image.putpixel((3, 3), 0)
    seen = read(encoded(image, "PNG"), "a").image
    assert (seen.getpixel((3, 3)), seen.getpixel((0, 0))) == ((0, 0, 0), (255, 255, 255))


def test_cmyk_is_read_with_a_note() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    picture = read(encoded(image, "TIFF"), "a")
    assert picture.image.getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=2)
    assert "CMYK" in picture.notes[0]
    red = read(encoded(image, "JPEG", quality=95), "a").image.getpixel((5, 5))
    assert red == pytest.approx((255, 0, 0), abs=12)


def test_cielab_becomes_the_colours_that_scikit_image_works_out() -> None:
    lab = np.random.default_rng(0).integers((90, -20, -20), (200, 20, 20), (16, 16, 3))
    image = Image.frombytes("LAB", (16, 16), lab.astype(np.int16).astype(np.uint8).tobytes(), "raw", "LAB")
    expected = color.lab2rgb(lab * [100 / 255, 1, 1]) * 255  # which adapts to another white in its own way
    for seen in (read(encoded(image, "TIFF"), "a").image, to_picture(image)):
        assert np.abs(np.asarray(seen) - expected).mean() <= 2


def test_grey_with_its_alpha_multiplied_in_is_laid_on_white() -> None:
    image = Image.frombytes("La", (16, 16), bytes([50, 128]) * 256)  # a grey of 100, half opaque
    assert to_picture(image).getpixel((0, 0)) == pytest.approx((177, 177, 177), abs=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_to_8(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256 * 16).round().astype(np.uint16).reshape(16, 256)
    seen = np.asarray(read(encoded(Image.fromarray(ramp), kind), "a").image)
    assert seen.shape == (16, 256, 3)
    np.testing.assert_array_equal(seen[..., 0], np.round(ramp / 257).astype(np.uint8))


def png_16_bit_rgb(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, written from the format's own words: Pillow writes none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_16_bit_colours_are_scaled_to_8() -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (16, 20, 3)).astype(np.uint16)
    seen = np.asarray(read(png_16_bit_rgb(pixels), "a").image).astype(int)
    assert np.abs(seen - pixels / 257).max() <= 1


def test_float_tiff_in_0_to_1_keeps_its_brightness() -> None:
    values = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    picture = read(encoded(Image.fromarray(values), "TIFF"), "a")
    np.testing.assert_array_equal(np.asarray(picture.image)[..., 0], np.arange(256).reshape(16, 16))
    assert picture.notes == ()


def test_float_tiff_beyond_0_to_1_is_stretched_with_a_note() -> None:
    values = np.linspace(-3, 9, 256, dtype=np.float32).reshape(16, 16)
    picture = read(encoded(Image.fromarray(values), "TIFF"), "a")
    np.testing.assert_array_equal(np.asarray(picture.image)[..., 0], np.arange(256).reshape(16, 16))
    assert "-3" in picture.notes[0]
    assert "9" in picture.notes[0]


def test_a_float_tiff_with_holes_is_refused() -> None:
    values = np.full((16, 16), np.nan, dtype=np.float32)
    assert "not finite" in refusal(encoded(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize(
    ("kind", "word"), [("PNG", "frames"), ("WEBP", "frames"), ("GIF", "frames"), ("TIFF", "pages")]
)
def test_of_several_frames_the_first_is_used_and_a_note_says_so(kind: str, word: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    picture = read(data, "a")
    assert picture.image.getpixel((8, 8)) == (255, 0, 0)
    assert picture.notes == (f"Only the first of 3 {word} is used.",)


def test_a_preview_inside_a_photograph_is_no_animation() -> None:
    data = encoded(colours(), "MPO", save_all=True, append_images=[colours()])
    assert read(data, "a").notes == ()


def test_paths_and_open_files_are_read_like_bytes(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(encoded(colours(), "PNG"))
    assert read(path).name == "cat.png"
    with path.open("rb") as file:
        assert difference(read(file, "b").image, colours()) == 0


# What cannot be used


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "cat.png is empty (0 bytes)."


@pytest.mark.parametrize("data", [b"hello, I am a text", b"\0" * 500, b"%PDF-1.7 ...", b"GIF8", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_with_what_was_expected(data: bytes) -> None:
    sentence = refusal(data)
    assert sentence.startswith("cat.png ")
    assert "PNG, JPEG, WebP, BMP, TIFF" in sentence or "damaged" in sentence


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    data = encoded(noise(), kind)
    assert "damaged" in refusal(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_bytes_changed_at_random_give_a_picture_or_a_sentence(kind: str) -> None:
    data = encoded(noise(), kind)
    generator = np.random.default_rng(2)
    for _ in range(60):
        changed = bytearray(data)
        for place in generator.integers(0, len(data), 12):
            changed[place] = generator.integers(0, 256)
        try:
            assert read(bytes(changed), "a").image.mode == "RGB"
        except ImageError as error:
            assert "\n" not in str(error)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing: whoever decodes it sees it is damaged."""
    data = bytearray(png_16_bit_rgb(np.zeros((1, 1, 3), dtype=np.uint16)))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    sentence = refusal(bomb(side, side))
    assert "50,000,000" in sentence
    assert "damaged" not in sentence


@pytest.mark.slow
def test_a_file_over_the_limit_is_refused_with_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encoded(colours(), "PNG") + b"\0" * MAX_BYTES)
    assert "20 MB" in refusal(path.read_bytes())
    assert "20 MB" in refusal(path)


@pytest.mark.slow
def test_a_file_just_within_the_limit_is_read() -> None:
    data = encoded(colours(), "PNG")
    assert difference(read(data + b"\0" * (MAX_BYTES - len(data)), "a").image, colours()) == 0


def test_a_picture_of_one_pixel_is_too_small() -> None:
    sentence = refusal(encoded(Image.new("RGB", (1, 1)), "PNG"))
    assert "1×1" in sentence
    assert "8×8" in sentence


def test_a_thin_strip_is_refused() -> None:
    sentence = refusal(encoded(Image.new("RGB", (20_000, 10)), "PNG"))
    assert "20,000×10" in sentence
    assert "20 times" in sentence


def test_a_path_without_a_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.png")
    assert str(tmp_path) in refusal(tmp_path)


# The Python interface


def test_paths_pillow_images_and_arrays_are_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    colours().save(path)
    array = np.asarray(colours())
    for source in (path, str(path), colours(), array, array / 255, (array / 255).astype(np.float32)):
        assert difference(to_picture(source), colours()) == 0


def test_a_grey_array_and_one_with_alpha_are_pictures() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(to_picture(grey))[..., 1], grey)
    np.testing.assert_array_equal(np.asarray(to_picture(grey[..., None]))[..., 1], grey)
    assert to_picture(np.zeros((16, 16, 4), dtype=np.uint8)).getpixel((0, 0)) == (255, 255, 255)


def test_to_picture_never_hands_back_the_image_it_was_given() -> None:
    image = colours()
    to_picture(image).putpixel((0, 0), (1, 2, 3))
    assert image.getpixel((0, 0)) == (255, 0, 0)


ODD: list[tuple[Callable[[], object], str]] = [
    (lambda: np.zeros((3, 32, 32), dtype=np.uint8), "transpose"),
    (lambda: np.zeros((32, 32, 2), dtype=np.uint8), "32×32×2"),
    (lambda: np.zeros((4, 32, 32, 3), dtype=np.uint8), "4×32×32×3"),
    (lambda: np.zeros((32, 32, 3), dtype=np.int64), "int64"),
    (lambda: np.full((32, 32, 3), 128.0), "from 128 to 128"),
    (lambda: np.full((32, 32, 3), np.nan), r"\[0, 1\]"),
    (lambda: np.zeros((0, 32, 3), dtype=np.uint8), "no pixels"),
    (lambda: np.zeros((4, 4, 3), dtype=np.uint8), "8×8"),
    (lambda: np.float32(3.0), "float32"),
    (lambda: None, "NoneType"),
]


@pytest.mark.parametrize(("make", "expected"), ODD)
def test_what_is_no_picture_in_memory_is_refused(make: Callable[[], object], expected: str) -> None:
    with pytest.raises(ImageError, match=expected):
        to_picture(make())  # type: ignore[arg-type]


def test_a_pillow_image_of_a_truncated_file_is_refused() -> None:
    data = encoded(noise(), "PNG")
    with pytest.raises(ImageError, match="damaged"):
        to_picture(Image.open(BytesIO(data[: len(data) // 2])))
