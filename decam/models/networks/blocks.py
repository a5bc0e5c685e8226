"""What the project's own networks are built of: convolutions, residual blocks, and the trunk that they share."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from decam.images.scenes import scene

LABELS: tuple[str, ...] = scene.CLASSES
INPUT_SIZE = (scene.SIZE, scene.SIZE)
# Mean and standard deviation over 2,000 scenes; the three colours differ by less than 0.02.
MEAN = (0.51, 0.51, 0.51)
STD = (0.285, 0.285, 0.285)

WIDTHS = (24, 48, 80, 80)
STRIDES = (1, 2, 2, 1)


def convolution(before: int, after: int, side: int, stride: int, fused: bool) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, with batch normalisation behind it or folded into it."""
    layer = nn.Conv2d(before, after, side, stride, side // 2, bias=fused)
    return nn.Sequential(layer) if fused else nn.Sequential(layer, nn.BatchNorm2d(after))


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int, fused: bool) -> None:
        super().__init__()
        self.first = convolution(before, after, 3, stride, fused)
        self.first_relu = nn.ReLU()
        self.second = convolution(after, after, 3, 1, fused)
        shortcut: list[nn.Module] = [] if stride == 1 else [nn.AvgPool2d(stride)]
        if before != after:
            shortcut.append(convolution(before, after, 1, 1, fused))
        self.shortcut = nn.Sequential(*shortcut)
        self.relu = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """N×before×H×W to N×after×H/stride×W/stride."""
        added = self.second(self.first_relu(self.first(features))) + self.shortcut(features)
        return cast(Tensor, self.relu(added))


class Trunk(nn.Module):
    """Normalised N×3×128×128 to features: a stem at a quarter of the resolution, then `len(strides)` blocks."""

    def __init__(self, fused: bool = True, strides: tuple[int, ...] = STRIDES) -> None:
        super().__init__()
        # A quarter of the resolution in one step: pixels are where the time goes.
        self.stem = nn.Sequential(convolution(3, WIDTHS[0], 7, 4, fused), nn.ReLU())
        befores = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.Sequential(
            *(
                Residual(before, after, stride, fused)
                for before, after, stride in zip(befores, WIDTHS, strides, strict=False)
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×C×h×w, not negative."""
        return cast(Tensor, self.blocks(self.stem(images)))


@torch.no_grad()
def start_from(trunk: Trunk, trained: Trunk, keep: int = 0) -> None:
    """Give a fused trunk the weights of the first blocks of a trained one, whatever the strides of either.

    The stem and the first `keep` blocks are not to change any more, if there are any to keep.
    """
    for mine, theirs in zip(trunk.stem.parameters(), trained.stem.parameters(), strict=True):
        mine.copy_(theirs)
    for block, model in zip(trunk.blocks, trained.blocks, strict=False):
        for mine, theirs in zip(block.parameters(), model.parameters(), strict=True):
            mine.copy_(theirs)
    for part in (trunk.stem, *tuple(trunk.blocks)[:keep]) if keep else ():
        part.requires_grad_(False)


def fold(trained: nn.Module, single: nn.Module) -> None:
    """Fill `single`, the fused form of `trained`, with its weights, batch normalisation folded into convolutions."""
    state = dict(single.state_dict())
    for name, tensor in trained.state_dict().items():
        if name in state:
            state[name] = tensor
    for name, module in trained.named_modules():
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            layer, norm = cast(nn.Conv2d, module[0]), module[1]
            weight, bias = fuse_conv_bn_weights(
                layer.weight,
                layer.bias,
                cast(Tensor, norm.running_mean),
                cast(Tensor, norm.running_var),
                norm.eps,
                norm.weight,
                norm.bias,
            )
            state[f"{name}.0.weight"], state[f"{name}.0.bias"] = weight, bias
    single.load_state_dict(state)
