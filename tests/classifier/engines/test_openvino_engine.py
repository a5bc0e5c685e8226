"""OpenVINO's answers against the module's own, and everything that must be as it is without it."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier, probabilities
from decam.classifier.engines import openvino_engine
from decam.explanation import Question
from decam.masking import MaskedQueries
from decam.models.tuning import modes

SIZE = (24, 20)
BY_OPENVINO = Execution(batch_size=4, engine="openvino")


class Attention(nn.Module):
    """Patches that attend to each other, a class token, and a norm: a small vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.attend = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(images.shape[0], -1, -1), tokens], dim=1)
        attended, _ = self.attend(tokens, tokens, tokens, need_weights=False)
        return self.head(self.norm(tokens + attended)[:, 0])


class Several(nn.Module):
    """Answers more than scores."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = convolutions()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"other": images.mean((1, 2, 3)), "logits": self.inner(images)}


class Residual(nn.Module):
    """Branches, normalisation by batches, and what nearly every network is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.one = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=4), nn.Hardswish(), nn.Dropout(0.5))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        stem = self.stem(images)
        mixed = stem + self.one(stem) * self.gate(stem)
        return self.head(F.gelu(mixed).mean((2, 3)))


def convolutions() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def grey() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def sigmoid() -> nn.Module:
    return nn.Sequential(convolutions(), nn.Sigmoid())


MODULES = {
    "convolutions": convolutions,
    "attention": Attention,
    "several outputs": Several,
    "residual": Residual,
    "grey": grey,
    "probabilities": sigmoid,
}


def made(name: str = "convolutions", execution: Execution = BY_OPENVINO) -> TorchClassifier:
    torch.manual_seed(0)
    module = MODULES[name]()
    for part in module.modules():  # statistics of batches as after some training
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.5, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    return TorchClassifier(name, module.eval(), list("abc"), input_size=SIZE, execution=execution)


def pictures(classifier: TorchClassifier, count: int, seed: int = 1) -> Tensor:
    drawn = torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
    return classifier.normalise(drawn)


def own(classifier: TorchClassifier, images: Tensor) -> Tensor:
    """What the module itself answers in float32."""
    before = classifier.execution
    classifier.configure(Execution())
    answers = classifier.answer(images)
    classifier.configure(before)
    return answers


@pytest.fixture(scope="module")
def net() -> TorchClassifier:
    """Converted once for several tests, each of which leaves it as it is."""
    classifier = made()
    classifier.answer(pictures(classifier, 2))
    return classifier


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_answers_are_the_modules_own_for_batches_of_every_size(name: str) -> None:
    classifier = made(name)
    for count in (4, 1, 7, 3):
        images = pictures(classifier, count)
        answers = classifier.answer(images)
        assert classifier.engine_note == "" and answers.dtype == torch.float32
        torch.testing.assert_close(answers, own(classifier, images), atol=1e-5, rtol=1e-4)
    assert "openvino" in classifier._engines._prepared


@pytest.mark.slow
def test_answers_in_bfloat16_are_near_those_in_float32(net: TorchClassifier) -> None:
    images = pictures(net, 6)
    expected = net.answer(images)
    net.configure(Execution("bfloat16", batch_size=4, parallel_batches=2, engine="openvino"))
    found = net.answer(images)
    net.configure(BY_OPENVINO)
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.05)
    assert not torch.equal(found, expected), "bfloat16 was asked for"


@pytest.mark.slow
def test_masked_pictures_are_counted_and_answered_as_by_the_module(net: TorchClassifier) -> None:
    image = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(2))
    masks = torch.rand(11, 1, *SIZE, generator=torch.Generator().manual_seed(3))
    found = []
    for execution in (Execution(), Execution(batch_size=3, parallel_batches=2, engine="openvino")):
        net.configure(execution)
        question = Question(net, image, 1)
        found.append(torch.cat(list(MaskedQueries(question, torch.zeros_like(image)).batches(masks))))
        assert question.ledger.evaluations == 11
    net.configure(BY_OPENVINO)
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=1e-4)


def test_a_prediction_of_few_pictures_prepares_no_engine() -> None:
    classifier = made()
    images = torch.rand(3, 3, *SIZE)
    torch.testing.assert_close(probabilities(classifier, images), own(classifier, classifier.normalise(images)))
    assert classifier._engines._prepared == {}


@pytest.mark.slow
def test_asking_stops_between_two_batches(net: TorchClassifier) -> None:
    image = torch.rand(3, *SIZE)
    question = Question(net, image, 1)
    answers = MaskedQueries(question, torch.zeros_like(image)).batches(torch.rand(40, 1, *SIZE))
    next(answers)
    answers.close()
    assert question.ledger.evaluations == 4


