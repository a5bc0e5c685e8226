"""Files that a visitor may drop: each bad one costs a sentence, the others stay, and nobody sees a traceback."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from decam.images.scenes import scene
from tests.pages.visitor import File, Visitor

pytestmark = pytest.mark.usefixtures("server")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]  # the options are Pillow's own
    return file.getvalue()


def good(name: str, seed: int = 5) -> File:
    return name, encoded(Image.fromarray(scene.scene(seed).image), "PNG")


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""
    data = bytearray(encoded(Image.new("L", (1, 1)), "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


BAD: dict[str, tuple[bytes, str]] = {
    "letter.jpg": (b"Dear Sir or Madam, this is no picture.", "is not an image that can be read"),
    "page.png": (b"<html><body>404</body></html>", "PNG, JPEG, WebP, BMP, TIFF or GIF was expected"),
    "empty.png": (b"", "is empty (0 bytes)"),
    "short.jpg": (encoded(noise(), "JPEG")[:9000], "is damaged or incomplete"),
    "short.png": (encoded(noise(), "PNG")[:9000], "is damaged or incomplete"),
    "dot.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "1×1 pixels; at least 8×8"),
    "strip.png": (encoded(Image.new("RGB", (20_000, 10)), "PNG"), "one side may be at most 20 times the other"),
    "bomb.png": (bomb(60_000, 60_000), "would unpack to more than 50,000,000 pixels"),
    "huge.png": (bomb(8_000, 8_000), "8,000×8,000 pixels; at most 50,000,000"),
    "large.png": (b"\x89PNG" + bytes(21 * 2**20), "is larger than 20 MB, the limit for one file"),
    "holes.tif": (encoded(Image.fromarray(np.full((16, 16), np.nan, np.float32)), "TIFF"), "not finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_its_sentence_and_the_good_ones_are_kept(name: str) -> None:
    content, reason = BAD[name]
    visitor = Visitor().upload(good("before.png"), (name, content), good("after.png", 6))
    assert len(visitor.errors) == 1
    assert visitor.errors[0].startswith(name)
    assert reason in visitor.errors[0]
    assert visitor.cards == ["before.png", "after.png"]
    assert visitor.offers("explain")


def test_with_bad_files_alone_there_is_nothing_to_explain() -> None:
    visitor = Visitor().upload(("empty.png", b""), ("letter.jpg", b"Dear Sir"))
    assert [sentence.split(" ")[0] for sentence in visitor.errors] == ["empty.png", "letter.jpg"]
    assert not visitor.offers("explain")
    assert visitor.offers("welcome-scene-star"), "the samples are still there"


def test_of_17_pictures_16_are_kept_and_the_last_is_named() -> None:
    files = [good(f"scene {number:02}.png", number) for number in range(17)]
    visitor = Visitor().upload(*files)
    assert visitor.cards == [name for name, _ in files[:16]]
    assert visitor.says("At most 16 images at once", "left out scene 16.png.")
    assert visitor.offers("explain")


def test_a_sample_beyond_16_pictures_is_left_out_by_name() -> None:
    visitor = Visitor().upload(*(good(f"scene {number:02}.png", number) for number in range(15)))
    visitor.sample("scene-star", "scene-arrow")
    assert visitor.cards[-1] == "Star"
    assert visitor.says("At most 16 images at once", "left out Arrow.")


def frames(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (64, 64), (40 * number, 200, 90)) for number in range(count)]


def grey_16() -> Image.Image:
    return Image.fromarray(np.full((64, 64), 0x8080, np.uint16))


NOTED: dict[str, tuple[bytes, str]] = {
    "moving.gif": (encoded(frames(3)[0], "GIF", save_all=True, append_images=frames(3)[1:]), "first of 3 frames"),
    "moving.webp": (encoded(frames(2)[0], "WEBP", save_all=True, append_images=frames(2)[1:]), "first of 2 frames"),
    "pages.tif": (encoded(frames(4)[0], "TIFF", save_all=True, append_images=frames(4)[1:]), "first of 4 pages"),
    "print.jpg": (encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"), "Converted from CMYK"),
    "depth.tif": (encoded(Image.fromarray(np.linspace(-3, 9, 256, dtype=np.float32).reshape(16, 16)), "TIFF"), "-3"),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_was_special_about_a_file_is_told_and_the_picture_used(name: str) -> None:
    content, note = NOTED[name]
    visitor = Visitor().upload((name, content))
    assert visitor.says(f"{name}: ", note)
    assert (visitor.cards, visitor.errors) == ([name], [])
    assert visitor.offers("explain")


PLAIN: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "deep.png": (encoded(grey_16(), "PNG"), (128, 128, 128)),
    "deep.tif": (encoded(grey_16(), "TIFF"), (128, 128, 128)),
    "palette.png": (encoded(Image.new("RGB", (64, 64), (200, 30, 30)).quantize(4), "PNG"), (200, 30, 30)),
    "clear.png": (encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"), (255, 255, 255)),
    "bits.bmp": (encoded(Image.new("1", (64, 64), 0), "BMP"), (0, 0, 0)),
    "photo.webp": (encoded(Image.new("RGB", (64, 64), (10, 160, 60)), "WEBP", lossless=True), (10, 160, 60)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_unusual_kinds_of_pictures_are_shown_in_their_colours(name: str) -> None:
    content, colour = PLAIN[name]
    visitor = Visitor().upload((name, content))
    assert visitor.errors == []
    assert visitor.picture(name).mean((0, 1)) == pytest.approx(colour, abs=4)


def test_a_photograph_is_turned_upright_by_its_exif_data() -> None:
    stored = Image.new("RGB", (128, 128), (0, 0, 255))
    stored.paste((255, 0, 0), (0, 0, 64, 128))  # red on the left: after a quarter turn to the right it is on top
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = Visitor().upload(("turned.jpg", encoded(stored, "JPEG", exif=exif, quality=95))).picture("turned.jpg")
    assert seen[:40].mean((0, 1)) == pytest.approx((255, 0, 0), abs=12)
    assert seen[-40:].mean((0, 1)) == pytest.approx((0, 0, 255), abs=12)


NAMES = (
    "![pixel](http://example.org/x.png).png",
    '<img src=x onerror="alert(1)">.png',
    "*a* _b_ `c` $d$ [e](f).png",
    r"back\slash \[g\](h).png",
    "שלום עולם.png",
    "turn\u202egnp.png",
    f"{'very ' * 50}long.png",
    "1. first.png",
    "猫 🦊.png",
)


def test_any_name_is_shown_as_it_is_and_obeyed_by_nothing() -> None:
    visitor = Visitor().upload(*(good(name, number) for number, name in enumerate(NAMES)))
    assert visitor.errors == []
    assert len(visitor.cards) == len(NAMES)
    assert "turn\N{REPLACEMENT CHARACTER}gnp.png" in visitor.cards
    assert not any("<img src=x" in text for text in visitor.app.html.values)
    visitor.methods("random").quick()
    run = visitor.explain()
    visitor.finish()
    assert [row["title"] for row in visitor.grid["rows"]] == list(NAMES)
    assert visitor.states() == {"done"}
    for tab in ("Curves", "Metrics", "Export"):
        visitor.tab(tab)
    assert Visitor(run).cards == visitor.cards
    line = next(button for button in visitor.app.button if button.key == f"run-{run}")
    assert line.label.startswith(r"!\[pixel\](http"), "no image is fetched from anywhere"


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_bad_file_cannot_write_on_the_page_by_its_name(name: str) -> None:
    visitor = Visitor().upload((name, b""))
    assert visitor.errors == [f"{name} is empty (0 bytes)."]
    sentence = visitor.app.error.values[0]
    assert sentence != name, "Markdown is told to show it as it is"
    for mark in "[]`*$<":
        assert sentence.count(mark) == sentence.count(f"\\{mark}")


def test_two_files_of_one_name_are_two_pictures() -> None:
    visitor = Visitor().upload(good("same.png", 1), good("same.png", 2)).methods("random").quick()
    assert visitor.cards == ["same.png", "same.png"]
    visitor.explain()
    visitor.finish()
    first, second = visitor.grid["rows"]
    assert first["view"] != second["view"]
    assert visitor.states() == {"done"}


def test_what_was_wrong_with_a_file_is_not_said_again_when_others_come() -> None:
    visitor = Visitor().upload(("empty.png", b""), good("old.png"))
    assert len(visitor.errors) == 1
    visitor.upload(good("new.png", 6))
    assert (visitor.cards, visitor.errors) == (["old.png", "new.png"], [])
