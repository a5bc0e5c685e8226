"""What a benchmark asks about: halves of a folder, and scenes that take turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.benchmark.datasets import Place, few, half, pictures, places
from decam.errors import SettingError
from decam.images.scenes.scene import scene


def test_the_halves_are_every_second_picture_by_name_and_together_all() -> None:
    paths = [Path(f"folder/{name}.jpg") for name in "dbeac"]
    develop, report = half(paths, "develop"), half(paths, "report")
    assert [path.stem for path in develop] == ["a", "c", "e"]
    assert [path.stem for path in report] == ["b", "d"]
    assert sorted([*develop, *report]) == half(paths, "all")


def test_only_pictures_are_taken_from_a_folder(tmp_path: Path) -> None:
    for name in ("0.png", "1.PNG"):
        Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / name)
    (tmp_path / "README.md").write_text("about the images")
    assert [source.name for source in pictures(tmp_path)] == ["0.png", "1.PNG"]
    (second,) = pictures(tmp_path, "report")
    assert second.name == "1.PNG" and second.target is None
    image, truth = second.draw()
    assert image.size == (8, 8) and truth is None


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no images"):
        pictures(tmp_path)
    with pytest.raises(SettingError, match="There is no folder"):
        pictures(tmp_path / "absent")


def test_scenes_with_one_and_two_objects_take_turns_and_the_first_of_each_are_the_few() -> None:
    chosen = places(3, 2)
    assert [place.objects for place in chosen] == [1, 2, 1, 2, 1]
    assert len({place.number for place in chosen}) == 5
    assert few(chosen, 1) == chosen[:2]
    assert few(chosen, 0) == ()


def test_of_two_objects_the_first_and_the_second_are_asked_about_in_turns() -> None:
    which = [place.which for place in places(4, 4)]
    assert which[::2] == [0, 0, 0, 0]
    assert which[1::2] == [0, 1, 0, 1]


def test_a_scene_is_asked_about_the_class_and_the_pixels_of_its_object() -> None:
    place = Place(2, 7)
    drawn, given = scene(7, objects=2), place.source()
    image, truth = given.draw()
    np.testing.assert_array_equal(np.asarray(image), drawn.image)
    np.testing.assert_array_equal(truth, drawn.masks[1])
    assert (given.target, given.seed, place.source(0).seed) == (drawn.labels[1], 7, 0)
