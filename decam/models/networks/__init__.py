"""Networks that say while they answer where they look."""

from __future__ import annotations

from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer

from decam.models.networks.abn import AttentionBranchNetwork
from decam.models.networks.bcnn import BilinearNetwork
from decam.models.networks.prototypes import PrototypeNetwork

_KINDS = (AttentionBranchNetwork, BilinearNetwork, PrototypeNetwork, VisionTransformer, SwinTransformer)


def attends(module: nn.Module) -> bool:
    """Whether a network weighs places by an attention of its own; which methods can read it is theirs to say."""
    return isinstance(module, _KINDS)
