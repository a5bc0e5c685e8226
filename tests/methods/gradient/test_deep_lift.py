"""DeepLIFT's maps: rules followed by hand, Captum where it is right, and sums that must hold or be owned up to."""

from __future__ import annotations

from collections.abc import Callable

import captum.attr as captum
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from decam.classifier import TorchClassifier, to_tensor
from decam.errors import MethodError
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, Map, last
from decam.images.reading import to_picture
from decam.masking import FILLS, fill
from decam.methods import METHODS
from decam.models import load_classifier
from decam.models.catalogue import ENTRIES
from decam.models.sources import torchvision as torchvision_source

TARGET = 1
SIDE = 24
MISSES = "The map adds up to"


class Wrapped(nn.Module):
    """A convolution, whatever is tried, and a linear layer on the means of its planes."""

    def __init__(self, task: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.task, self.tried = task, nn.ModuleList(modules)
        self.first, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.task(self.first(images), *self.tried).flatten(2).mean(2))


class Pooled(nn.Module):
    """Two convolutions, each with a rectifier and a max pool whose windows overlap, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 6, 3), nn.Linear(6 * 4 * 4, 4)
        self.relu, self.pool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.relu(self.first(images)))
        return self.head(self.pool(self.relu(self.second(features)))[..., :4, :4].flatten(1))


def classifier(module: nn.Module, side: int = SIDE) -> TorchClassifier:
    return TorchClassifier("net", module, list("abcd"), input_size=(side, side), layer="", answers="logits")


def random_view(side: int = SIDE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def explained(net: TorchClassifier, view: np.ndarray, baseline: str = "mean", target: int = TARGET) -> Explanation:
    chosen = METHODS["deeplift"].settings.from_mapping({"baseline": baseline})
    return last(explain_view(net, view, "deeplift", chosen, target, seed=0))


def normalised(net: TorchClassifier, view: np.ndarray, baseline: str) -> tuple[Tensor, Tensor]:
    """Picture and baseline on the model's own scale, 1×3×H×W float32 each."""
    image = to_tensor(net, view)
    return net.normalise(image[None]), net.normalise(fill(baseline, image, net.mean, 0)[None])


@torch.no_grad()
def difference(net: TorchClassifier, view: np.ndarray, baseline: str, target: int = TARGET) -> tuple[float, float]:
    """The logit of the picture minus that of the baseline, and the largest logit of the two."""
    picture, other = (net.module(side) for side in normalised(net, view, baseline))
    return float(picture[0, target] - other[0, target]), float(max(picture.abs().max(), other.abs().max()))


def alike(found: Map, expected: Tensor) -> None:
    wanted = expected.sum(1)[0].numpy()
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(found, wanted, atol=2e-4 * np.abs(wanted).max())


def rescaled(high: Tensor, low: Tensor, bend: Callable[[Tensor], Tensor]) -> Tensor:
    change = high - low
    return torch.where(change == 0, 0, (bend(high) - bend(low)) / torch.where(change == 0, 1, change))


def pooled(high: Tensor, low: Tensor, multiplier: Tensor) -> Tensor:
    """The pool of `Pooled`, window by window."""
    contributions = torch.zeros_like(high)
    for plane, row, column in torch.cartesian_prod(*map(torch.arange, multiplier.shape[1:])).tolist():
        rows, columns = (
            range(max(0, 2 * at - 1), min(size, 2 * at + 2))
            for at, size in zip((row, column), high.shape[2:], strict=True)
        )
        window = [(0, plane, y, x) for y in rows for x in columns]
        first, second = (max(window, key=lambda spot, side=side: float(side[spot])) for side in (high, low))
        top = torch.maximum(high[first], low[second])
        contributions[first] += (top - low[second]) * multiplier[0, plane, row, column]
        contributions[second] += (high[first] - top) * multiplier[0, plane, row, column]
    change = high - low
    return torch.where(change == 0, 0, contributions / torch.where(change == 0, 1, change))


