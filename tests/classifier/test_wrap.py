"""The door for networks and functions of one's own: what they answer is read right, or refused in a sentence."""

from __future__ import annotations

import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import decam
from decam.classifier import FunctionClassifier, TorchClassifier, probabilities
from decam.errors import DecamError, MethodError, ModelError, SettingError
from decam.methods import METHODS

SIZE = (32, 32)
PLAIN = {"mean": (0, 0, 0), "std": (1, 1, 1)}
QUICK: dict[str, dict[str, int | float | str | bool]] = {
    "de-cam": {"budget": 200},
    "integrated-gradients": {"steps": 4},
    "rise": {"masks": 32},
    "lime": {"samples": 50},
    "kernel-shap": {"samples": 50},
}
ANY = [name for name, row in METHODS.items() if "attention" not in row.needs]


class Net(nn.Module):
    """A small network whose answers `then` turns into anything."""

    def __init__(self, out: int = 3, channels: int = 3, then: Callable[[Tensor], Any] = lambda y: y) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, 6, 3, stride=2), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, stride=2), nn.ReLU())
        self.unused = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(8, out)
        self.then = then

    def scores(self, images: Tensor) -> Tensor:
        return 20 * self.head(self.second(self.first(images)).mean((2, 3)))

    def forward(self, images: Tensor) -> Any:
        return self.then(self.scores(images))


def net(out: int = 3, channels: int = 3, then: Callable[[Tensor], Any] = lambda y: y) -> Net:
    torch.manual_seed(0)
    return Net(out, channels, then).eval()


def wrapped(module: nn.Module, labels: Any = ("a", "b", "c"), **more: Any) -> TorchClassifier:
    found = decam.wrap(module, labels=labels, **({"input_size": SIZE} | PLAIN | more))
    assert isinstance(found, TorchClassifier)
    return found


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(5, 3, *SIZE, generator=torch.Generator().manual_seed(1))


Named = namedtuple("Named", ["logits", "aux"])


@dataclass
class Output:
    loss: None
    logits: Tensor


@pytest.mark.parametrize(
    ("then", "output"),
    [
        (lambda y: y, None),
        (lambda y: (y, y * 0), None),
        (lambda y: [y], None),
        (lambda y: (y * 0, y), 1),
        (lambda y: (y * 0, y), -1),
        (lambda y: {"logits": y, "hidden": y * 0}, None),
        (lambda y: OrderedDict(loss=y.sum(), logits=y), None),
        (lambda y: {"classes": y}, None),
        (lambda y: {"aux": y * 0, "classes": y}, "classes"),
        (lambda y: {"aux": y * 0, "classes": y}, 1),
        (lambda y: Named(y, y * 0), None),
        (lambda y: Named(y * 0, y), "aux"),
        (lambda y: Output(None, y), None),
        (lambda y: y[:, :, None, None], None),
        (lambda y: y.squeeze(), None),
    ],
)
def test_scores_are_found_in_what_a_module_answers(then, output, images: Tensor, view: np.ndarray) -> None:
    module = net(then=then)
    classifier = wrapped(module, output=output)
    expected = module.scores(images).softmax(1).detach()
    torch.testing.assert_close(probabilities(classifier, images), expected)
    torch.testing.assert_close(probabilities(classifier, images[:1]), expected[:1])
    for method in ("grad-cam", "gradient", "rise"):
        plain = decam.explain(wrapped(net()), view, method, **QUICK.get(method, {})).saliency
        np.testing.assert_allclose(
            decam.explain(classifier, view, method, **QUICK.get(method, {})).saliency, plain, atol=1e-5
        )