@pytest.mark.slow
@pytest.mark.parametrize("said", ["std::bad_alloc", "could not create a memory object"])
def test_a_batch_for_which_memory_runs_short_is_halved(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    usual = openvino_engine._Compiled._request

    class Short:
        """A request that has memory for two pictures."""

        def __init__(self, inner: object) -> None:
            self.inner = inner

        def infer(self, inputs: dict[int, object], **more: object) -> None:
            asked.append(len(inputs[0]))  # type: ignore[arg-type]
            if asked[-1] > 2:
                raise RuntimeError(f"Exception from src/inference: {said}")
            self.inner.infer(inputs, **more)  # type: ignore[attr-defined]

        def get_output_tensor(self, index: int) -> object:
            return self.inner.get_output_tensor(index)  # type: ignore[attr-defined]

    def request(self: openvino_engine._Compiled) -> object:
        found = usual(self)
        return found if isinstance(found, Short) else Short(found)

    classifier = made()
    classifier.answer(pictures(classifier, 2))
    monkeypatch.setattr(openvino_engine._Compiled, "_request", request)
    image = torch.rand(3, *SIZE)
    question = Question(classifier, image, 1)
    found = torch.cat(list(MaskedQueries(question, torch.zeros_like(image)).batches(torch.rand(8, 1, *SIZE))))
    assert asked == [4, 2, 2, 2, 2] and len(found) == question.ledger.evaluations == 8
    assert question.ledger.notes == ["Memory ran short, so the batch was halved to 2 and tried again."]


def test_where_memory_runs_short_as_an_engine_is_prepared_the_module_answers_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def export(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch.export, "export", export)
    classifier = made()
    images = pictures(classifier, 2)
    torch.testing.assert_close(classifier.answer(images), torch.softmax(classifier.module(images), 1))
    assert "(there is not enough memory to prepare it)" in classifier.engine_note


@pytest.mark.slow
def test_threads_that_ask_at_a_time_get_their_own_answers(net: TorchClassifier) -> None:
    net.configure(Execution(batch_size=4, parallel_batches=2, engine="openvino"))
    batches = [pictures(net, 1 + seed % 5, seed) for seed in range(24)]
    expected = [own(net, batch) for batch in batches]
    net.configure(Execution(batch_size=4, parallel_batches=2, engine="openvino"))
    meeting = threading.Barrier(6)

    def ask(batch: Tensor) -> Tensor:
        meeting.wait()
        return net.answer(batch)

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(ask, batches))
    net.configure(BY_OPENVINO)
    for got, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_batch_gets_the_same_bits_in_every_process(precision: str) -> None:
    script = (
        "import torch; from tests.classifier.engines.test_openvino_engine import made, pictures;"
        "from decam.classifier import Execution;"
        f"net = made('residual', Execution({precision!r}, batch_size=4, parallel_batches=2, engine='openvino'));"
        "print(net.answer(pictures(net, 4)).flatten().tolist(), net.answer(pictures(net, 3)).flatten().tolist())"
    )
    runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True) for _ in range(2)]
    assert runs[0].stdout and runs[0].stdout == runs[1].stdout, runs[0].stderr


@pytest.mark.slow
def test_hooks_and_training_mode_send_every_question_to_the_module(net: TorchClassifier) -> None:
    images = pictures(net, 3)
    seen: list[int] = []
    handle = net.module[0].register_forward_hook(lambda *_: seen.append(1))
    answers = net.answer(images)
    handle.remove()
    assert seen == [1]
    torch.testing.assert_close(answers, own(net, images))
    net.module[1].train()
    assert net._engines.answering(net.module, images) is None
    net.module[1].eval()
    assert net._engines.answering(net.module, images) is not None


@pytest.mark.slow
def test_a_module_of_somebody_elses_is_left_alone_and_its_later_training_is_not_seen() -> None:
    torch.manual_seed(0)
    module = convolutions().train()
    before = {name: part.clone() for name, part in module.state_dict().items()}
    classifier = TorchClassifier("owned", module, list("abc"), input_size=SIZE)
    assert classifier.shares_weights
    classifier.configure(BY_OPENVINO)
    assert not classifier.shares_weights
    images = pictures(classifier, 3)
    answers = classifier.answer(images)
    assert module.training and all(torch.equal(part, before[name]) for name, part in module.state_dict().items())
    with torch.no_grad():
        module[0].weight.add_(1.0)
    assert torch.equal(classifier.answer(images), answers)


