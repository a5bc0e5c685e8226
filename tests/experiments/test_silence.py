"""A map of rounding or chance is told as such, by every method, and an ordinary map never is."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import decam
from decam.classifier import Classifier, Execution, TorchClassifier
from decam.explanation import Ledger
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.methods.controls.maps import FAMILY as CONTROLS
from decam.methods.support.silence import ROUNDING, silences
from decam.models.networks.small_vit import small_vit
from tests.methods.test_table import QUICK
from tests.tools.networks import small_classifier, small_module

QUESTIONING = [name for name, row in METHODS.items() if row.needs == {"output"}]
LOOKING = [
    name
    for name, row in METHODS.items()
    if row.needs and row.needs != {"output"} and row.family != CONTROLS and "attention" not in row.needs
]
ATTENDING = ("attention-rollout", "class-token", "legrad")
KNOWN_NETWORKS = {"attention-branch": "abn", "bilinear-attention": "bcnn", "prototypes": "prototypes"}
NOISE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
SUPERSCRIPTS = {letter: digit for digit, letter in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "-"}


def small(name: str) -> dict[str, int | float | str | bool]:
    return {**QUICK.get(name, {}), **({"budget": 200} if name == "de-cam" else {})}


def explained(classifier: Classifier, image: np.ndarray, method: str) -> decam.Explanation:
    return decam.explain(classifier, image, method, target=0, **small(method))


def numbers(note: str) -> tuple[float, float]:
    """The two numbers of a note, read back: how far the answer moved, and what is rounding."""
    found = re.search(r"by at most (\S+); up to (\S+) is rounding", note)
    assert found, note
    return _number(found[1]), _number(found[2])


def _number(text: str) -> float:
    if text == "0":
        return 0.0
    digit, _, power = text.rpartition("·")
    exponent = "".join(str(SUPERSCRIPTS[letter]) for letter in power.removeprefix("10"))
    return float(digit or 1) * 10.0 ** int(exponent)


def network(strength: float, *, size: int = 40) -> TorchClassifier:
    """An untrained network whose logits hang on the picture by this factor, and by nothing else."""
    module = small_module()
    with torch.no_grad():
        module[-1].weight.mul_(strength)
    return small_classifier("faint", module, size)


def jittery(spread: float) -> Classifier:
    """A black box whose answer is 0.3, give or take what float arithmetic or a draw adds."""
    generator = torch.Generator().manual_seed(0)

    def function(images: Tensor) -> Tensor:
        share = 0.3 + spread * (torch.rand(len(images), generator=generator) - 0.5)
        return torch.stack([share, 1 - share], 1)

    return decam.wrap(function, labels=["a", "b"], input_size=(40, 40))


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONING)
@pytest.mark.parametrize("spread", [0.0, 1e-6])
def test_a_black_box_whose_answer_never_changes_shows_no_evidence(name: str, spread: float) -> None:
    made = explained(jittery(spread), NOISE, name)
    assert made.silent
    if np.ptp(made.saliency) == 0:
        assert any("constant" in note for note in made.notes)
        return
    (note,) = (note for note in made.notes if "shows no evidence" in note)
    moved, size = numbers(note)
    assert moved <= 2.1 * spread + 1e-7 and moved <= size  # rounded up to one digit
    assert size == pytest.approx(1e-4 * 0.3 * 0.7 + 1e-6 * 0.3, rel=0.5)  # a logit's rounding, as a probability's


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONING)
def test_a_black_box_that_moves_a_little_more_than_rounding_is_believed(name: str) -> None:
    made = explained(jittery(1e-3), NOISE, name)
    assert not made.silent and not any("no evidence" in note for note in made.notes)


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("strength", [0.0, 1e-9])
def test_a_network_whose_logits_never_move_shows_no_evidence(name: str, strength: float) -> None:
    classifier = network(strength)
    made = explained(classifier, NOISE, name)
    assert made.silent
    told = [note for note in made.notes if "shows no evidence" in note]
    assert told or "constant" in made.notes[0] or "not finite" in made.notes[0]
    for note in told:
        moved, size = numbers(note)
        assert moved <= size == 1e-4 and "float32" in note


@pytest.mark.parametrize("name", LOOKING)
def test_the_same_network_at_full_strength_is_believed(name: str) -> None:
    made = explained(network(1.0), NOISE, name)
    assert not made.silent and not any("no evidence" in note for note in made.notes)


def test_the_slope_that_a_note_speaks_of_is_autograds() -> None:
    classifier = network(1e-6)
    image = torch.from_numpy(NOISE).permute(2, 0, 1).float().div(255).unsqueeze(0).requires_grad_()
    (slope,) = torch.autograd.grad(classifier.logits(classifier.normalise(image))[0, 0], image)
    right = float(slope.abs().sum())
    assert 0 < right < 1e-4
    for name in ("gradient", "grad-cam", "cam"):
        (note,) = (note for note in explained(classifier, NOISE, name).notes if "no evidence" in note)
        assert right <= numbers(note)[0] <= 2 * right + 1e-12  # rounded up to one digit


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTENDING)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_transformers_attention_is_no_evidence_where_its_answer_never_changes(name: str, strength: float) -> None:
    torch.manual_seed(0)
    module = small_vit()
    with torch.no_grad():
        for part in module.heads.parameters():
            part.copy_(torch.randn_like(part) * strength)
    classifier = TorchClassifier("vit", module, [str(n) for n in range(10)], input_size=(128, 128), attention=True)
    made = explained(classifier, scene(3).image, name)
    assert made.silent == (strength == 0)
    assert any("no evidence" in note or "constant" in note for note in made.notes) == made.silent


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN_NETWORKS)
def test_an_attention_network_that_is_deaf_is_told_so_and_the_trained_one_is_not(name: str) -> None:
    classifier = decam.load_classifier(KNOWN_NETWORKS[name], exact=True)
    assert not explained(classifier, scene(3).image, name).silent

    class Deaf(type(classifier.module)):  # type: ignore[misc]
        """The same network, whose logits are weighed by nothing."""

        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) * 0

    deaf = decam.load_classifier(KNOWN_NETWORKS[name], exact=True)
    deaf.module.__class__ = Deaf
    made = explained(deaf, scene(3).image, name)
    assert made.silent and any("no evidence" in note for note in made.notes)


class Stairs(nn.Module):
    """Logits near 10 that hang on the picture by less than one step of bfloat16, which is 1/16 there."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([[0.02, 10.0], [0.0, 10.0]]))
            self.layer.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        brightness = images.mean((1, 2, 3))
        answered: Tensor = self.layer(torch.stack([brightness, torch.ones_like(brightness)], 1))
        return answered


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONING)
def test_steps_of_bfloat16_are_rounding_in_bfloat16_and_evidence_in_float32(name: str) -> None:
    made = {}
    for precision in ("bfloat16", "float32"):
        execution = Execution(precision=precision, batch_size=8)
        classifier = TorchClassifier("stairs", Stairs(), ["a", "b"], input_size=(40, 40), execution=execution)
        made[precision] = explained(classifier, NOISE, name)
    assert made["bfloat16"].silent
    assert any("constant" in note or "rounding in bfloat16" in note for note in made["bfloat16"].notes)
    if name != "feature-permutation":  # keeps the mean, the only thing that this model sees
        assert not made["float32"].silent


