"""Torchvision's classifiers: seen as torchvision sees, loaded as torchvision loads, layers that are pictures."""

from __future__ import annotations

import copy
import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

from decam.classifier import Execution, TorchClassifier, probabilities, to_tensor
from decam.classifier.layers import candidates
from decam.errors import ModelError
from decam.experiments.questions import ModelSpec
from decam.experiments.variants import models_by
from decam.images.samples import get
from decam.models import catalogue, load_classifier
from decam.models.catalogue import ENTRIES
from decam.models.sources import torchvision as torchvision_source

NAMES = [name for name, entry in ENTRIES.items() if entry.source == "torchvision"]
DEFAULTS = {
    "squeezenet1_0": ("features.12", (1, 512, 13, 13)),
    "mobilenet_v3_large": ("features.16", (1, 960, 7, 7)),
    "resnet18": ("layer4.1", (1, 512, 7, 7)),
    "resnet50": ("layer4.2", (1, 2048, 7, 7)),
    "efficientnet_b0": ("features.8", (1, 1280, 7, 7)),
    "densenet121": ("features.norm5", (1, 1024, 7, 7)),
    "vgg16": ("features.29", (1, 512, 14, 14)),
    "convnext_tiny": ("features.7.2", (1, 768, 7, 7)),
    "vit_b_16": ("encoder.layers.encoder_layer_11.ln_1", (1, 197, 768)),
    "swin_t": ("norm", (1, 7, 7, 768)),
}


