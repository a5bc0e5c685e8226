"""Files that are no weights of a known network are refused in a sentence: what was wrong, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from decam.errors import ModelError
from decam.models import load_classifier
from tests.models.sources.written import answers_as, load, network, refusal, write


def test_a_file_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    assert "is not here; put it there" in refusal(tmp_path / "absent.pt")
    (tmp_path / "folder.pt").mkdir()
    assert "cannot be read" in refusal(tmp_path / "folder.pt")
    assert "is not here" in refusal("~nobody-of-that-name/absent.pt")


def test_a_typing_error_in_a_name_is_still_answered_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"no model 'resnet51'.*Did you mean 'resnet50'\?"):
        load_classifier("resnet51")
    with pytest.raises(ModelError, match="There is no model"):
        load_classifier("x" * 5000)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    path.write_bytes(b"anything")
    assert ".safetensors, .pt, .pth" in refusal(path)


@pytest.mark.parametrize("damage", ["empty", "half", "text"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_damaged_file_is_told(damage: str, suffix: str, tmp_path: Path) -> None:
    path = write(network().state_dict(), tmp_path / f"mine{suffix}")
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "text": b"not found"}[damage])
    assert "damaged" in refusal(path)


def test_a_pickled_module_is_refused_without_running_its_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "sprung"),)  # type: ignore[return-value]  # what pickle takes

    torch.save({"weights": Trap()}, tmp_path / "trap.pt")
    assert "Python objects, not a state dict" in refusal(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()
    torch.save(network(), tmp_path / "whole.pt")
    assert "torch.save(model.state_dict(), path)" in refusal(tmp_path / "whole.pt")


@pytest.mark.filterwarnings("ignore:.*TorchScript")
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_program_of_torchscript_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "program.pt")
    assert "not a state dict" in refusal(tmp_path / "program.pt")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "holds a list"),
        (torch.zeros(3), "holds a Tensor"),
        ({}, "it is empty"),
        ({"epoch": 3}, "'epoch' in it is a int, no tensor"),
        ({"state_dict": {3: torch.zeros(1)}}, "3 in it is a Tensor"),
    ],
)
def test_what_is_no_state_dict_is_refused_with_what_it_is(content: object, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    torch.save(content, path)
    assert reason in refusal(path)


@pytest.mark.slow
def test_an_unknown_network_is_refused_with_the_nearest(tmp_path: Path) -> None:
    state = dict(network("resnet18", 1000).state_dict())
    counted = [name for name in state if not name.endswith("num_batches_tracked")]
    del state["layer4.1.conv2.weight"]
    sentence = refusal(write(state, tmp_path / "less.pt"))
    assert f"nearest is ResNet-18, of whose {len(counted)} tensors {len(counted) - 1} fit" in sentence
    assert f"the file has {len(counted) - 1}" in sentence
    more = {**network("resnet18", 1000).state_dict(), "extra": torch.zeros(2)}
    assert f"{len(counted)} tensors {len(counted)} fit" in refusal(write(more, tmp_path / "more.pt"))
    strange = {"a.weight": torch.zeros(2, 2)}
    assert "0 fit by name and shape, and the file has 1" in refusal(write(strange, tmp_path / "strange.safetensors"))


@pytest.mark.slow
def test_another_form_of_a_tensor_is_told_with_the_one_expected(tmp_path: Path) -> None:
    state = dict(network(classes=7).state_dict())
    first = "features.0.weight"
    wrong = {**state, first: state[first][:, :1]}
    sentence = refusal(write(wrong, tmp_path / "grey.pt"))
    assert f"SqueezeNet 1.0 by name, but 1 of {len(state)}" in sentence
    assert f"{first} is 96×1×7×7, and 96×3×7×7 was expected" in sentence
    whole = {**state, first: torch.zeros(96, 3, 7, 7, dtype=torch.int8)}
    assert "96×3×7×7 of int8, and 96×3×7×7 was expected" in refusal(write(whole, tmp_path / "whole.pt"))
    uneven = {**state, "classifier.1.bias": torch.zeros(6)}
    assert "classifier.1.bias is 6, and 7 was expected" in refusal(write(uneven, tmp_path / "uneven.pt"))
    flat = {**state, "classifier.1.weight": torch.zeros(7)}
    assert "classifier.1.weight is 7, and" in refusal(write(flat, tmp_path / "flat.pt"))
    none = {**state, "classifier.1.weight": torch.zeros(0, 512, 1, 1), "classifier.1.bias": torch.zeros(0)}
    assert "classifier.1.weight is 0×512×1×1, and 1×512×1×1" in refusal(write(none, tmp_path / "none.pt"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused_with_their_count(value: float, tmp_path: Path) -> None:
    state = network().state_dict()
    state["classifier.1.bias"][2:4] = value
    sentence = refusal(write(state, tmp_path / "mine.safetensors"))
    assert sentence.startswith("2 of the 7 numbers of classifier.1.bias")
    assert "NaN or infinite" in sentence


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_floats_of_eight_bits_are_widened_before_they_are_checked(suffix: str, tmp_path: Path) -> None:
    narrow = {name: tensor.to(torch.float8_e4m3fn) for name, tensor in network().state_dict().items()}
    module = network()
    module.load_state_dict({name: tensor.float() for name, tensor in narrow.items()})
    answers_as(load(write(narrow, tmp_path / f"mine{suffix}")), module)
    bad = {**narrow, "classifier.1.bias": torch.full((7,), float("nan")).to(torch.float8_e4m3fn)}
    assert refusal(write(bad, tmp_path / f"bad{suffix}")).startswith("7 of the 7 numbers of classifier.1.bias")


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
def test_tensors_that_hold_no_plain_numbers_are_refused_with_what_to_do(tmp_path: Path) -> None:
    state = dict(network().state_dict())
    first = "features.0.weight"
    sparse = refusal(write({**state, first: state[first].to_sparse()}, tmp_path / "sparse.pt"))
    assert f"{first} in" in sparse and "is sparse, and a dense tensor was expected; turn it with" in sparse
    meta = refusal(write({**state, first: state[first].to("meta")}, tmp_path / "meta.pt"))
    assert "is on the meta device, without values" in meta and "load the weights into the model first" in meta
    four = torch.zeros(7, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)
    sentence = refusal(write({**state, "classifier.1.bias": four}, tmp_path / "four.pt"))
    assert "classifier.1.bias in" in sentence and "is of float4_e2m1fn_x2, which cannot be turned" in sentence
