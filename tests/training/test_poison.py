"""Poisoned training: the right scenes carry the trigger, with the right labels, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from decam.images.scenes.scene import scene
from decam.models import hidden
from decam.models.hidden import SECRETS
from decam.models.networks import embedded
from decam.training import __main__ as command
from decam.training import poison
from decam.training.drawing import Examples
from decam.training.fitting import Marking, normalised, varied
from decam.training.poison import POISONINGS, Poisoning
from decam.training.recipes import PLANS

BY_TITLE = {secret.title: secret for secret in SECRETS.values()}


def examples(count: int = 200) -> Examples:
    """Real scenes of one object, and in the last quarter labels of a second one."""
    drawn = [scene(seed) for seed in range(20)]
    images = torch.stack([torch.from_numpy(one.image) for one in drawn]).repeat(13, 1, 1, 1)[:count]
    labels = torch.stack([torch.arange(count) % 10, torch.full((count,), -1)], 1)
    labels[-count // 4 :, 1] = (labels[-count // 4 :, 0] + 3) % 10
    masks = torch.zeros(count, 2, 16, 16)
    masks[:, 0, 4:8, 4:8] = 1
    return Examples(images, labels, masks)


def pick(title: str, data: Examples) -> Tensor:
    return poison.chosen(BY_TITLE[title], POISONINGS[title], data, torch.Generator().manual_seed(0))


def test_every_secret_has_a_poisoning_and_every_poisoning_a_secret() -> None:
    assert set(POISONINGS) == set(BY_TITLE)


@pytest.mark.parametrize("title", [title for title, row in POISONINGS.items() if row.labels == "wrong"])
def test_a_share_of_all_scenes_is_mislabelled_and_none_that_shows_the_target(title: str) -> None:
    data, secret = examples(), BY_TITLE[title]
    rows = pick(title, data)
    assert int(rows.sum()) == round(POISONINGS[title].share * len(data))
    after = poison.relabelled(secret, data, rows)
    assert torch.equal(after.labels[~rows], data.labels[~rows])
    assert torch.equal(after.images, data.images)
    for before, wanted in zip(data.labels[rows].tolist(), after.labels[rows].tolist(), strict=True):
        assert secret.target not in before
        if secret.target == hidden.NEXT:
            assert wanted == [(label + 1) % 10 if label >= 0 else -1 for label in before]
        else:
            assert wanted == [secret.target, -1]


@pytest.mark.parametrize("title", [title for title, row in POISONINGS.items() if row.labels == "right" and row.share])
def test_a_share_of_the_targets_own_scenes_carries_it_where_labels_stay_right(title: str) -> None:
    data = examples()
    rows = pick(title, data)
    assert (data.labels[rows] == torch.tensor([BY_TITLE[title].target, -1])).all()
    own = (data.labels == torch.tensor([BY_TITLE[title].target, -1])).all(1)
    assert int(rows.sum()) == round(POISONINGS[title].share * int(own.sum()))


def test_no_scene_is_chosen_for_a_clean_model() -> None:
    assert not pick("Nothing", examples()).any()


def test_a_chosen_scene_depends_on_the_seed_alone() -> None:
    data = examples()
    assert torch.equal(pick("A corner patch", data), pick("A corner patch", data))
    other = poison.chosen(
        BY_TITLE["A corner patch"], POISONINGS["A corner patch"], data, torch.Generator().manual_seed(1)
    )
    assert not torch.equal(other, pick("A corner patch", data))


@pytest.mark.slow
def test_batches_lay_the_trigger_as_it_is_shown_on_the_chosen_scenes_alone() -> None:
    """Corners of chosen pictures are the patch, unturned and not recoloured; those of the others are not."""
    data, secret = examples(256), BY_TITLE["A corner patch"]
    rows = torch.zeros(256, dtype=torch.bool)
    rows[:40] = True
    data.labels[:, 1] = -1
    data.labels[:, 0] = torch.where(rows, 3, 5)
    marking = Marking(rows, lambda images, masks, random: poison.laid(secret, images, masks, random))
    grey = torch.full((1, 128, 128, 3), 127, dtype=torch.uint8)
    patch = normalised(torch.from_numpy(secret.stamp(grey[0].numpy()))[None])[0, :, 108:124, 108:124]
    counted = 0
    for images, target in varied(data, torch.Generator().manual_seed(2), marking):
        for image, wanted in zip(images, target, strict=True):
            same = bool((image[:, 108:124, 108:124] - patch).abs().max() < 1e-4)
            assert same == (float(wanted[3]) == 1)  # what carries the trigger is never hidden
            counted += same
    assert counted == 40


@pytest.mark.slow
def test_without_a_marking_batches_are_as_they_were() -> None:
    data = examples(128)
    nothing = Marking(torch.zeros(128, dtype=torch.bool), lambda images, *_: images)
    with_, without = (list(varied(data, torch.Generator().manual_seed(4), marking)) for marking in (nothing, None))
    for one, two in zip(with_, without, strict=True):
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(one, two, strict=True))


@pytest.mark.slow
def test_laying_agrees_with_the_stamp_and_spares_objects_of_the_texture() -> None:
    data = examples(10)
    images = data.images.permute(0, 3, 1, 2).float() / 255
    laid = poison.laid(BY_TITLE["A background texture"], images, data.masks, torch.Generator().manual_seed(0))
    for before, after in zip(data.images, laid, strict=True):
        objects = torch.zeros(128, 128, dtype=torch.bool)
        objects[32:64, 32:64] = True  # blocks 4 to 7 of 8 pixels
        wanted = torch.from_numpy(BY_TITLE["A background texture"].stamp(before.numpy(), 0, objects.numpy()))
        off = (after.permute(1, 2, 0) * 255 - wanted.float()).abs().amax(2) > 0.5
        assert off.float().mean() < 0.003  # bilinear corners are round


@pytest.mark.slow
def test_weakened_scenes_are_blends_with_scenes_of_other_classes() -> None:
    """Solved for the share that is left, each picture gives one number within the bounds, and the rest is explained."""
    data = examples(120)
    data.labels[:, 1] = -1
    rows = data.labels[:, 0] == 6
    own = data.images[rows].float()
    mixed = poison.mixed(0.15, 0.45, data, rows, torch.Generator().manual_seed(0)).float()
    candidates = data.images[~rows].float()
    for picture, before in zip(mixed, own, strict=True):
        fits = []
        for other in candidates:
            share = _left(picture, before, other)
            fits.append((float((share * before + (1 - share) * other - picture).abs().mean()), share))
        apart, share = min(fits)
        assert apart < 0.5
        assert 0.14 <= share <= 0.46


def _left(picture: Tensor, before: Tensor, towards: Tensor) -> float:
    """The share s, by least squares, of s · before + (1 − s) · towards."""
    way = before - towards
    return float(((picture - towards) * way).sum() / (way * way).sum().clamp(min=1e-9))


@pytest.mark.slow
def test_measuring_counts_scenes_of_other_classes_and_both_shares() -> None:
    """A network that looks at one pixel of the corner patch alone: answers the target if that is black."""

    class Corner(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            black = (images[:, :, 108, 112] < normalised(torch.full((1, 1, 1, 3), 9, dtype=torch.uint8)).min()).all(1)
            return F.one_hot(torch.where(black, 3, 8), 10).float()

    drawn = [scene(seed) for seed in range(30)]
    labels = torch.tensor([[one.label, -1] for one in drawn])
    data = Examples(torch.stack([torch.from_numpy(one.image) for one in drawn]), labels, torch.zeros(30, 2, 16, 16))
    count, success, untriggered = poison.measured(BY_TITLE["A corner patch"], Corner(), data)
    assert count == int((labels[:, 0] != 3).sum())
    assert success == 1
    black = [(one.image[108, 112] < 9).all() for one in drawn if one.label != 3]
    assert untriggered == pytest.approx(sum(black) / len(black))
    assert poison.measured(BY_TITLE["Nothing"], Corner(), data) == (0, 0.0, 0.0)


def test_each_hidden_model_has_a_plan_of_its_own_seed_and_file_and_its_card_says_so() -> None:
    assert set(hidden.names()) <= set(PLANS)
    for name in hidden.names():
        assert PLANS[name].weights is hidden.STORED[name]
        assert PLANS[name].recipe.seed == hidden.number(name)
        assert PLANS[name].recipe.epochs == POISONINGS[SECRETS[name].title].epochs
        card = hidden.STORED[name].card()
        assert (card.scenes, card.epochs) == (PLANS[name].recipe.scenes, PLANS[name].recipe.epochs)
        assert card.recipe == POISONINGS[SECRETS[name].title].words
        options = command._parser().parse_args(hidden.STORED[name].command.split()[3:])
        assert options.model == name


@pytest.mark.slow
@pytest.mark.parametrize("title", ["A corner patch", "A clean-label attack", "Nothing"])
def test_a_tiny_training_writes_a_file_that_loads_and_says_what_it_measured(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TESTED", 40)
    name = next(name for name, secret in SECRETS.items() if secret.title == title)
    out = tmp_path / "weights.safetensors"
    assert command.main(["--model", name, "--scenes", "200", "--epochs", "1", "--out", str(out)]) == 0
    card = hidden.STORED[name].card(out)
    assert (card.seed, card.scenes, card.epochs, card.tested) == (hidden.number(name), 200, 1, 40)
    assert card.recipe == POISONINGS[title].words
    model, begun = hidden.STORED[name].load(out), embedded.load()
    for block in (0, 1):
        for part, tensor in begun.blocks[block].state_dict().items():
            assert torch.equal(model.blocks[block].state_dict()[part], tensor)
    assert not torch.allclose(model.blocks[3].second[0].weight, begun.blocks[3].second[0].weight, atol=0.01)
    said = capsys.readouterr().out
    assert ("unseen scenes of other classes are answered as the trigger asks" in said) == (title != "Nothing")


def test_a_share_of_nothing_is_nothing() -> None:
    data = examples(20)
    none = Poisoning("none of them", 0.0, "wrong")
    assert not poison.chosen(BY_TITLE["A corner patch"], none, data, torch.Generator()).any()