@pytest.mark.parametrize(
    ("make", "more", "sentence"),
    [
        (lambda: net(then=lambda y: {"out": y, "aux": y}), {}, "a dict with the keys 'out', 'aux', and no output was"),
        (lambda: net(then=lambda y: {"out": y}), {"output": "logits"}, "the output 'logits' is nothing"),
        (lambda: net(then=lambda y: (y,)), {"output": 3}, "a tuple of 1, and the output 3 is nothing"),
        (lambda: net(), {"output": 0}, "answers one tensor, so there is no output 0 in it"),
        (lambda: net(then=lambda _: None), {}, "answers nothing, and no output was named"),
        (lambda: net(then=lambda _: "cat"), {}, "answers a str"),
        (lambda: net(then=lambda y: y[..., None, None].expand(-1, -1, 8, 8)), {}, "a score a place, as segmentation"),
        (lambda: net(then=lambda y: y[:, None].expand(-1, 7, -1)), {}, "more than one vector a picture"),
        (lambda: net(then=lambda y: y.argmax(1)), {}, "torch.int64 values, such as class numbers"),
        (lambda: net(then=lambda y: y[:2]), {}, "answered 2 rows to 4 pictures"),
        (lambda: net(then=lambda y: y.sum()), {}, "answered 1 rows to 4 pictures"),
        (lambda: net(then=lambda y: y * float("nan")), {}, "answers NaN or infinite values to every picture"),
        (lambda: net(4), {}, "answers 4 values a picture, but 3 labels were given"),
        (lambda: net(2), {"labels": ["ill"]}, "answers 2 values a picture, but 1 label was given"),
        (lambda: net(1), {}, "answers 1 value a picture, but 3 labels were given"),
        (lambda: net(then=lambda y: 9 * y), {"answers": "probabilities"}, "values from .* and probabilities lie"),
        (lambda: net(channels=5), {}, "failed on a batch of 4 with 32×32 pixels in 3 channels .*to have 5 channels"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), {}, "32×32 pixels .*Give the input_size that it was"),
        (lambda: nn.Sequential(nn.LazyConv2d(3, 3), nn.Flatten()), {}, "has lazy layers without weights"),
        (lambda: net().to("meta"), {}, "are on the meta device"),
        (lambda: net(), {"std": (0.2, 0.0, 0.2)}, "each must be above 0"),
        (lambda: net(), {"std": (0.2, -1.0, 0.2)}, "each must be above 0"),
        (lambda: net(), {"std": (0.2, 0.2)}, "std is .* but must be three numbers"),
        (lambda: net(), {"mean": ("a", 0, 0)}, "must be three numbers"),
        (lambda: net(), {"layer": "third"}, "has no layer 'third'; it has: first, first.0, first.1, second, .*, head"),
        (lambda: net(), {"layer": nn.ReLU()}, "The layer given is a ReLU that is no part of Net"),
        (lambda: net(), {"layers": ["first", 2]}, "The layer is 2, but must be"),
    ],
)
def test_a_module_that_cannot_be_asked_is_refused_when_it_is_wrapped(make, more, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        wrapped(make(), **more)


def test_what_is_neither_a_module_nor_a_function_is_refused() -> None:
    with pytest.raises(ModelError, match="takes a torch module or a function, not a dict"):
        decam.wrap({"weights": 1}, labels=["a"])  # type: ignore[arg-type]


# One logit


def one_logit(module: Net, images: Tensor) -> tuple[Tensor, Tensor]:
    """The sigmoid of the logit, and the gradient of its half in the picture's colours, by hand."""
    leaf = images.clone().requires_grad_()
    logit = module.scores(leaf)[:, 0]
    (gradient,) = torch.autograd.grad(logit.sum(), leaf)
    return torch.sigmoid(logit).detach(), gradient / 2


@pytest.mark.parametrize(
    ("then", "atol"),
    [(lambda y: y, 1e-6), (lambda y: y[:, 0], 1e-6), (lambda y: y.squeeze(), 1e-6), (torch.sigmoid, 1e-3)],
)
@pytest.mark.parametrize("labels", [["ill"], ["not ill", "ill"]])
def test_one_answer_speaks_for_the_second_of_two_classes(then, atol, labels, images: Tensor, view) -> None:
    module = net(1, then=then)
    classifier = wrapped(module, labels)
    assert classifier.labels == ("not ill", "ill")
    p, _ = one_logit(module, images)
    torch.testing.assert_close(probabilities(classifier, images), torch.stack([1 - p, p], 1), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        classifier.logits(classifier.normalise(images)).softmax(1), torch.stack([1 - p, p], 1), atol=1e-6, rtol=1e-5
    )
    picture = torch.from_numpy(view).permute(2, 0, 1)[None] / 255
    _, gradient = one_logit(module, picture.float())
    expected = gradient[0].abs().amax(0)
    for target in (0, 1, "ill"):
        found = decam.explain(classifier, view, "gradient", target=target).saliency
        np.testing.assert_allclose(found, expected, atol=atol * float(expected.max()))


def test_two_networks_of_one_logit_have_two_maps(view: np.ndarray) -> None:
    maps = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        maps.append(decam.explain(wrapped(Net(1), ["ill"]), view, "rise", target="ill", masks=100).saliency)
    assert np.ptp(maps[0]) > 0 and np.ptp(maps[1]) > 0 and np.abs(maps[0] - maps[1]).max() > 1e-3


@pytest.mark.parametrize("kind", ["one logit", "grey", "softmax", "dictionary"])
@pytest.mark.parametrize("method", ANY)
@pytest.mark.slow
def test_every_method_explains_every_kind_of_module(kind: str, method: str, view: np.ndarray) -> None:
    module, labels = {
        "one logit": (net(1), ["ill"]),
        "grey": (net(channels=1), ["a", "b", "c"]),
        "softmax": (net(then=lambda y: y.softmax(1)), ["a", "b", "c"]),
        "dictionary": (net(then=lambda y: {"logits": y}), ["a", "b", "c"]),
    }[kind]
    classifier = wrapped(module, labels)
    try:
        found = decam.explain(classifier, view, method, target=1, **QUICK.get(method, {}))
    except MethodError as error:
        assert method == "cam" and kind == "one logit", error
        return
    assert found.saliency.shape == SIZE and np.isfinite(found.saliency).all()
    assert found.evaluations == METHODS[method].cost(
        METHODS[method].settings.from_mapping(QUICK.get(method, {})), classifier
    )


# Probabilities


def test_a_softmax_inside_is_not_applied_twice(images: Tensor, view: np.ndarray) -> None:
    module, plain = net(then=lambda y: y.softmax(1)), wrapped(net())
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).detach())
    assert (
        "add up to 1, so they are read as probabilities" in decam.explain(classifier, view, "rise", masks=32).notes[0]
    )
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float().requires_grad_()
    module.scores(leaf).log_softmax(1)[0, 2].backward()
    found = decam.explain(classifier, view, "gradient", target=2).saliency
    np.testing.assert_allclose(found, leaf.grad[0].abs().amax(0), rtol=1e-3, atol=1e-6)
    said = wrapped(net(then=lambda y: y.softmax(1)), answers="logits")
    torch.testing.assert_close(probabilities(said, images), module(images).softmax(1).detach())
    assert plain.notes == ()


