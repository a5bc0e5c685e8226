"""The kinds of plan: which questions a request becomes, and how a finished grid is read."""

from decam.experiments.kinds import benchmark, class_maps, comparison, randomisation
from decam.experiments.kinds.base import Kind

_ROWS = (comparison.KIND, randomisation.KIND, benchmark.KIND, class_maps.KIND)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}

__all__ = ["KINDS", "Kind"]