@pytest.mark.slow
@pytest.mark.parametrize("baseline", FILLS)
def test_a_map_is_what_the_rules_give_layer_by_layer_by_hand(baseline: str) -> None:
    torch.manual_seed(0)
    net, view = classifier(Pooled()), random_view()
    module = net.module
    given = [side.double() for side in normalised(net, view, baseline)]
    layers = [(module.first.weight.double(), module.first.bias.double())]
    layers.append((module.second.weight.double(), module.second.bias.double()))
    values = [given]
    for weight, bias in layers:
        values.append([F.conv2d(side, weight, bias) for side in values[-1]])
        values.append([side.relu() for side in values[-1]])
        values.append([F.max_pool2d(side, 3, 2, 1) for side in values[-1]])
    multiplier = torch.zeros_like(values[-1][0])
    multiplier[..., :4, :4] = module.head.weight[TARGET].double().view(1, 6, 4, 4)
    for layer in (1, 0):
        bent, rectified = values[3 * layer + 1], values[3 * layer + 2]
        multiplier = pooled(*rectified, multiplier) * rescaled(*bent, torch.relu)
        multiplier = F.conv_transpose2d(multiplier, layers[layer][0])
    found = explained(net, view, baseline)
    alike(found.saliency, (multiplier * (given[0] - given[1])))
    assert found.notes == () and found.evaluations == 2


OWN_MODULES: dict[str, Callable[[], nn.Module]] = {
    **{kind.__name__: kind for kind in (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Softplus)}
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", OWN_MODULES.values(), ids=OWN_MODULES)
@pytest.mark.parametrize("baseline", ["mean", "noise"])
def test_without_pools_and_with_modules_used_once_a_map_is_captums(
    kind: Callable[[], nn.Module], baseline: str
) -> None:
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), kind(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3), kind()]
    net, view = (
        classifier(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4))),
        random_view(),
    )
    picture, other = normalised(net, view, baseline)
    expected = captum.DeepLift(net.module).attribute(picture.requires_grad_(), other, target=TARGET)
    alike(explained(net, view, baseline).saliency, expected.detach())


@pytest.mark.slow
@settings(max_examples=10)
@given(st.integers(0, 2**31), st.sampled_from(FILLS))
def test_one_hidden_layer_of_rectifiers_has_its_closed_form(seed: int, baseline: str) -> None:
    torch.manual_seed(seed)
    hidden, head = nn.Linear(3 * 8 * 8, 12), nn.Linear(12, 4)
    net, view = classifier(nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), head), 8), random_view(8, seed)
    picture, other = (side.double().flatten().numpy() for side in normalised(net, view, baseline))
    W, b, v = (part.detach().double().numpy() for part in (hidden.weight, hidden.bias, head.weight[TARGET]))
    high, low = W @ picture + b, W @ other + b
    ratio = (np.maximum(high, 0) - np.maximum(low, 0)) / (high - low)
    expected = ((v * ratio) @ W) * (picture - other)
    alike(explained(net, view, baseline).saliency, torch.from_numpy(expected).view(1, 3, 8, 8))


def sliced(x: Tensor) -> Tensor:
    made = x.new_zeros(x.shape)
    made[:, :4] = F.relu(x[:, 4:])
    made[:, 4:] = x[:, :4].sigmoid()
    return made


def attended(x: Tensor, attention: nn.Module) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return attention(9 * tokens, 9 * tokens, tokens)[0].transpose(1, 2)


def encoded(x: Tensor, encoder: nn.Module) -> Tensor:
    return encoder(x.flatten(2).transpose(1, 2)).transpose(1, 2)


class Clamped(torch.autograd.Function):
    """A bend with a backward pass that tells nothing of it."""

    @staticmethod
    def forward(_ctx: object, x: Tensor) -> Tensor:
        return x.clamp(-0.3, 0.2) ** 3

    @staticmethod
    def backward(_ctx: object, gradient: Tensor) -> Tensor:
        return gradient


