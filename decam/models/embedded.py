"""The small residual network that comes with the project: it names the shape in a scene, and needs no download."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from decam.errors import ModelError
from decam.images import scenes

LABELS: tuple[str, ...] = scenes.CLASSES
INPUT_SIZE = (scenes.SIZE, scenes.SIZE)
# Mean and standard deviation over 2,000 scenes; the three colours differ by less than 0.02.
MEAN = (0.51, 0.51, 0.51)
STD = (0.285, 0.285, 0.285)
WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "embedded.safetensors"

_WIDTHS = (24, 48, 80, 80)
_STRIDES = (1, 2, 2, 1)
_RESTORE = "restore it with `git checkout assets/embedded.safetensors` or make it again with `python -m decam.training`"


@dataclass(frozen=True)
class Card:
    """How the weights came about: their accuracy on `tested` unseen scenes, 0 … 1, and what they were trained on."""

    accuracy: float
    tested: int
    seed: int
    scenes: int
    epochs: int
    torch: str
    numpy: str


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int, fused: bool) -> None:
        super().__init__()
        self.first = _convolution(before, after, 3, stride, fused)
        self.first_relu = nn.ReLU()
        self.second = _convolution(after, after, 3, 1, fused)
        shortcut: list[nn.Module] = [] if stride == 1 else [nn.AvgPool2d(stride)]
        if before != after:
            shortcut.append(_convolution(before, after, 1, 1, fused))
        self.shortcut = nn.Sequential(*shortcut)
        self.relu = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """N×before×H×W to N×after×H/stride×W/stride."""
        added = self.second(self.first_relu(self.first(features))) + self.shortcut(features)
        return cast(Tensor, self.relu(added))


class Embedded(nn.Module):
    """Normalised N×3×128×128 to N×10 logits; the last convolutional block answers at 8×8."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__()
        # A quarter of the resolution in one step: pixels are where the time goes.
        self.stem = nn.Sequential(_convolution(3, _WIDTHS[0], 7, 4, fused), nn.ReLU())
        befores = (_WIDTHS[0], *_WIDTHS)
        self.blocks = nn.Sequential(
            *(
                Residual(before, after, stride, fused)
                for before, after, stride in zip(befores, _WIDTHS, _STRIDES, strict=False)
            )
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(_WIDTHS[-1], len(LABELS))

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×10 logits."""
        return cast(Tensor, self.head(self.pool(self.blocks(self.stem(images))).flatten(1)))


def network() -> Embedded:
    """The network with random weights and batch normalisation, for training."""
    return Embedded()


def fused(trained: Embedded) -> Embedded:
    """The same function with every batch normalisation folded into its convolution, in evaluation mode."""
    single = Embedded(fused=True)
    state = dict(single.state_dict())
    for name, tensor in trained.state_dict().items():
        if name in state:
            state[name] = tensor
    for name, module in trained.named_modules():
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            convolution, norm = cast(nn.Conv2d, module[0]), module[1]
            weight, bias = fuse_conv_bn_weights(
                convolution.weight,
                convolution.bias,
                cast(Tensor, norm.running_mean),
                cast(Tensor, norm.running_var),
                norm.eps,
                norm.weight,
                norm.bias,
            )
            state[f"{name}.0.weight"], state[f"{name}.0.bias"] = weight, bias
    single.load_state_dict(state)
    return single.eval()


def target_layer(model: nn.Module) -> nn.Module:
    """The last convolutional block of a network made here: where Grad-CAM looks."""
    return cast(Embedded, model).blocks[-1]


def save(model: Embedded, card: Card, path: Path) -> None:
    """Writes a fused network (as float16, which halves the file) and its card; the file appears whole or not at all."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    about = {"card": json.dumps({**asdict(card), "sha256": _digest(tensors)}, sort_keys=True)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(write_tensors(tensors, about))
    unfinished.replace(path)


def load(path: Path | None = None) -> nn.Module:
    """The trained network in evaluation mode, float32; raises ModelError where its file is missing or damaged."""
    return _read(path or WEIGHTS)[0]


def card(path: Path | None = None) -> Card:
    """What the file of weights says about itself; raises ModelError where it is missing or damaged."""
    return _read(path or WEIGHTS)[1]


def _read(path: Path) -> tuple[Embedded, Card]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"The weights of the embedded model are missing: {path} is not there; {_RESTORE}.") from None
    except OSError as error:
        raise ModelError(
            f"The weights of the embedded model in {path} cannot be read ({error.strerror}); {_RESTORE}."
        ) from error
    try:
        tensors = read_tensors(data)
        length = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["card"])
        if about.pop("sha256") != _digest(tensors):
            raise ValueError("the checksum differs")
        described = Card(**about)
        model = Embedded(fused=True)
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"The weights of the embedded model in {path} are damaged or not this network's; {_RESTORE}."
        ) from error
    return model.eval(), described


def _digest(tensors: dict[str, Tensor]) -> str:
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode())
        whole.update(tensors[name].numpy().tobytes())
    return whole.hexdigest()


def _convolution(before: int, after: int, side: int, stride: int, fused: bool) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, side, stride, side // 2, bias=fused)
    return nn.Sequential(convolution) if fused else nn.Sequential(convolution, nn.BatchNorm2d(after))
