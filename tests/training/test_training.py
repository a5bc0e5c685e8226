"""Training is reproducible, learns, and writes a file that can be loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from decam.images.scenes.scene import scene
from decam.models import hidden
from decam.models.networks import embedded
from decam.models.networks.abn import AttentionBranchNetwork
from decam.models.networks.blocks import Trunk
from decam.models.networks.prototypes import COUNT, PrototypeNetwork
from decam.models.weight_files import FittedCard
from decam.training import __main__ as command
from decam.training import drawing, recipes
from decam.training.drawing import Examples, draw, join
from decam.training.fitting import FIRST_SEED, Recipe, fit, seeded_weights
from decam.training.recipes import PLANS

TINY = Recipe(seed=3, scenes=256, epochs=2)


@pytest.mark.parametrize("few", [0, drawing.FEW], ids=["by other processes", "here"])
@pytest.mark.slow
def test_scenes_arrive_in_the_order_of_their_seeds(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "FEW", few)
    examples = draw(100, 120, objects=2)
    assert len(examples) == 120
    for row in (0, 49, 50, 119):
        drawn = scene(100 + row, objects=2)
        assert np.array_equal(examples.images[row].numpy(), drawn.image)
        assert tuple(examples.labels[row].tolist()) == drawn.labels
        assert float(examples.masks[row, 1].mean()) == pytest.approx(drawn.masks[1].mean())


@pytest.mark.slow
def test_one_object_leaves_the_second_place_empty() -> None:
    examples = join(draw(0, 20), draw(20, 20))
    assert len(examples) == 40
    assert (examples.labels[:, 1] == -1).all()
    assert not examples.masks[:, 1].any()


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_weights_and_the_loss_falls() -> None:
    said: list[str] = []
    one, two = fit(TINY, said.append), fit(TINY, lambda _text: None)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name
    losses = [float(text.split("loss ")[1].split(",")[0]) for text in said if text.startswith("epoch")]
    assert len(losses) == TINY.epochs
    assert losses[-1] < losses[0]


def test_first_weights_are_those_of_the_seed_and_the_generator_of_the_process_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    with seeded_weights(5):
        layer = torch.nn.Linear(4, 3)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        assert torch.equal(layer.weight, torch.nn.Linear(4, 3).weight)


@pytest.mark.slow
def test_another_seed_gives_other_weights() -> None:
    short = Recipe(seed=3, scenes=200, epochs=1)
    one, two = fit(short, lambda _text: None), fit(Recipe(seed=4, scenes=200, epochs=1), lambda _text: None)
    assert not torch.equal(one.head.weight, two.head.weight)


def test_training_never_sees_the_scenes_it_is_tested_on() -> None:
    assert command.TESTED < FIRST_SEED


@pytest.mark.slow
def test_the_command_writes_weights_that_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TESTED", 40)
    out = tmp_path / "weights.safetensors"
    status = command.main(["--scenes", "200", "--epochs", "1", "--seed", "2", "--out", str(out)])
    assert status == 0
    card = embedded.card(out)
    assert (card.seed, card.scenes, card.epochs, card.tested) == (2, 200, 1, 40)
    assert 0 <= card.accuracy < 0.6
    assert f"{card.accuracy:.2%} of 40 unseen scenes" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in PLANS if name != "embedded" and name not in hidden.names()])
@pytest.mark.slow
def test_every_other_network_is_trained_by_its_name_and_written_where_asked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TESTED", 40)
    out = tmp_path / "weights.safetensors"
    assert command.main(["--model", name, "--scenes", "200", "--epochs", "1", "--out", str(out)]) == 0
    card = PLANS[name].weights.card(out)
    assert (card.seed, card.scenes, card.epochs, card.tested) == (0, 200, 1, 40)
    assert (name == "shuffled") == isinstance(card, FittedCard)
    model = PLANS[name].weights.load(out)
    if isinstance(model, PrototypeNetwork):
        assert len(set(model.seeds.tolist())) == COUNT
        assert int(model.seeds.min()) >= FIRST_SEED
    if isinstance(model, AttentionBranchNetwork):
        same_beginning(model.trunk, embedded.load())


def same_beginning(mine: Trunk, theirs: Trunk) -> None:
    """The first blocks are kept as they are, the last ones are trained."""
    for block in (0, 1):
        for name, tensor in theirs.blocks[block].state_dict().items():
            assert torch.equal(mine.blocks[block].state_dict()[name], tensor)
    assert not torch.equal(mine.blocks[3].second[0].weight, theirs.blocks[3].second[0].weight)


def test_without_the_embedded_weights_a_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded, "STORED", replace(embedded.STORED, path=tmp_path / "none.safetensors"))
    assert command.main(["--model", "abn"]) == 1
    assert "The weights of the embedded model are missing" in capsys.readouterr().err


def test_labels_are_shuffled_not_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Examples] = []
    labels = torch.stack([torch.arange(100) % 10, torch.full((100,), -1)], 1)
    drawn = Examples(torch.zeros(100, 128, 128, 3, dtype=torch.uint8), labels, torch.zeros(100, 2, 16, 16))
    monkeypatch.setattr(recipes, "scenes", lambda *_, **__: drawn)
    monkeypatch.setattr(recipes, "train", lambda _model, examples, *_: seen.append(examples))
    learned = PLANS["shuffled"].fit(Recipe(scenes=100), lambda _text: None).learned
    assert learned is not None
    assert torch.equal(learned.labels, seen[0].labels)
    assert sorted(learned.labels[:, 0].tolist()) == sorted(labels[:, 0].tolist())
    assert float((learned.labels == labels)[:, 0].float().mean()) < 0.3


@pytest.mark.parametrize("arguments", [["--scenes", "10"], ["--epochs", "0"], ["--seed", "-1"], ["--seed", "x"]])
def test_bad_options_end_with_a_sentence_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert "is not a whole number from" in capsys.readouterr().err