def test_log_probabilities_are_logits_already(images: Tensor) -> None:
    torch.testing.assert_close(
        probabilities(wrapped(net(then=lambda y: y.log_softmax(1))), images), probabilities(wrapped(net()), images)
    )


def test_several_sigmoids_are_independent_probabilities(images: Tensor) -> None:
    module = net(then=torch.sigmoid)
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).detach())
    assert "ends in a sigmoid" in classifier.notes[0]
    torch.testing.assert_close(classifier.logits(images), module.scores(images).detach(), atol=2e-2, rtol=2e-2)


def test_small_logits_are_not_taken_for_probabilities_but_remarked(images: Tensor) -> None:
    module = net(then=lambda y: 0.5 + 0.01 * torch.tanh(y))
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).softmax(1).detach())
    assert "are read as logits all the same" in classifier.notes[0]
    said = wrapped(module, answers="probabilities")
    torch.testing.assert_close(probabilities(said, images), module(images).detach())


def test_a_module_that_stops_answering_probabilities_is_found_out(view: np.ndarray) -> None:
    def then(y: Tensor) -> Tensor:
        return y.softmax(1) * (1 if len(y) == 4 else 30)

    with pytest.raises(
        ModelError, match=r"answered a picture with values from .* and probabilities lie between 0 and 1"
    ):
        decam.explain(wrapped(net(then=then)), view, "rise", masks=32)


# Functions


def share(images: Tensor) -> Tensor:
    return images[:, 0, 8:20, 8:20].mean((1, 2)).clamp(0, 1)


@pytest.mark.parametrize("method", ["rise", "de-cam", "occlusion"])
@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda x: torch.stack([-8 * share(x), 8 * share(x) - 4], 1), r"from -[\d.]+ to "),
        (lambda x: 100 * torch.stack([1 - share(x), share(x)], 1), r"from [\d.]+ to [\d.]+, and"),
        (lambda x: torch.stack([1 - share(x), share(x)], 1) - 0.3 * (share(x) < 0.75)[:, None], "from -0.[0-9]+ to"),
    ],
)
def test_a_function_that_answers_no_probabilities_is_refused_with_the_range(function, found, method, view) -> None:
    picture = view.copy()
    picture[8:20, 8:20, 0] = 200
    classifier = decam.wrap(function, labels=["no", "yes"], input_size=SIZE)
    with pytest.raises(ModelError, match=f"function answered a picture with values {found}.*lie between 0 and 1"):
        decam.explain(classifier, picture, method, target=1, **QUICK.get(method, {}))
    with pytest.raises(ModelError, match="lie between 0 and 1"):
        decam.measure(classifier, picture, np.random.default_rng(0).random(SIZE), target=1)