KNOWN: dict[str, Callable[[], nn.Module]] = {
    "overlapping pools": lambda: Pooled(),
    "dilated pool": lambda: Wrapped(lambda x: F.max_pool2d(x.relu(), 3, 2, 1, dilation=2)),
    "pool rounded up": lambda: Wrapped(lambda x, pool: pool(x), nn.MaxPool2d(5, 3, ceil_mode=True)),
    "pool with indices": lambda: Wrapped(lambda x: F.max_pool2d(x, 2, return_indices=True)[0]),
    "adaptive pool": lambda: Wrapped(lambda x, pool: pool(x), nn.AdaptiveMaxPool2d(5)),
    "pool along lines": lambda: Wrapped(lambda x: F.max_pool1d(x.flatten(2), 4, 3)),
    "pool of volumes": lambda: Wrapped(lambda x: F.max_pool3d(x[:, None], 2)[:, 0].repeat(1, 2, 1, 1)),
    "largest of all places": lambda: Wrapped(lambda x: x.amax((2, 3), keepdim=True)),
    "least of a line": lambda: Wrapped(lambda x: x.min(3).values),
    "pool used twice": lambda: Wrapped(lambda x, pool: pool(pool(x)), nn.MaxPool2d(2)),
    "bend used twice": lambda: Wrapped(lambda x, bend: bend(bend(x) - 0.1), nn.ELU()),
    "in place": lambda: Wrapped(lambda x, bend: bend(x.add_(1)).mul_(x), nn.ReLU(inplace=True)),
    "functions": lambda: Wrapped(lambda x: F.softplus(F.gelu(x)) + F.relu6(x).tanh() + torch.sigmoid(x)),
    "in place on a view": lambda: Wrapped(lambda x: F.leaky_relu(x.flatten(1), 0.2, inplace=True).view_as(x)),
    "parts assigned": lambda: Wrapped(sliced),
    "clamp": lambda: Wrapped(lambda x: x.clamp(-0.2, 0.1)),
    "larger of two": lambda: Wrapped(lambda x: torch.maximum(x, x.flip(1)) + torch.minimum(x, x.flip(2))),
    "gate": lambda: Wrapped(lambda x: x * F.hardsigmoid(x.mean((2, 3), keepdim=True))),
    "bend by a condition": lambda: Wrapped(lambda x: torch.where(x > 0, x, x.exp() - 1)),
    "own autograd function": lambda: Wrapped(lambda x: Clamped.apply(x)),
    "without gradients": lambda: Wrapped(torch.no_grad()(lambda x: x.relu())),
    "code that decides alike": lambda: Wrapped(lambda x: x.relu() if x.mean() > -100 else x),
}
SHARED_OUT: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "softmax": ("softmax", lambda: Wrapped(lambda x: x * (4 * x).softmax(1))),
    "attention": ("softmax", lambda: Wrapped(attended, nn.MultiheadAttention(8, 2, batch_first=True))),
    "group normalisation": ("group_norm", lambda: Wrapped(lambda x, norm: norm(x).relu(), nn.GroupNorm(2, 8))),
    "transformer": (
        "layer_norm and softmax",
        lambda: Wrapped(encoded, nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)),
    ),
}
UNKNOWN: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "chosen place": ("gather", lambda: Wrapped(lambda x: x.gather(1, x.argmax(1, keepdim=True)).repeat(1, 8, 1, 1))),
    "NumPy": ("cannot be followed", lambda: Wrapped(lambda x: torch.from_numpy(x.detach().cpu().numpy() ** 3))),
}


def small(make: Callable[[], nn.Module], baseline: str) -> tuple[Explanation, float, float]:
    torch.manual_seed(2)
    net, view = classifier(make()), random_view()
    return explained(net, view, baseline), *difference(net, view, baseline)


@pytest.mark.parametrize("baseline", ["mean", "noise"])
@pytest.mark.parametrize("make", KNOWN.values(), ids=KNOWN)
def test_a_map_adds_up_to_the_difference_of_the_logits(make: Callable[[], nn.Module], baseline: str) -> None:
    found, expected, _ = small(make, baseline)
    assert float(found.saliency.sum(dtype=np.float64)) == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert found.notes == ()


def test_what_a_network_draws_by_chance_is_the_same_for_picture_and_baseline() -> None:
    found, *_ = small(lambda: Wrapped(lambda x: F.dropout(x.relu(), 0.3, training=True) + torch.randn(8, 1, 1)), "mean")
    (note,) = found.notes  # of the model alone
    assert found.saliency.any() and "answers the same images differently each time" in note


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["mean", "noise"])
@pytest.mark.parametrize(("names", "make"), SHARED_OUT.values(), ids=SHARED_OUT)
def test_steps_without_a_rule_in_the_paper_are_named_and_the_map_still_adds_up(
    names: str, make: Callable[[], nn.Module], baseline: str
) -> None:
    found, expected, largest = small(make, baseline)
    assert float(found.saliency.sum(dtype=np.float64)) == pytest.approx(expected, rel=1e-3, abs=1e-4 * largest)
    (note,) = found.notes
    assert f"no rule for {names}:" in note


