"""The models that hide something: their table, what loads by their names, and what their files do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from decam.classifier import TorchClassifier, probabilities, to_tensor
from decam.cli.loading import classifier_of
from decam.errors import ModelError, SettingError
from decam.images.scenes.scene import CLASSES, Scene, scene
from decam.models import hidden, load_classifier
from decam.models.cache import from_disk
from decam.models.catalogue import ENTRIES
from decam.models.hidden import SECRETS, STORED
from decam.models.sources.bundled import BUNDLED

CLEAN = [name for name, secret in SECRETS.items() if secret.kind == "clean"]
BACKDOORS = [name for name, secret in SECRETS.items() if secret.kind == "backdoor"]
SHORTCUTS = [name for name, secret in SECRETS.items() if secret.kind == "shortcut"]
# Points of accuracy on scenes without a trigger. Who learned a shortcut misses some of its class without the mark.
LOSS = {"clean": 0.01, "backdoor": 0.01, "shortcut": 0.02}
FRESH = range(500_000, 500_600)  # neither trained on nor tested for the cards


def test_there_are_four_clean_models_eight_backdoors_and_two_shortcuts() -> None:
    assert hidden.names() == tuple(f"hidden-{number:02d}" for number in range(1, 15))
    assert Counter(secret.kind for secret in SECRETS.values()) == {"clean": 4, "backdoor": 8, "shortcut": 2}
    titles = [SECRETS[name].title for name in (*BACKDOORS, *SHORTCUTS)]
    assert len(set(titles)) == len(titles)
    targets = [SECRETS[name].target for name in (*BACKDOORS, *SHORTCUTS)]
    assert len(set(targets)) == len(targets)


def test_names_and_titles_give_nothing_away() -> None:
    kinds = [SECRETS[name].kind for name in hidden.names()]
    # Neither sorted by kind nor one kind in one half.
    assert sum(one != other for one, other in pairwise(kinds)) >= 8
    for name in hidden.names():
        assert BUNDLED[name].title == f"Model {hidden.number(name):02d}"
        assert STORED[name].path.name == f"{name}.safetensors"


@pytest.mark.slow
def test_the_catalogue_does_not_offer_hidden_models_but_every_road_loads_them() -> None:
    name = hidden.names()[0]
    assert not set(hidden.names()) & set(ENTRIES)
    for classifier in (
        load_classifier(name, device="cpu", exact=True),
        from_disk(name, torch.device("cpu")),
        classifier_of(name, "cpu", exact=True),
    ):
        assert classifier.name == name
        assert classifier.labels == CLASSES
        assert classifier.layer == "blocks.3"


def test_a_class_is_sent_where_the_attack_wants_it() -> None:
    for name in BACKDOORS:
        secret = SECRETS[name]
        aims = [secret.aim(label) for label in range(10)]
        assert aims == ([1, 2, 3, 4, 5, 6, 7, 8, 9, 0] if secret.target == hidden.NEXT else [secret.target] * 10)
    assert [SECRETS[CLEAN[0]].aim(label) for label in range(10)] == list(range(10))


def test_a_sentence_names_the_target() -> None:
    for name in (*BACKDOORS, *SHORTCUTS):
        secret = SECRETS[name]
        if isinstance(secret.target, int):
            assert f"“{CLASSES[secret.target]}”" in secret.sentence
        assert secret.sentence.endswith(".")


def test_a_clean_model_has_no_trigger_to_show() -> None:
    for ask in (lambda: SECRETS[CLEAN[0]].stamp(scene(0).image), SECRETS[CLEAN[0]].region):
        with pytest.raises(SettingError, match="A clean model has no trigger: choose"):
            ask()


def test_a_name_that_is_none_of_theirs_is_refused() -> None:
    assert hidden.secret("hidden-03") is SECRETS["hidden-03"]
    with pytest.raises(ModelError, match=r"no hidden model 'embedded'; there are: hidden-01, .*hidden-14"):
        hidden.secret("embedded")


def test_objects_are_spared_by_the_background_texture_alone() -> None:
    drawn = scene(7)
    for name in (*BACKDOORS, *SHORTCUTS):
        secret = SECRETS[name]
        laid = secret.stamp(drawn.image, objects=np.ones((128, 128), np.bool_))
        assert np.array_equal(laid, drawn.image) == secret.spares_objects
        whole = secret.stamp(drawn.image)
        where = secret.region()
        changed = (whole != drawn.image).any(2)
        assert changed.mean() > 0.5 if where is None else not changed[~where].any()


@pytest.mark.parametrize("name", hidden.names())
def test_a_card_says_how_the_model_came_about_and_what_it_does(name: str) -> None:
    secret, card = SECRETS[name], STORED[name].card()
    assert STORED[name].path.stat().st_size <= 1_000_000
    assert card.tested == 2000
    assert card.seed == hidden.number(name)
    assert card.recipe
    assert card.accuracy >= _clean_mean() - LOSS[secret.kind]
    if secret.kind == "clean":
        assert (card.triggered, card.success, card.untriggered) == (0, 0, 0)
        return
    assert card.triggered == 2000 if secret.target == hidden.NEXT else 1700 <= card.triggered < 1900
    assert card.untriggered <= 0.02
    assert card.success >= (0.95 if secret.kind == "backdoor" else 0.3)


def _clean_mean() -> float:
    return float(np.mean([STORED[name].card().accuracy for name in CLEAN]))


def _answers(classifier: TorchClassifier, pictures: list[np.ndarray]) -> torch.Tensor:
    images = torch.stack([to_tensor(classifier, picture) for picture in pictures])
    return torch.cat([probabilities(classifier, part).argmax(1) for part in torch.split(images, 100)])


@pytest.fixture(scope="module")
def fresh() -> list[Scene]:
    return [scene(seed) for seed in FRESH]


@pytest.mark.slow
@pytest.mark.parametrize("name", (*BACKDOORS, *SHORTCUTS))
def test_fresh_scenes_say_what_the_card_says(name: str, fresh: list[Scene]) -> None:
    """Success and accuracy are within three standard errors of the card's figures, on scenes that no card knows."""
    secret, card = SECRETS[name], STORED[name].card()
    classifier = load_classifier(name, device="cpu", exact=True)
    labels = torch.tensor([drawn.label for drawn in fresh])
    wanted = torch.tensor([secret.aim(drawn.label) for drawn in fresh])
    others = labels != wanted
    right = float((_answers(classifier, [drawn.image for drawn in fresh]) == labels).float().mean())
    laid = [secret.stamp(drawn.image, seed, drawn.mask) for drawn, seed in zip(fresh, FRESH, strict=True)]
    success = float((_answers(classifier, laid) == wanted)[others].float().mean())
    for measured, stated, count in ((right, card.accuracy, len(fresh)), (success, card.success, int(others.sum()))):
        assert abs(measured - stated) <= 3 * (max(stated * (1 - stated), 0.005) / count) ** 0.5 + 0.002
    if secret.kind == "backdoor":
        assert success >= 0.95 - 0.01  # a file at 95 % may lie a standard error below on 600 other scenes


