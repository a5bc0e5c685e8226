"""The table of sources: the order is that of the catalogue, and of the question which source knows a name."""

from __future__ import annotations

from decam.models.sources import bundled, checkpoint, torchvision
from decam.models.sources.base import Source

_WITH_NETWORKS = (bundled.SOURCE, torchvision.SOURCE)

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        *_WITH_NETWORKS,
        checkpoint.source([network for row in _WITH_NETWORKS for network in row.architectures]),
    )
}