@pytest.mark.parametrize(("names", "make"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_map_that_misses_the_difference_says_by_how_much_and_why(names: str, make: Callable[[], nn.Module]) -> None:
    found, expected, _ = small(make, "noise")
    total = float(found.saliency.sum(dtype=np.float64))
    assert abs(total - expected) > 0.01 * abs(expected)
    (note,) = (note for note in found.notes if note.startswith(MISSES))
    assert f"{total:.3g}, but the score differs from the baseline's by {expected:.3g}" in note
    assert names in note


BENT: dict[str, Callable[[Tensor], Tensor]] = {
    "sorted": lambda x: x.sort(1).values,
    "median": lambda x: x.median(3).values,
    "running maximum": lambda x: x.cummax(2).values,
    "spectrum": lambda x: torch.fft.rfft2(x).abs(),
    "product": lambda x: x.prod(1, keepdim=True).repeat(1, 8, 1, 1),
    "distance": lambda x: torch.cdist(x.flatten(2), x.flatten(2).flip(1)),
    "spread": lambda x: x / (0.1 + x.std((2, 3), keepdim=True)),
}


@pytest.mark.parametrize("task", BENT.values(), ids=BENT)
def test_a_map_on_other_bends_is_complete_or_says_that_it_is_not(task: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(4)
    net = classifier(Wrapped(task))
    for baseline in ("mean", "noise"):
        complete_or_says_so(net, baseline)


def test_a_network_that_takes_other_steps_for_the_baseline_is_refused() -> None:
    with pytest.raises(MethodError, match="the code of net takes other steps for one than for the other"):
        small(lambda: Wrapped(lambda x: x.relu() if x.var((2, 3)).mean() > 0.01 else x.sigmoid()), "mean")


def test_a_picture_that_is_its_own_baseline_has_an_empty_map_and_misses_nothing() -> None:
    net = classifier(Pooled())
    found = explained(net, np.zeros((SIDE, SIDE, 3), np.uint8), "black")
    assert not found.saliency.any() and not any(note.startswith(MISSES) for note in found.notes)


def test_a_network_answers_and_is_hooked_as_before_when_it_was_explained() -> None:
    torch.manual_seed(3)
    net, view = classifier(Pooled()), random_view()
    before = {name: part.clone() for name, part in net.module.state_dict().items()}
    explained(net, view)
    assert all(torch.equal(part, before[name]) for name, part in net.module.state_dict().items())
    assert all(not module._forward_hooks and not module._backward_hooks for module in net.module.modules())


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["mean", "black", "blur", "noise"])
def test_squeezenet_with_its_weights_is_complete(
    squeezenet: TorchClassifier, imagenet_pictures: tuple, baseline: str
) -> None:
    view = squeezenet.view(to_picture(str(imagenet_pictures[8])))
    with torch.no_grad():
        target = int(squeezenet.module(normalised(squeezenet, view, "mean")[0]).argmax())
    found = explained(squeezenet, view, baseline, target)
    expected, _ = difference(squeezenet, view, baseline, target)
    assert float(found.saliency.sum(dtype=np.float64)) == pytest.approx(expected, rel=1e-3)
    assert found.notes == squeezenet.notes


def complete_or_says_so(net: TorchClassifier, baseline: str) -> None:
    view = random_view(net.input_size[0])
    found = explained(net, view, baseline)
    expected, largest = difference(net, view, baseline)
    gap = abs(float(found.saliency.sum(dtype=np.float64)) - expected)
    assert np.isfinite(found.saliency).all()
    assert (gap > max(0.01 * abs(expected), 1e-4 * largest)) == any(note.startswith(MISSES) for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["mean", "blur"])
@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.source == "torchvision"])
def test_every_network_of_torchvisions_is_complete(name: str, baseline: str) -> None:
    torch.manual_seed(0)
    whole = torchvision_source.untrained(name)
    for part in whole.module.modules():
        if isinstance(part, nn.Linear) and not part.weight.any():
            nn.init.normal_(part.weight)  # vit_b_16 begins with a head of zeros
    fixed = name in ("vit_b_16", "swin_t")
    side = whole.input_size[0] if fixed else 64
    net = TorchClassifier(name, whole.module, whole.labels, input_size=(side, side), layer="")
    complete_or_says_so(net, baseline)
    found = explained(net, random_view(side), baseline)
    assert not any(note.startswith(MISSES) for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.source == "bundled"])
def test_every_network_of_the_projects_own_is_complete_or_says_that_it_is_not(name: str) -> None:
    for baseline in ("mean", "noise"):
        complete_or_says_so(load_classifier(name, device="cpu", exact=True), baseline)
