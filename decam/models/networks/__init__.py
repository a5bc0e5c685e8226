"""Networks that say while they answer where they look."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard

from torch import nn

from decam.models.networks.abn import AttentionBranchNetwork
from decam.models.networks.bcnn import BilinearNetwork
from decam.models.networks.prototypes import PrototypeNetwork

if TYPE_CHECKING:
    from torchvision.models import SwinTransformer, VisionTransformer

_KINDS = (AttentionBranchNetwork, BilinearNetwork, PrototypeNetwork)


def attends(module: nn.Module) -> bool:
    """Whether a network weighs places by an attention of its own; which methods can read it is theirs to say."""
    return isinstance(module, _KINDS) or is_vision_transformer(module) or is_swin_transformer(module)


def is_vision_transformer(module: nn.Module) -> TypeGuard[VisionTransformer]:
    """True for torchvision's vision transformer, which attends over the whole image."""
    return _is_torchvisions(module, "VisionTransformer")


def is_swin_transformer(module: nn.Module) -> TypeGuard[SwinTransformer]:
    """True for torchvision's Swin transformer, which attends within windows."""
    return _is_torchvisions(module, "SwinTransformer")


def _is_torchvisions(module: nn.Module, kind: str) -> bool:
    """True for an instance of a class of torchvision's; before torchvision was imported there is none.

    Importing it takes seconds, which only its own models are worth.
    """
    own = getattr(sys.modules.get("torchvision.models"), kind, None)
    return own is not None and isinstance(module, own)
