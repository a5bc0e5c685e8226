"""Files that cannot be used: a sentence each, nothing lost, no traceback."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from decam.images.scenes import scene
from tests.browser.compare import Compare
from tests.tools.server import Server


def good(path: Path, seed: int) -> Path:
    """A picture that can be used."""
    Image.fromarray(scene.scene(seed).image).save(path)
    return path


def test_each_bad_file_gets_its_sentence_and_the_good_one_is_kept(
    page: Page, common_server: Server, tmp_path: Path
) -> None:
    fine = good(tmp_path / "fine.png", 5)
    no_picture, empty, short, tiny, narrow = (
        tmp_path / name for name in ("no picture.jpg", "empty.png", "short.jpg", "tiny.png", "narrow.png")
    )
    no_picture.write_text("This is a letter.")
    empty.write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(short)
    short.write_bytes(short.read_bytes()[:9000])
    Image.new("RGB", (1, 1)).save(tiny)
    Image.new("RGB", (20_000, 10)).save(narrow)
    bad = (no_picture, empty, short, tiny, narrow)
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload([*bad, fine])
    for file in bad:
        expect(compare.alert(file.name)).to_be_visible()
    expect(compare.card(fine.name)).to_be_visible()
    expect(page.get_by_text(re.compile("Traceback|Error:"))).to_have_count(0)
    expect(compare.explain).to_be_enabled()


def test_of_seventeen_pictures_sixteen_are_kept_and_the_last_is_named(
    page: Page, common_server: Server, tmp_path: Path
) -> None:
    files = [good(tmp_path / f"scene {number:02}.png", number) for number in range(17)]
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload(files)
    expect(compare.alert("At most 16 images")).to_contain_text("scene 16.png")
    expect(compare.main.get_by_role("combobox", name=re.compile("^Target class of"))).to_have_count(16)


def test_a_file_over_the_limit_is_refused_with_the_limit(page: Page, common_server: Server, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG" + bytes(21 * 2**20))
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload([large])
    expect(
        compare.sidebar.get_by_text(re.compile("20"), exact=False).filter(has_text=re.compile("MB or smaller"))
    ).to_be_visible()
