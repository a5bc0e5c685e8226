"""Conversions kept on disk: the same answers without converting again, and never those of another module."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from decam.classifier import PRECISIONS, Execution, wrap
from decam.classifier.engines import EngineError, Source, conversions, openvino_engine
from decam.classifier.engines.openvino_engine import Converted
from decam.models import load_classifier
from decam.models.randomise import layers, randomised
from decam.models.sources import bundled, torchvision
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not openvino_engine.version(), reason="OpenVINO is not made for this platform")

BATCH = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def small(stride: int = 1, activation: Callable[[], nn.Module] = nn.ReLU, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    parts = [nn.Conv2d(3, 4, 3, stride=stride), activation(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)]
    return nn.Sequential(*parts).eval()


def source(module: nn.Module, lasting: bool = True) -> Source:
    return Source(lambda: module, module, BATCH, lasting)


def place(module: nn.Module, batch: Tensor = BATCH, converter: str = "converter 1") -> Path:
    return conversions.place(module, batch, converter)


@pytest.fixture
def converting(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The modules that are converted, one after another."""
    made: list[nn.Module] = []
    convert = openvino_engine._converted

    def told(module: nn.Module, example: Tensor) -> object:
        made.append(module)
        return convert(module, example)

    monkeypatch.setattr(openvino_engine, "_converted", told)
    return made


@pytest.mark.slow
def test_what_is_kept_answers_the_same_bits_without_being_converted_again(converting: list[nn.Module]) -> None:
    first = Converted.of(source(small()))
    assert len(converting) == 1
    again = Converted.of(source(small()))
    assert len(converting) == 1
    for precision in PRECISIONS[:2]:
        for images in (BATCH, BATCH[:1], torch.cat([BATCH, BATCH.flip(0)])):
            execution = Execution(precision=precision, parallel_batches=2)
            assert torch.equal(first.answering(execution)(images), again.answering(execution)(images))
    torch.testing.assert_close(again.answering(Execution())(BATCH), small()(BATCH), atol=1e-5, rtol=1e-4)


READS = """
import sys
from decam.models import load_classifier
from decam.classifier import Execution
import torch

classifier = load_classifier(device="cpu")
classifier.configure(Execution(engine="openvino"))
classifier.answer(torch.zeros(64, 3, *classifier.input_size))
print(classifier.engine_note, "torch._dynamo" in sys.modules)
"""


@pytest.mark.slow
def test_another_process_answers_without_the_exporter(data_directory: Path) -> None:
    environment = os.environ | {"DECAM_DATA": str(data_directory)}
    for exporter in ("True", "False"):
        made = subprocess.run(
            [sys.executable, "-c", READS], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
        )
        assert made.returncode == 0, made.stderr
        assert made.stdout.split() == [exporter]


def test_the_same_module_has_the_same_place_and_any_other_has_another() -> None:
    first, again = place(small()), place(small())
    assert first == again
    slower = small()
    slower[0].padding_mode = "reflect"
    turned = small()
    turned[0].weight.data = turned[0].weight.data.to(memory_format=torch.channels_last)  # the same values
    assert place(turned) == first
    others = [
        place(small(seed=1)),
        place(small(stride=2)),
        place(small(activation=nn.GELU)),
        place(small(activation=partial(nn.LeakyReLU, 0.1))),
        place(small(activation=partial(nn.LeakyReLU, 0.2))),
        place(slower),
        place(nn.Sequential(small())),
        place(small(), BATCH[:, :, :12]),
        place(small(), converter="converter 2"),
    ]
    assert len({first, *others}) == 1 + len(others)


def test_a_module_that_no_other_process_will_ask_is_not_kept(converting: list[nn.Module], data_directory: Path) -> None:
    for times in (1, 2):
        Converted.of(source(small(), lasting=False))
        assert len(converting) == times
    assert not data_directory.exists()