def picture(width: int, height: int) -> Image.Image:
    """Noise at two scales, different in every corner."""
    generator = np.random.default_rng(width * 1000 + height)
    coarse = Image.fromarray(generator.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((width, height))
    fine = generator.integers(-20, 21, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + fine, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_what_torchvisions_transforms_do_before_the_tensor(name: str) -> None:
    preset = get_model_weights(name).DEFAULT.transforms()
    view = torchvision_source.view(preset)
    for size in ((224, 224), (451, 300), (299, 640), (101, 1010), (64, 48), (8, 9)):
        image = picture(*size)
        pixels = np.asarray(view(image))
        seen = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div(255)
        mean, std = torch.tensor(preset.mean).view(3, 1, 1), torch.tensor(preset.std).view(3, 1, 1)
        torch.testing.assert_close((seen - mean) / std, preset(image), rtol=0, atol=1e-6)


def test_view_tensor_and_normalise_together_are_torchvisions_transforms(squeezenet: TorchClassifier) -> None:
    preset = get_model_weights("squeezenet1_0").DEFAULT.transforms()
    for name in ("chelsea", "rocket"):
        image = get(name).load()
        ours = squeezenet.normalise(to_tensor(squeezenet, squeezenet.view(image))[None])[0]
        torch.testing.assert_close(ours, preset(image), rtol=0, atol=1e-6)


def outputs(module: nn.Module, names: list[str], image: Tensor) -> dict[str, tuple[int, ...]]:
    """The shapes that layers give for a real forward; on a copy, for other tests use the module too."""
    shapes: dict[str, tuple[int, ...]] = {}
    copied = copy.deepcopy(module)
    for name in names:
        copied.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: shapes.__setitem__(name, tuple(output.shape))
        )
    with torch.inference_mode():
        copied(image)
    return shapes


def is_picture(shape: tuple[int, ...]) -> bool:
    """N×C×H×W, N×H×W×C, or tokens of a square grid with or without a class token."""
    if len(shape) == 4:
        return (shape[2] == shape[3] >= 2) or (shape[1] == shape[2] >= 2)
    return len(shape) == 3 and any(math.isqrt(count) ** 2 == count >= 4 for count in (shape[1], shape[1] - 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_layer_offered_gives_a_picture_and_the_default_is_the_last_before_pooling(name: str) -> None:
    classifier = torchvision_source.untrained(name)
    layer, shape = DEFAULTS[name]
    assert classifier.layer == layer
    assert classifier.layer in classifier.layers
    assert len(set(classifier.layers)) == len(classifier.layers) >= 10
    shapes = outputs(classifier.module, list(classifier.layers), torch.zeros(1, 3, 224, 224))
    assert shapes[layer] == shape
    assert list(shapes) == list(classifier.layers)
    assert all(is_picture(found) for found in shapes.values())


def test_the_embedded_models_layers_are_pictures_too(embedded: TorchClassifier) -> None:
    shapes = outputs(embedded.module, list(embedded.layers), torch.zeros(1, 3, *embedded.input_size))
    assert embedded.layer in shapes
    assert all(is_picture(found) for found in shapes.values())


def test_looking_for_layers_leaves_no_hook_behind() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
    assert candidates(module, (8, 8)) == ("0", "1")
    assert all(not part._forward_hooks for part in module.modules())


def stored(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Random weights of a network, saved where its real ones belong; returns the network itself."""
    monkeypatch.setenv("TORCH_HOME", str(folder))
    torch.manual_seed(0)
    module = get_model(name).eval()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):  # away from the values that a fresh network has
                part.running_mean.uniform_(-0.2, 0.2)  # type: ignore[union-attr]  # always there in these networks
                part.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]  # always there in these networks
    path = ENTRIES[name].weights_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    state = module.state_dict()
    if name == "densenet121":  # its real file has names from before names could hold no dots
        for part in ("norm", "conv"):
            state = {
                key.replace(f"{part}1.", f"{part}.1.").replace(f"{part}2.", f"{part}.2.")
                if "denselayer" in key
                else key: t
                for key, t in state.items()
            }
    if name == "resnet18":  # older files hold no counters of batches
        state = {key: tensor for key, tensor in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(dict(state), path)
    return module


@pytest.mark.parametrize("name", ["mobilenet_v3_large", "resnet18", "densenet121", "swin_t"])
@pytest.mark.slow
def test_weights_on_disk_are_loaded_as_torchvision_means_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = stored(name, tmp_path, monkeypatch)
    classifier = load_classifier(name, device="cpu", exact=True, download=False)
    assert not any(part.is_meta for part in (*classifier.module.parameters(), *classifier.module.buffers()))
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = torch.softmax(module(image), dim=1)
    torch.testing.assert_close(classifier.answer(image), expected, rtol=1e-4, atol=1e-6)


def test_loading_leaves_the_global_random_numbers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("squeezenet1_0", tmp_path, monkeypatch)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_classifier("squeezenet1_0", device="cpu", exact=True)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


@pytest.mark.slow
def test_exact_means_float32_in_the_plain_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("squeezenet1_0", tmp_path, monkeypatch)
    assert load_classifier("squeezenet1_0", device="cpu", exact=True).execution == Execution()


def test_labels_are_torchvisions(squeezenet: TorchClassifier) -> None:
    assert squeezenet.labels == tuple(get_model_weights("squeezenet1_0").DEFAULT.meta["categories"])


@pytest.mark.slow
def test_the_real_weights_are_right_on_real_pictures(
    squeezenet: TorchClassifier, imagenet_pictures: tuple[Path, ...]
) -> None:
    right = 0
    for path in imagenet_pictures:
        with Image.open(path) as image:
            view = squeezenet.view(image.convert("RGB"))
        answer = probabilities(squeezenet, to_tensor(squeezenet, view)[None])
        right += int(answer.argmax()) == int(path.name.split("_")[0])
    assert right >= 24


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["empty", "half", "text", "list", "other", "tensor"])
def test_damaged_weights_are_one_sentence_that_names_the_file(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("squeezenet1_0", tmp_path, monkeypatch)
    path = ENTRIES["squeezenet1_0"].weights_path()
    whole = path.read_bytes()
    if damage in ("empty", "half", "text"):
        path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "text": b"not found"}[damage])
    else:
        content = {"list": [1, 2], "other": get_model("resnet18").state_dict(), "tensor": torch.zeros(3)}[damage]
        torch.save(content, path)
    with pytest.raises(ModelError) as caught:
        load_classifier("squeezenet1_0", device="cpu", download=False)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "damaged" in sentence
    assert "delete" in sentence
    assert "\n" not in sentence


def test_a_file_that_runs_code_when_unpickled_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "sprung"),)  # type: ignore[return-value]  # what pickle takes

    stored("squeezenet1_0", tmp_path, monkeypatch)
    torch.save({"weights": Trap()}, ENTRIES["squeezenet1_0"].weights_path())
    with pytest.raises(ModelError, match="damaged"):
        load_classifier("squeezenet1_0", device="cpu", download=False)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.slow
def test_other_weights_under_torchvisions_name_are_remarked_and_named_by_their_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("squeezenet1_0", tmp_path, monkeypatch)
    path = ENTRIES["squeezenet1_0"].weights_path()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    (note,) = load_classifier("squeezenet1_0", device="cpu", exact=True).notes
    assert note.startswith("The weights of SqueezeNet 1.0 here are not the file that torchvision publishes")
    assert path.name in note and f"begins with {found[:8]}." in note
    assert catalogue.digest("squeezenet1_0") == found
    spec = ModelSpec.of("squeezenet1_0")
    assert spec.sha256 == found
    models = models_by(lambda name: load_classifier(name, device="cpu", exact=True))
    assert models(spec).name == "squeezenet1_0"
    monkeypatch.setattr(torchvision_source, "published", lambda file: found[:8] if file == path.name else "0")
    assert load_classifier("squeezenet1_0", device="cpu", exact=True).notes == ()
    assert ModelSpec.of("squeezenet1_0").to_mapping() == {"name": "squeezenet1_0", "variant": None}


def test_a_plan_of_other_weights_is_not_answered_by_torchvisions_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("squeezenet1_0", tmp_path, monkeypatch)
    spec = ModelSpec.of("squeezenet1_0")
    monkeypatch.setattr(torchvision_source, "published", lambda _: "")  # as if the file were torchvision's own
    assert ModelSpec.of("squeezenet1_0").sha256 == ""
    models = models_by(lambda name: load_classifier(name, device="cpu", exact=True))
    with pytest.raises(ModelError, match=rf"is the one that its name says, instead of {spec.sha256[:12]}"):
        models(spec)
    assert models(ModelSpec.of("squeezenet1_0")).notes == ()
