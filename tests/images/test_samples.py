"""Samples: always there, without a network, each with a title and a credit."""

from __future__ import annotations

import socket
import subprocess
import sys

import numpy as np
import pytest
from skimage import data

from decam.classifier import TorchClassifier, probabilities, to_tensor
from decam.errors import ImageError
from decam.images.samples import SAMPLES, Sample, get
from decam.images.scenes import scene

SCENES = [sample for sample in SAMPLES if sample.kind == "scene"]
PHOTOGRAPHS = [sample for sample in SAMPLES if sample.kind == "photograph"]


def test_there_are_eight_scenes_two_of_them_with_two_objects() -> None:
    assert len(SCENES) == 8
    assert [len(sample.labels) for sample in SCENES].count(2) == 2


def test_every_class_of_the_scenes_is_a_different_one() -> None:
    shown = [label for sample in SCENES for label in sample.labels]
    assert len(set(shown)) == len(shown) == len(scene.CLASSES)


def test_names_and_titles_are_unique_and_credits_are_given() -> None:
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)
    assert len({sample.title for sample in SAMPLES}) == len(SAMPLES)
    assert all(sample.credit for sample in SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_loads_as_rgb(sample: Sample) -> None:
    image = sample.load()
    assert image.mode == "RGB"
    assert min(image.size) >= 128


@pytest.mark.parametrize("sample", SCENES, ids=lambda sample: sample.name)
def test_a_scene_knows_where_its_objects_are(sample: Sample) -> None:
    masks = sample.truths()
    assert len(masks) == len(sample.labels)
    assert all(mask.shape == (128, 128) and 100 < mask.sum() < 128 * 128 / 2 for mask in masks)
    truth = sample.truth()
    assert truth is not None
    np.testing.assert_array_equal(truth, masks[0])
    for label, mask in zip(sample.labels, masks, strict=True):
        found = sample.truth(scene.CLASSES[label])
        assert found is not None
        np.testing.assert_array_equal(found, mask)


def test_an_object_that_a_scene_does_not_show_is_nowhere() -> None:
    assert get("scene-star").truth("ring") is None
    assert get("scene-star").truth("tench") is None


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "astronaut"])
def test_the_photographs_are_those_of_scikit_image(name: str) -> None:
    sample = get(name)
    np.testing.assert_array_equal(np.asarray(sample.load()), getattr(data, name)())
    assert sample.truth() is None


@pytest.mark.slow
def test_samples_come_without_scikit_images_downloader_and_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(PHOTOGRAPHS) == 4
    for sample in SAMPLES:
        sample.load()
    asked = "from decam.images import samples; import sys; print('skimage' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout.strip() == "False"


def test_an_unknown_sample_is_refused_with_those_there_are() -> None:
    with pytest.raises(ImageError, match=r"'dog'.*chelsea"):
        get("dog")


@pytest.mark.parametrize("sample", SCENES, ids=lambda sample: sample.name)
def test_the_embedded_model_recognises_an_object_of_every_scene(sample: Sample, embedded: TorchClassifier) -> None:
    image = to_tensor(embedded, embedded.view(sample.load()))
    assert int(probabilities(embedded, image[None]).argmax()) in sample.labels
