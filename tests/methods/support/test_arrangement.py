"""Rows, columns and channels of a layer are found by what follows the picture, whatever the layout of its output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models import VisionTransformer, get_model

from decam.classifier import TorchClassifier
from decam.errors import SettingError
from decam.experiments.explain import explain_view
from decam.explanation import Question, last
from decam.methods import METHODS
from decam.methods.support.attention_hooks import grid
from decam.methods.support.layers import arrangement, grid_shape, levels
from decam.methods.support.white_box import Opened

PATCH = 4
LAYOUTS = ("channels first", "channels last", "columns first", "tokens", "tokens last", "tokens by columns")


@dataclass(frozen=True)
class Layout:
    """How a grid N×C×H×W is handed through a layer, with tokens that are no places before and after it."""

    name: str
    before: int = 0
    after: int = 0

    def out(self, grid: Tensor) -> Tensor:
        if self.name == "channels first":
            return grid
        if self.name == "channels last":
            return grid.permute(0, 2, 3, 1)
        if self.name == "columns first":
            return grid.permute(0, 1, 3, 2)
        tokens = (grid.mT if self.name == "tokens by columns" else grid).flatten(2)
        mean = tokens.mean(2, keepdim=True)
        whole = torch.cat([mean.expand(-1, -1, self.before), tokens, mean.expand(-1, -1, self.after)], 2)
        return whole if self.name == "tokens last" else whole.transpose(1, 2)


class Patches(nn.Module):
    """One patch a place, mixed a little with all others; class 1 is the brightness of one place."""

    def __init__(self, layout: Layout, channels: int, place: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, channels, PATCH, PATCH)
        nn.init.uniform_(self.patch.weight, 0, 2 / (3 * PATCH**2))
        nn.init.zeros_(self.patch.bias)
        self.block = nn.Identity()
        self.layout, self.place = layout, place

    def grid(self, images: Tensor) -> Tensor:
        grid = self.patch(images)
        return grid + 0.1 * grid.mean((2, 3), keepdim=True)

    def forward(self, images: Tensor) -> Tensor:
        grid = self.grid(images)
        given = self.block(self.layout.out(grid))
        numbers = self.layout.out(torch.arange(grid[0].numel(), dtype=torch.double).view(1, *grid.shape[1:]))
        row, column = self.place
        mine = [channel * grid[0, 0].numel() + row * grid.shape[3] + column for channel in range(grid.shape[1])]
        flat = given.flatten(1)[:, torch.isin(numbers.flatten(), torch.tensor(mine, dtype=torch.double))]
        return torch.stack([-flat.mean(1), flat.mean(1)], 1)


def patches(layout: Layout, shape: tuple[int, int, int], place: tuple[int, int] = (0, 0)) -> TorchClassifier:
    torch.manual_seed(0)
    channels, rows, columns = shape
    size = (PATCH * rows, PATCH * columns)
    module = Patches(layout, channels, place)
    return TorchClassifier("patches", module, ["dark", "bright"], input_size=size, layer="block", layers=("block",))


def found_grid(net: TorchClassifier, images: Tensor) -> Tensor:
    module = net.module
    assert isinstance(module, Patches)
    return arrangement(net, "block").grid(module.layout.out(module.grid(images)))


@given(
    st.sampled_from(LAYOUTS), st.integers(4, 12), st.integers(4, 9), st.integers(4, 9), st.integers(0, 5), st.booleans()
)
@settings(max_examples=40)
@pytest.mark.slow
def test_the_grid_is_the_one_that_the_layer_was_given(
    name: str, channels: int, rows: int, columns: int, extra: int, behind: bool
) -> None:
    net = patches(Layout(name, 0 if behind else extra, extra if behind else 0), (channels, rows, columns))
    assert grid_shape(net, "block") == (channels, rows, columns)
    images = torch.rand(2, 3, *net.input_size)
    torch.testing.assert_close(found_grid(net, images), net.module.grid(images), rtol=0, atol=0)


@given(st.sampled_from(LAYOUTS), st.integers(2, 4), st.integers(2, 4), st.integers(2, 4), st.integers(0, 3))
@settings(max_examples=40)
@pytest.mark.slow
def test_the_grid_of_a_few_places_is_the_right_one_or_is_refused(
    name: str, channels: int, rows: int, columns: int, extra: int
) -> None:
    net = patches(Layout(name, extra, 0), (channels, rows, columns))
    images = torch.rand(2, 3, *net.input_size)
    try:
        found = found_grid(net, images)
    except SettingError as error:
        assert "hold rows and columns is unclear" in str(error)
    else:
        torch.testing.assert_close(found, net.module.grid(images), rtol=0, atol=0)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(
    "shape", [(4, 4, 8), (8, 4, 8), (4, 8, 4), (5, 5, 5), (8, 8, 8), (3, 2, 3), (16, 1, 8), (6, 8, 1), (1, 4, 8)]
)
def test_channels_as_many_as_rows_or_columns_and_single_lines_are_told_apart(
    name: str, shape: tuple[int, int, int]
) -> None:
    net = patches(Layout(name), shape)
    assert grid_shape(net, "block") == shape
    images = torch.rand(2, 3, *net.input_size)
    torch.testing.assert_close(found_grid(net, images), net.module.grid(images), rtol=0, atol=0)


@given(st.sampled_from(LAYOUTS), st.integers(4, 7), st.integers(4, 6), st.integers(4, 6), st.integers(0, 3))
@settings(max_examples=20)
@pytest.mark.slow
def test_an_output_with_its_own_grid_put_back_is_the_output(
    name: str, channels: int, rows: int, columns: int, extra: int
) -> None:
    net = patches(Layout(name, extra, 1), (channels, rows, columns))
    output = net.module.layout.out(net.module.grid(torch.rand(2, 3, *net.input_size)))
    found = arrangement(net, "block")
    torch.testing.assert_close(found.with_grid(output, found.grid(output)), output, rtol=0, atol=0)
    changed = found.with_grid(output, found.grid(output) + 1)
    torch.testing.assert_close(found.grid(changed), found.grid(output) + 1)
    assert int((changed != output).sum()) == 2 * channels * rows * columns


@pytest.mark.parametrize("method", ["grad-cam", "layer-cam", "xgrad-cam", "finer-cam", "ablation-cam", "score-cam"])
@pytest.mark.parametrize(
    "layout", [Layout(name) for name in LAYOUTS] + [Layout("tokens", 1), Layout("tokens", 1, 4)], ids=str
)
def test_a_map_is_brightest_at_the_place_that_the_class_is_about(layout: Layout, method: str) -> None:
    net = patches(layout, (4, 4, 8), place=(0, 7))
    view = np.full((*net.input_size, 3), 120, np.uint8)
    view[:PATCH, -PATCH:] = 255
    found = last(explain_view(net, view, method, METHODS[method].settings(), 1, seed=0)).saliency
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert row < PATCH and column >= found.shape[1] - PATCH


@pytest.mark.slow
def test_swin_of_a_wide_picture_has_a_wide_grid() -> None:
    torch.manual_seed(0)
    net = TorchClassifier("swin_t", get_model("swin_t"), [str(i) for i in range(1000)], input_size=(64, 128))
    assert grid_shape(net, "features.7") == (768, 2, 4)
    assert grid_shape(net, "features.0.0") == (96, 16, 32)


def test_a_model_is_asked_about_a_layer_once() -> None:
    net = patches(Layout("tokens", 1), (4, 4, 8))
    calls: list[int] = []
    forward = Patches.grid
    net.module.grid = lambda images: (calls.append(len(images)), forward(net.module, images))[1]
    assert net.inspection.channels == 3  # what the network takes is found out before, once too
    calls.clear()
    for _ in range(3):
        grid_shape(net, "block")
    assert len(calls) == 1


class Odd(nn.Module):
    """Hands its layer what `odd` makes of a grid of features."""

    def __init__(self, odd: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.patch, self.block, self.odd = nn.Conv2d(3, 6, PATCH, PATCH), nn.Identity(), odd

    def forward(self, images: Tensor) -> Tensor:
        grid = self.patch(images)
        self.block(self.odd(grid))
        return grid.mean((2, 3))


def odd(change: Callable[[Tensor], object]) -> TorchClassifier:
    torch.manual_seed(0)
    return TorchClassifier("odd", Odd(change), list("abcdef"), input_size=(24, 24), layer="block", layers=("block",))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda grid: grid.flip(2, 3),
        lambda grid: grid.flip(2),
        lambda grid: grid.flatten(2)[:, :, torch.randperm(36, generator=torch.Generator().manual_seed(1))],
    ],
    ids=["turned round", "upside down", "shuffled tokens"],
)
def test_an_output_whose_places_do_not_follow_the_picture_is_refused(change: Callable[[Tensor], object]) -> None:
    with pytest.raises(SettingError, match="hold rows and columns is unclear"):
        grid_shape(odd(change), "block")


@pytest.mark.parametrize(
    "change",
    [
        lambda grid: grid.mean((2, 3)),
        lambda grid: grid.unsqueeze(2),
        lambda grid: (grid, grid),
        lambda grid: grid.transpose(0, 1),
    ],
    ids=["pooled", "five axes", "a tuple", "images not first"],
)
def test_an_output_that_is_no_grid_is_refused(change: Callable[[Tensor], object]) -> None:
    with pytest.raises(SettingError, match="has no spatial grid"):
        grid_shape(odd(change), "block")


def test_a_layer_that_answers_nothing_is_read_by_the_pictures_proportions() -> None:
    net = odd(lambda grid: 0 * grid[:, :4])
    assert grid_shape(net, "block") == (4, 6, 6) and levels(net, "block") == ("block",)
    for unlike in (
        lambda grid: 0 * grid[:, :4, :, :2],
        lambda grid: 0 * grid,
    ):  # the second has as many channels as rows
        with pytest.raises(SettingError, match="hold rows and columns is unclear"):
            grid_shape(odd(unlike), "block")


class WideVit(VisionTransformer):
    """A vision transformer for pictures of 16×32, in patches of 4."""

    def __init__(self) -> None:
        super().__init__(24, PATCH, num_layers=2, num_heads=2, hidden_dim=24, mlp_dim=24, num_classes=3)
        self.encoder.pos_embedding = nn.Parameter(torch.randn(1, 33, 24) / 10)

    def _process_input(self, x: Tensor) -> Tensor:
        return self.conv_proj(x).flatten(2).transpose(1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["attention-rollout", "class-token", "legrad"])
def test_attention_over_a_wide_picture_is_a_wide_map(method: str) -> None:
    torch.manual_seed(0)
    module = WideVit()
    nn.init.normal_(module.heads[0].weight)
    net = TorchClassifier("wide", module, list("abc"), input_size=(16, 32), attention=True)
    view = np.random.default_rng(0).integers(0, 256, (16, 32, 3), dtype=np.uint8)
    first = "encoder.layers.encoder_layer_0"
    assert grid_shape(net, first) == (24, 4, 8)
    assert arrangement(net, first).first == 1
    values = {"legrad": {"blocks": 1}}.get(method, {})
    found = last(explain_view(net, view, method, METHODS[method].settings.from_mapping(values), 1, seed=0)).saliency
    assert found.shape == (16, 32) and np.isfinite(found).all() and found.max() > found.min()


@pytest.mark.slow
def test_a_value_a_token_becomes_the_grid_of_the_patches() -> None:
    torch.manual_seed(0)
    net = TorchClassifier("wide", WideVit(), list("abc"), input_size=(16, 32), attention=True)
    model = Opened(Question(net, torch.zeros(3, 16, 32), 0), lambda: None)
    assert torch.equal(grid(model, torch.arange(33.0)), torch.arange(1.0, 33).view(4, 8))