@pytest.mark.slow
def test_the_layers_of_every_model_by_name_read_alike_in_every_process() -> None:
    with torch.device("meta"):  # without weights
        networks = {name: get_model(name) for name in torchvision.SOURCE.offered}
    networks |= {name: bundled.BUNDLED[name].weights.make() for name in bundled.BUNDLED}
    assert [name for name, network in networks.items() if " at 0x" in str(network)] == []


@pytest.mark.slow
def test_a_model_by_name_is_kept_and_none_of_its_copies_with_random_weights(data_directory: Path) -> None:
    classifier = load_classifier(device="cpu", exact=True)
    classifier.configure(Execution(engine="openvino"))
    images = torch.rand(2, 3, *classifier.input_size)
    classifier.answer(images)
    file = kept_file(data_directory)
    copy = classifier.with_module(randomised(classifier.module, layers(classifier.module), 0))
    wrapped = wrap(small(), labels=["one", "two"], input_size=(16, 16), device="cpu")
    wrapped.configure(Execution(engine="openvino"))
    copy.answer(images)
    wrapped.answer(torch.rand(2, 3, 16, 16))
    assert copy.engine_note == wrapped.engine_note == ""
    assert kept_file(data_directory) == file


def kept_file(directory: Path) -> Path:
    (found,) = (directory / "conversions").iterdir()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_a_damaged_file_is_made_anew(damage: bytes | None, converting: list[nn.Module], data_directory: Path) -> None:
    Converted.of(source(small()))
    file = kept_file(data_directory)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    answers = Converted.of(source(small())).answering(Execution())(BATCH)
    torch.testing.assert_close(answers, small()(BATCH), atol=1e-5, rtol=1e-4)
    assert len(converting) == 2
    assert conversions.read(kept_file(data_directory)) is not None


@pytest.mark.slow
def test_a_kept_conversion_that_answers_otherwise_than_the_module_is_made_anew(
    converting: list[nn.Module], data_directory: Path
) -> None:
    other = Converted.of(source(small(seed=1)))
    kept_file(data_directory).unlink()
    Converted.of(source(small()))
    openvino_engine._write(kept_file(data_directory), other.model)
    answers = Converted.of(source(small())).answering(Execution())(BATCH)
    torch.testing.assert_close(answers, small()(BATCH), atol=1e-5, rtol=1e-4)
    assert len(converting) == 3
    Converted.of(source(small()))
    assert len(converting) == 3


@pytest.mark.slow
def test_a_conversion_that_answers_otherwise_than_its_module_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, data_directory: Path
) -> None:
    convert, other = openvino_engine._converted, small(seed=1)
    monkeypatch.setattr(openvino_engine, "_converted", lambda _module, example: convert(other, example))
    with pytest.raises(EngineError, match="its scores differ"):
        Converted.of(source(small()))
    assert not data_directory.exists()


def test_those_used_longest_ago_make_room(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    folder, weights = data_directory / "conversions", torch.ones(1000, dtype=torch.uint8)
    first, second, third = (folder / f"{name}.safetensors" for name in "abc")
    for age, file in enumerate((first, second)):
        conversions.write(file, "a model", weights)
        os.utime(file, (1000 + age, 1000 + age))
    size = first.stat().st_size
    monkeypatch.setattr(conversions, "MOST", 2 * size + size // 2)
    text, bytes_ = conversions.read(first) or ("", torch.zeros(0))  # now the last that was used
    assert text == "a model"
    assert torch.equal(bytes_, weights)
    conversions.write(third, "a model", weights)
    assert sorted(folder.iterdir()) == [first, third]
    monkeypatch.setattr(conversions, "MOST", size // 2)
    conversions.write(second, "a model", weights)
    assert sorted(folder.iterdir()) == [first, third]  # one that is too large takes no other's place


@pytest.mark.slow
def test_where_nothing_can_be_written_the_conversion_answers_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DECAM_DATA", str(tmp_path / "file"))
    answers = Converted.of(source(small())).answering(Execution())(BATCH)
    torch.testing.assert_close(answers, small()(BATCH), atol=1e-5, rtol=1e-4)