@pytest.mark.slow
def test_weights_that_are_changed_in_place_are_converted_anew() -> None:
    classifier = made()
    images = pictures(classifier, 3)
    before = classifier.answer(images)
    with torch.no_grad():
        classifier.module[4].bias.add_(torch.tensor([1.0, 0.0, -1.0]))
    after = classifier.answer(images)
    assert not torch.allclose(after, before, atol=0.01)
    torch.testing.assert_close(after, own(classifier, images), atol=1e-5, rtol=1e-4)


class Branching(nn.Module):
    """Its steps depend on the values of the pictures."""

    def forward(self, images: Tensor) -> Tensor:
        means = images.mean((2, 3))
        return means if float(means.sum()) > 0 else 2 * means


class Drawing(nn.Module):
    """Answers by chance."""

    def forward(self, images: Tensor) -> Tensor:
        return F.dropout(images.mean((2, 3)), 0.5, training=True)


class Counting(nn.Module):
    """Changes a buffer as it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("asked", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        self.asked += 1
        return images.mean((2, 3)) * self.asked


class Fixed(nn.Module):
    """Takes batches of one size alone."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3)).view(4, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "reason"),
    [(Branching(), ""), (Drawing(), ""), (Counting(), "it changes a buffer of its own as it answers"), (Fixed(), "")],
)
def test_a_module_that_cannot_be_converted_answers_itself_with_a_note(module: nn.Module, reason: str) -> None:
    classifier = TorchClassifier("odd", module, list("abc"), input_size=SIZE, execution=BY_OPENVINO)
    images = pictures(classifier, 4)
    torch.manual_seed(0)
    answers = classifier.answer(images)
    assert classifier.engine_note.startswith("OpenVINO cannot answer for odd (")
    assert reason in classifier.engine_note and classifier.engine_note.endswith("), so PyTorch does.")
    assert "\n" not in classifier.engine_note and classifier.engine_note in classifier.notes
    if not isinstance(module, Drawing | Counting):
        torch.testing.assert_close(answers, torch.softmax(module(images), 1))
    classifier.configure(Execution())
    assert classifier.engine_note == ""


def test_a_module_of_which_there_is_no_copy_answers_itself() -> None:
    class Alone(nn.Module):
        def __deepcopy__(self, _: object) -> nn.Module:
            raise TypeError("there is only one of me")

        def forward(self, images: Tensor) -> Tensor:
            return images.mean((2, 3))

    classifier = TorchClassifier("alone", Alone().eval(), list("abc"), input_size=SIZE, execution=BY_OPENVINO)
    images = pictures(classifier, 2)
    torch.testing.assert_close(classifier.answer(images), torch.softmax(images.mean((2, 3)), 1))
    assert "it cannot be copied" in classifier.engine_note


def test_on_another_device_the_module_answers_itself() -> None:
    classifier = made()
    assert classifier._engines.answering(classifier.module, torch.zeros(1, 3, *SIZE, device="meta")) is None
    assert (
        classifier.engine_note
        == "OpenVINO cannot answer for convolutions (it does not run on meta here), so PyTorch does."
    )
    assert not openvino_engine.serves(torch.device("cuda", 0)) and openvino_engine.serves(torch.device("cpu"))


def test_where_openvino_is_not_installed_the_module_answers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(openvino_engine.metadata, "version", absent)
    openvino_engine.version.cache_clear()
    try:
        classifier = made()
        images = pictures(classifier, 2)
        torch.testing.assert_close(classifier.answer(images), torch.softmax(classifier.module(images), 1))
        assert "it does not run on cpu here" in classifier.engine_note
        assert {way.engine for way in modes(torch.device("cpu"))} == {"eager"}
    finally:
        openvino_engine.version.cache_clear()


@pytest.mark.slow
def test_gradients_and_activations_are_pytorchs_own(net: TorchClassifier) -> None:
    images = pictures(net, 2).requires_grad_()
    (slope,) = torch.autograd.grad(net.logits(images)[:, 0].sum(), images)
    assert slope.abs().max() > 0


@pytest.mark.slow
def test_two_models_may_be_converted_at_a_time() -> None:
    classifiers = [made(name) for name in ("convolutions", "residual")]
    batches = [pictures(classifier, 3) for classifier in classifiers]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda one, batch: one.answer(batch), classifiers, batches))
    for classifier, batch, answers in zip(classifiers, batches, found, strict=True):
        assert classifier.engine_note == ""
        torch.testing.assert_close(answers, own(classifier, batch), atol=1e-5, rtol=1e-4)