@pytest.mark.slow
@pytest.mark.parametrize("colour", [(130, 130, 130), (0, 0, 0), (200, 30, 60)])
@pytest.mark.parametrize("name", [*QUESTIONING, *LOOKING])
def test_in_a_picture_of_one_colour_no_place_is_evidence(embedded: Classifier, name: str, colour) -> None:
    made = explained(embedded, np.full((128, 128, 3), colour, np.uint8), name)
    assert made.silent
    assert any("of one colour" in note or "constant" in note or "not finite" in note for note in made.notes)


@pytest.mark.parametrize("name", ["random", "centre", "edges", "untrained"])
def test_controls_know_nothing_by_design_and_are_not_reproached_for_it(name: str) -> None:
    assert not explained(network(0.0), NOISE, name).silent


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 22, 201])
@pytest.mark.parametrize("name", [*QUESTIONING, *LOOKING])
def test_ordinary_maps_are_not_silent(embedded: Classifier, name: str, seed: int) -> None:
    made = decam.explain(embedded, scene(seed).image, name, **small(name))
    assert not made.silent and not any("no evidence" in note or "one colour" in note for note in made.notes)


def test_a_class_held_for_nearly_impossible_is_believed_where_its_answer_moves_by_its_own_measure() -> None:
    picture = torch.rand(3, 8, 8)
    for lowest, highest, silent in ((1e-9, 5e-9, False), (1e-9, 1e-9 * (1 + 1e-5), True), (0.0, 0.0, True)):
        ledger = Ledger(lowest=lowest, highest=highest)
        assert bool(silences(ledger, "float32", picture)) is silent


@pytest.mark.parametrize("precision", list(ROUNDING))
def test_rounding_is_at_least_half_a_step_of_a_logit_of_ten(precision) -> None:
    step = torch.finfo(getattr(torch, precision)).eps * 8  # between 8 and 16
    assert step / 2 <= ROUNDING[precision] <= 200 * step


def test_a_method_that_asked_nothing_is_not_judged() -> None:
    assert silences(Ledger(), "float32", torch.rand(3, 8, 8)) == ()


def test_an_explanation_made_before_this_was_known_is_not_silent() -> None:
    made = explained(network(1.0), NOISE, "gradient")
    names = {field.name for field in dataclasses.fields(decam.Explanation)} - {"silent"}
    fields = {name: getattr(made, name) for name in names}
    assert decam.Explanation(**fields).silent is False
