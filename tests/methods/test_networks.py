"""Every white-box method on every one of torchvision's networks: it runs, or says beforehand why not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from decam.classifier import Execution, TorchClassifier
from decam.errors import MethodError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods import METHODS
from decam.models.catalogue import ENTRIES
from decam.models.sources import torchvision as torchvision_source
from decam.settings import Settings

NETWORKS = [name for name, entry in ENTRIES.items() if entry.source == "torchvision"]
FIXED = ("vit_b_16", "swin_t")  # whose pictures must have their own size; the others may be smaller, which is quicker
SIDE = 64
DEAREST = 4  # evaluations: what costs more asks in no other way
FEW = {"steps": 4, "samples": 2, "levels": 2, "rivals": 1}
WHITE_BOX = [name for name, row in METHODS.items() if row.needs - {"output"} and row.family != "control"]


def network(name: str) -> TorchClassifier:
    whole = torchvision_source.untrained(name)
    if name in FIXED:
        return whole
    return TorchClassifier(
        name,
        whole.module,
        whole.labels,
        input_size=(SIDE, SIDE),
        layer=whole.layer,
        layers=whole.layers,
        execution=Execution(batch_size=8),
    )


def cheap(name: str) -> Settings:
    """Settings of a method at which it costs little."""
    row = METHODS[name].settings
    return row.from_mapping({known.name: FEW[known.name] for known in row.parameters() if known.name in FEW})


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_method_explains_a_network_or_says_why_it_cannot(name: str) -> None:
    net = network(name)
    view = np.random.default_rng(0).integers(0, 256, (*net.input_size, 3), dtype=np.uint8)
    explained = 0
    for method in WHITE_BOX:
        row, settings = METHODS[method], cheap(method)
        if obstacle := row.obstacle(net):
            assert obstacle.endswith(".")
            with pytest.raises(MethodError, match=re.escape(obstacle)):
                next(explain_view(net, view, method, settings, 3, 0))
        elif row.cost(settings, net) <= DEAREST:
            found = last(explain_view(net, view, method, settings, 3, 0))
            assert found.saliency.shape == net.input_size and np.isfinite(found.saliency).all(), method
            assert found.evaluations == row.cost(settings, net), method
            explained += 1
    assert explained >= 8
