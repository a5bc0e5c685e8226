"""Files of weights: recognised by their tensors, answering as the network that wrote them, known by their digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model_weights

from decam.cli import main
from decam.errors import ModelError
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.variants import models_by
from decam.images.scenes.scene import CLASSES
from decam.models import catalogue, load_classifier
from decam.models.cache import Models
from decam.models.catalogue import ENTRIES
from decam.models.sources.bundled import BUNDLED
from decam.models.sources.table import SOURCES
from decam.models.sources.torchvision import FACTS
from tests.models.sources.written import QUICK, State, answers_as, load, network, write


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".PTH"])
def test_a_file_of_weights_answers_as_the_network_that_wrote_it(suffix: str, tmp_path: Path) -> None:
    module = network()
    classifier = load(write(module.state_dict(), tmp_path / f"mine{suffix}"))
    answers_as(classifier, module)
    assert classifier.labels == tuple(f"class {place}" for place in range(7))
    assert classifier.name == str(tmp_path / f"mine{suffix}")
    assert not any(part.is_meta for part in (*classifier.module.parameters(), *classifier.module.buffers()))


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.slow
def test_every_network_of_torchvisions_is_recognised_with_any_number_of_classes(name: str, tmp_path: Path) -> None:
    module = network(name, 5)
    classifier = load(write(module.state_dict(), tmp_path / "mine.pt"))
    assert type(classifier.module) is type(module) and len(classifier.labels) == 5
    assert classifier.input_size == (224, 224)
    assert classifier.layer in classifier.layers
    answers_as(classifier, module)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_network_is_recognised(name: str, tmp_path: Path) -> None:
    module = BUNDLED[name].weights.load()
    classifier = load(write(module.state_dict(), tmp_path / "mine.safetensors"))
    assert type(classifier.module) is type(module)
    answers_as(classifier, module)
    own = load_classifier(name, device="cpu", exact=True)
    assert (classifier.labels, classifier.layer, classifier.layers) == (CLASSES, own.layer, own.layers)
    assert (classifier.provides, classifier.mean, classifier.std) == (own.provides, own.mean, own.std)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"lr": 0.1}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {name: tensor.half() for name, tensor in state.items()},
    ],
    ids=["state_dict", "model", "prefix", "both", "half precision"],
)
def test_what_training_scripts_put_around_the_tensors_is_taken_off(
    wrapped: Callable[[State], object], tmp_path: Path
) -> None:
    module = network().half().float()  # numbers that half precision keeps
    classifier = load(write(wrapped(module.state_dict()), tmp_path / "mine.pt"))
    assert {part.dtype for part in classifier.module.parameters()} == {torch.float32}
    answers_as(classifier, module)


@pytest.mark.slow
def test_counters_of_training_may_be_there_or_not(tmp_path: Path) -> None:
    module = network("resnet18", 3)
    state = module.state_dict()
    bare = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    assert len(bare) < len(state)
    for each in (state, bare):
        answers_as(load(write(each, tmp_path / "mine.safetensors")), module)


@pytest.mark.slow
def test_with_the_usual_number_of_classes_the_labels_are_torchvisions(tmp_path: Path) -> None:
    classifier = load(write(network(classes=1000).state_dict(), tmp_path / "mine.pt"))
    assert classifier.labels == tuple(get_model_weights(QUICK).DEFAULT.meta["categories"])


@pytest.mark.slow
def test_one_score_alone_is_that_of_the_second_of_two_classes(tmp_path: Path) -> None:
    module = network("resnet18", 1)
    (tmp_path / "mine.labels.txt").write_text("ill\n", encoding="utf-8")
    classifier = load(write(module.state_dict(), tmp_path / "mine.pt"))
    assert classifier.labels == ("not ill", "ill")
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = torch.sigmoid(module(images))[:, 0]
    torch.testing.assert_close(classifier.answer(images)[:, 1], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_labels_are_the_lines_of_the_text_file_beside_the_weights(tmp_path: Path) -> None:
    path = write(network(classes=3).state_dict(), tmp_path / "mine.v2.pt")
    labels = tmp_path / "mine.v2.labels.txt"
    labels.write_text("\ufeffhealthy\r\n  très malade \r\nill\r\n", encoding="utf-8", newline="")
    assert load(path).labels == ("healthy", "très malade", "ill")
    for text, reason in (("a\nb\n", "2 lines, but"), ("a\n\nc\n", "3 lines, 1 of them empty"), ("", "0 lines")):
        labels.write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match=rf"mine.v2.labels.txt has {reason}.*3 classes"):
            load(path)
    labels.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="UTF-8"):
        load(path)


@pytest.mark.slow
def test_the_untrained_network_of_a_file_has_its_form_and_other_weights(tmp_path: Path) -> None:
    path = write(network().state_dict(), tmp_path / "mine.pt")
    entry = catalogue.get(str(path))
    bare = entry.origin.untrained(entry.name)
    trained = load(path)
    assert (bare.labels, bare.layers, bare.name) == (trained.labels, trained.layers, trained.name)
    assert not torch.equal(next(bare.module.parameters()), next(trained.module.parameters()))


@pytest.mark.slow
def test_loading_leaves_the_global_random_numbers_alone(tmp_path: Path) -> None:
    path = write(network().state_dict(), tmp_path / "mine.pt")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load(path)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_files_are_in_no_list_and_their_entry_names_them(tmp_path: Path) -> None:
    assert SOURCES["checkpoint"].offered == ()
    path = tmp_path / "mine.pt"
    entry = catalogue.get(str(path))
    assert (entry.source, entry.title, entry.weights_path()) == ("checkpoint", "mine.pt", path)
    assert not entry.present() and catalogue.digest(str(path)) == ""
    write(network().state_dict(), path)
    assert entry.present()
    assert catalogue.digest(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(path) not in ENTRIES


def test_a_name_of_the_catalogue_comes_before_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "embedded").write_bytes(b"anything")
    assert load_classifier("embedded", device="cpu", exact=True).labels == CLASSES


@pytest.mark.slow
def test_a_loaded_file_is_read_again_once_it_has_changed(tmp_path: Path) -> None:
    models = Models(load=lambda name, _: load(Path(name)), find=lambda classifier: classifier.execution)
    path = write(network(classes=3).state_dict(), tmp_path / "mine.pt")
    first = models.get(str(path), "cpu")
    assert models.get(str(path), "cpu") is first
    write(network(classes=4).state_dict(), path)
    assert len(models.get(str(path), "cpu").labels) == 4


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_loaded_model_keeps_its_weights_whatever_happens_to_its_file(suffix: str, tmp_path: Path) -> None:
    path = write(network().state_dict(), tmp_path / f"mine{suffix}")
    classifier = load(path)
    before = {name: tensor.clone() for name, tensor in classifier.module.state_dict().items()}
    with path.open("r+b") as file:  # in place, as rsync --inplace does
        file.write(bytes(path.stat().st_size))
    for name, tensor in classifier.module.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def plan_of(name: str) -> Plan:
    return comparison.plan(name, "cpu", [PictureChoice("scene")], [MethodChoice.default("gradient")])


def test_a_plan_names_the_path_and_the_digest_of_the_weights(tmp_path: Path) -> None:
    path = write(network(classes=3).state_dict(), tmp_path / "mine.pt")
    plan = plan_of(str(path))
    (question,) = plan.questions
    assert plan.model == str(path)
    assert question.model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert plan_from_json(plan_to_json(plan)) == plan
    assert "sha256" not in json.loads(plan_to_json(plan_of("embedded")))["questions"][0]["model"]


@pytest.mark.slow
def test_a_plan_is_not_answered_by_other_weights_than_its_own(tmp_path: Path) -> None:
    path = write(network(classes=3).state_dict(), tmp_path / "mine.pt")
    spec = plan_of(str(path)).questions[0].model
    models = models_by(lambda name: load(Path(name)))
    assert models(spec).name == str(path)
    state = network(classes=3).state_dict()
    state["classifier.1.bias"] += 1
    write(state, path)
    with pytest.raises(ModelError, match=rf"not the file of weights that was explained.*{spec.sha256[:12]}"):
        models(spec)
    assert models(dataclasses.replace(spec, sha256="")).name == str(path)


@pytest.mark.slow
def test_the_command_line_explains_a_file_and_replays_it_unless_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from decam.images.samples import SAMPLES

    monkeypatch.chdir(tmp_path)
    SAMPLES[0].load().save("scene.png")
    path = write(BUNDLED["embedded"].weights.load().state_dict(), Path("mine.safetensors"))
    given = ["--method", "gradient", "--steps", "2", "--device", "cpu", "--out", "out"]
    assert main(["explain", "scene.png", "--model", str(path), *given]) == 0
    settings = json.loads(Path("out/settings.json").read_text(encoding="utf-8"))
    model = settings["plan"]["questions"][0]["model"]
    assert model["name"] == "mine.safetensors"
    assert model["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert main(["replay", "out/settings.json"]) == 0
    assert "1 of 1 maps are identical." in capsys.readouterr().out
    path.unlink()
    assert main(["replay", "out/settings.json"]) == 2
    assert "The file of weights mine.safetensors is not here; put it there" in capsys.readouterr().err