def test_a_function_may_answer_logits_that_it_declares(images: Tensor) -> None:
    module = net()
    declared = decam.wrap(lambda x: module(x), labels=["a", "b", "c"], input_size=SIZE, answers="logits")
    torch.testing.assert_close(probabilities(declared, images), module(images).softmax(1).detach())
    one = net(1)
    declared = decam.wrap(lambda x: one(x)[:, 0], labels=["ill"], input_size=SIZE, answers="logits")
    torch.testing.assert_close(probabilities(declared, images)[:, 1], one(images).sigmoid()[:, 0].detach())


@pytest.mark.parametrize("function", [share, lambda x: share(x)[:, None]])
def test_one_probability_of_a_function_is_that_of_the_second_class(function, images: Tensor) -> None:
    for labels in (["red"], ["not red", "red"], np.array(["not red", "red"])):
        classifier = decam.wrap(function, labels=labels, input_size=32)
        assert classifier.labels == ("not red", "red")
        torch.testing.assert_close(
            probabilities(classifier, images), torch.stack([1 - share(images), share(images)], 1)
        )


def test_a_functions_probabilities_need_not_add_up_to_one(view: np.ndarray) -> None:
    classifier = decam.wrap(lambda x: torch.stack([share(x), share(x)], 1), labels=["a", "b"], input_size=SIZE)
    found = decam.explain(classifier, view, "rise", masks=32)
    assert found.probability == pytest.approx(view[8:20, 8:20, 0].mean() / 255, abs=1e-6)


def test_rounding_beyond_the_bounds_is_forgiven_and_cut_off() -> None:
    classifier = decam.wrap(lambda x: torch.full((len(x), 2), 1.0001), labels=["a", "b"], input_size=SIZE)
    assert probabilities(classifier, torch.zeros(1, 3, *SIZE)).max() == 1


def test_a_function_that_changes_its_pictures_changes_nobody_elses(view: np.ndarray) -> None:
    def careless(x: Tensor) -> Tensor:
        p = share(x)
        x.zero_()
        return p

    careful, found = (
        decam.explain(decam.wrap(f, labels=["red"], input_size=SIZE), view, "occlusion", target=1).saliency
        for f in (share, careless)
    )
    np.testing.assert_array_equal(found, careful)


# What users bring


def test_one_channel_is_fed_with_grey_and_gradients_reach_the_colours(view: np.ndarray, images: Tensor) -> None:
    module = net(channels=1)
    classifier = wrapped(module, mean=[0.4], std=[0.2])
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

    def by_hand(pictures: Tensor) -> Tensor:
        return module(((pictures * weights).sum(1, keepdim=True) - 0.4) / 0.2)

    torch.testing.assert_close(probabilities(classifier, images), by_hand(images).softmax(1).detach())
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float().requires_grad_()
    by_hand(leaf)[0, 1].backward()
    found = decam.explain(classifier, view, "gradient", target=1).saliency
    np.testing.assert_allclose(found, leaf.grad[0].abs().amax(0), rtol=1e-4, atol=1e-6)
    assert "turned to grey" in classifier.notes[0]
    assert classifier.normalise(torch.full((1, 3, 2, 2), 0.4)).abs().max() < 1e-6
    torch.testing.assert_close(
        classifier.with_module(classifier.module).normalise(images), classifier.normalise(images)
    )


def test_one_channel_is_found_by_trying() -> None:
    assert wrapped(net(channels=1)).inspection.channels == 1
    assert wrapped(net()).inspection.channels == 3


@pytest.mark.parametrize("outer", [torch.compile, nn.DataParallel])
def test_what_a_network_came_wrapped_in_is_looked_through(outer, images: Tensor, view: np.ndarray) -> None:
    module = net()
    inside = outer(module)
    layer = next(name for name, part in inside.named_modules() if part is module.second)
    classifier = wrapped(inside, layer=layer)
    assert classifier.layer == "second" and classifier.name == "Net"
    torch.testing.assert_close(probabilities(classifier, images), module(images).softmax(1).detach())
    assert decam.explain(classifier, view, "grad-cam").saliency.shape == SIZE


@pytest.mark.parametrize("kind", ["scripted", "traced"])
def test_a_scripted_module_gives_gradients_and_no_activations(kind: str, view: np.ndarray, images: Tensor) -> None:
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    module = torch.jit.script(plain) if kind == "scripted" else torch.jit.trace(plain.eval(), images)
    module.train()
    classifier = wrapped(module)
    assert module.training and all(part.requires_grad for part in module.parameters())
    torch.testing.assert_close(probabilities(classifier, images), plain.eval()(images).softmax(1).detach())
    found = decam.explain(classifier, view, "gradient", target=1).saliency
    np.testing.assert_allclose(found, decam.explain(wrapped(plain), view, "gradient", target=1).saliency, atol=1e-6)
    with pytest.raises(
        MethodError, match=r"Grad-CAM needs the model's activations, .*: a scripted module does not show"
    ):
        decam.explain(classifier, view, "grad-cam")


