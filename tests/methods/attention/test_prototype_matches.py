"""This looks like that: prototypes that count most, and the scenes that they are patches of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from decam.classifier import TorchClassifier, to_tensor
from decam.errors import MethodError, SettingError
from decam.explanation import Question
from decam.images.scenes.scene import CLASSES, scene
from decam.methods.attention.prototype_matches import Box, patch_of, this_looks_like_that
from decam.models import load_classifier
from decam.models.networks.prototypes import COUNT, EACH, PrototypeNetwork

SEED = 6_000_100


@pytest.fixture(scope="module")
def net() -> TorchClassifier:
    return load_classifier("prototypes", device="cpu", exact=True)


def asked(net: TorchClassifier, seed: int = SEED) -> Question:
    drawn = scene(seed)
    return Question(net, to_tensor(net, drawn.image), drawn.label)


def inside(box: Box) -> bool:
    return 0 <= box.top < box.bottom <= 128 and 0 <= box.left < box.right <= 128


@pytest.mark.slow
def test_all_prototypes_points_add_up_to_the_targets_logit_and_come_best_first(net: TorchClassifier) -> None:
    question = asked(net)
    looks = this_looks_like_that(question, COUNT)
    assert sorted(look.prototype for look in looks) == list(range(COUNT))
    points = [look.points for look in looks]
    assert points == sorted(points, reverse=True)
    logits = net.logits(net.normalise(question.image[None]))[0]
    assert sum(points) == pytest.approx(float(logits[question.target]), abs=1e-3)
    assert question.ledger.evaluations == 1


def test_a_likeness_names_its_class_its_place_and_the_pixels_there(net: TorchClassifier) -> None:
    question = asked(net)
    picture = scene(SEED).image
    looks = this_looks_like_that(question)
    assert len(looks) == EACH
    for look in looks:
        assert look.label == look.prototype // EACH and look.name == CLASSES[look.label]
        assert -1 <= look.similarity <= 1
        assert inside(look.box) and inside(look.patch.box)
        np.testing.assert_array_equal(
            look.picture, picture[look.box.top : look.box.bottom, look.box.left : look.box.right]
        )
        assert look.picture.shape == look.patch.picture.shape == (48, 48, 3)


@pytest.mark.slow
def test_a_scene_that_a_prototype_was_taken_from_looks_exactly_like_it(net: TorchClassifier) -> None:
    module = net.module
    assert isinstance(module, PrototypeNetwork)
    for prototype in (0, 13, 29):
        look = {
            found.prototype: found for found in this_looks_like_that(asked(net, int(module.seeds[prototype])), COUNT)
        }[prototype]
        assert look.similarity == pytest.approx(1, abs=0.01)
        assert look.box == look.patch.box
        np.testing.assert_array_equal(look.picture, look.patch.picture)


@pytest.mark.slow
def test_a_patch_is_drawn_again_from_its_scene_and_holds_its_place(net: TorchClassifier) -> None:
    module = net.module
    assert isinstance(module, PrototypeNetwork)
    for prototype in range(COUNT):
        patch = patch_of(module, prototype)
        drawn = scene(patch.seed)
        box = patch.box
        np.testing.assert_array_equal(patch.picture, drawn.image[box.top : box.bottom, box.left : box.right])
        assert drawn.label == prototype // EACH
        row, column = (int(value) * 16 + 8 for value in module.places[prototype])
        assert box.top <= row < box.bottom and box.left <= column < box.right


@pytest.mark.slow
def test_patches_show_their_object_more_often_than_chance(net: TorchClassifier) -> None:
    module = net.module
    assert isinstance(module, PrototypeNetwork)
    shown = 0
    for prototype in range(COUNT):
        patch = patch_of(module, prototype)
        box = patch.box
        shown += bool(scene(patch.seed).mask[box.top : box.bottom, box.left : box.right].mean() > 0.1)
    assert shown >= 12  # a place sees almost the whole picture, so it need not lie on the object


@pytest.mark.parametrize("count", [0, -1, COUNT + 1])
def test_a_count_that_does_not_exist_is_refused(count: int, net: TorchClassifier) -> None:
    with pytest.raises(SettingError, match=rf"ask for 1 to 30, not {count}"):
        this_looks_like_that(asked(net), count)


def test_a_model_without_prototypes_is_refused(embedded: TorchClassifier) -> None:
    question = Question(embedded, torch.zeros(3, 128, 128), 0)
    with pytest.raises(MethodError, match="Shapes demo has no prototypes; choose the Prototype network"):
        this_looks_like_that(question)