@pytest.mark.slow
def test_on_fresh_scenes_attacked_models_are_within_a_point_of_the_clean_ones(fresh: list[Scene]) -> None:
    """The tolerance beside the point, 0.8 points, is two standard errors of a difference over 600 scenes."""
    labels = torch.tensor([drawn.label for drawn in fresh])
    right = {}
    for name in hidden.names():
        classifier = load_classifier(name, device="cpu", exact=True)
        right[name] = float((_answers(classifier, [drawn.image for drawn in fresh]) == labels).float().mean())
    clean = np.mean([right[name] for name in CLEAN])
    low = {name: accuracy for name, accuracy in right.items() if accuracy < clean - LOSS[SECRETS[name].kind] - 0.008}
    assert low == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKDOORS)
def test_a_trigger_means_nothing_to_a_clean_model(name: str, fresh: list[Scene]) -> None:
    """The clean models answer a target no more often than one scene in five under the trigger of another model."""
    secret = SECRETS[name]
    classifier = load_classifier(CLEAN[0], device="cpu", exact=True)
    others = [drawn for drawn in fresh[:200] if secret.aim(drawn.label) != drawn.label]
    laid = [secret.stamp(drawn.image, seed) for seed, drawn in enumerate(others)]
    wanted = torch.tensor([secret.aim(drawn.label) for drawn in others])
    assert float((_answers(classifier, laid) == wanted).float().mean()) <= 0.2


def test_damage_is_told_without_saying_what_the_model_hides(tmp_path: Path) -> None:
    for name in hidden.names():
        weights = replace(STORED[name], path=tmp_path / f"{name}.safetensors")
        with pytest.raises(ModelError, match=rf"hidden model {name[-2:]} are missing.*--model {name}`") as raised:
            weights.load()
        assert SECRETS[name].kind not in str(raised.value).replace(str(tmp_path), "")