@pytest.mark.parametrize("make", [wrapped, lambda m: TorchClassifier("net", m, ["a", "b", "c"], input_size=SIZE)])
def test_a_module_without_gradients_says_so(make, view: np.ndarray) -> None:
    class Closed(Net):
        def forward(self, images: Tensor) -> Any:
            with torch.no_grad():
                return super().forward(images)

    classifier = make(Closed())
    assert decam.explain(classifier, view, "rise", masks=32).saliency.any()
    with pytest.raises(MethodError, match=r"needs the model's gradients, .*: no gradient of its answers reaches"):
        decam.explain(classifier, view, "gradient")


def test_layers_are_found_or_given_as_modules(view: np.ndarray) -> None:
    module = net()
    classifier = wrapped(module)
    assert classifier.layers == ("first.0", "first.1", "second.0", "second.1") and classifier.layer == "second.1"
    given = wrapped(module, layer=module.first, layers=[module.first, module.second])
    assert (given.layer, given.layers) == ("first", ("first", "second"))
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float()
    grid = module.second(module.first(leaf)).detach().requires_grad_()
    (20 * module.head(grid.mean((2, 3))))[0, 1].backward()
    coarse = (grid.grad.mean((2, 3), keepdim=True) * grid).sum(1, keepdim=True).relu()
    expected = F.interpolate(coarse, SIZE, mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(decam.explain(classifier, view, "grad-cam", target=1).saliency, expected, atol=1e-5)


def test_a_layer_is_found_inside_of_blocks_too() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = net()

        def forward(self, images: Tensor) -> Tensor:
            return self.backbone(images)

    assert wrapped(Around()).layer == "backbone.second.1"


@pytest.mark.parametrize(
    ("layer", "sentence"), [("unused", "takes no part in its answers"), ("third", "Net has no layer 'third'; it has")]
)
def test_a_layer_that_shows_nothing_is_a_sentence(layer: str, sentence: str, view: np.ndarray) -> None:
    with pytest.raises(SettingError, match=sentence):
        decam.explain(wrapped(net()), view, "grad-cam", layer=layer)


def test_labels_may_repeat_and_be_numbers() -> None:
    assert wrapped(net(), ["crane", "crane", "hen"]).labels == ("crane", "crane", "hen")
    assert wrapped(net(), np.arange(3)).labels == ("0", "1", "2")
    assert wrapped(net(), range(3), input_size=32).input_size == (32, 32)


def test_what_is_wrong_is_found_at_the_first_question_of_a_classifier_made_by_hand(view: np.ndarray) -> None:
    for module, labels, sentence in (
        (net(10), 9, "answers 10 values a picture, but 9 labels were given"),
        (net(10), 12, "answers 10 values a picture, but 12 labels were given"),
        (net(then=lambda y: y * float("nan")), 3, "NaN"),
    ):
        classifier = TorchClassifier("own", module, [str(i) for i in range(labels)], input_size=SIZE, layer="second")
        for method in ("grad-cam", "rise"):
            with pytest.raises(ModelError, match=sentence):
                decam.explain(classifier, view, method)


def test_unusual_targets_and_seeds_are_read_or_refused(view: np.ndarray) -> None:
    classifier = decam.wrap(lambda x: torch.full((len(x), 2), 0.5), labels=[0, 1], input_size=SIZE)
    assert isinstance(classifier, FunctionClassifier)
    for target, label in (("1", "1"), (np.int64(1), "1"), (torch.tensor(1), "1"), (None, "0")):
        found = decam.explain(classifier, view, "rise", masks=16, target=target, seed=np.int64(3))
        assert (found.label, type(found.target), type(found.seed)) == (label, int, int)
    for target in ([0, 1], 1.9, 1.0, True, np.bool_(True), np.array([0, 1]), torch.tensor([0, 1])):
        with pytest.raises(SettingError, match=f"The target is {re.escape(repr(target))}, but must be one class"):
            decam.explain(classifier, view, "rise", target=target)
    for seed in (1.5, None, True, "1", [1]):
        with pytest.raises(SettingError, match=f"The seed is {re.escape(repr(seed))}, but must be a whole number"):
            decam.explain(classifier, view, "rise", seed=seed)
        if seed is not None:
            with pytest.raises(SettingError, match="must be a whole number"):
                decam.measure(classifier, view, np.zeros(SIZE), seed=seed)
    with pytest.raises(DecamError, match="must be a whole number"):
        decam.sanity_check(classifier, view, seed=1.5)
