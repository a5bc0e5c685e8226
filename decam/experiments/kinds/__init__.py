"""The kinds of plan: which questions a request becomes, and how a finished grid is read."""

from decam.experiments.kinds import benchmark, comparison, randomisation
from decam.experiments.kinds.base import Kind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (comparison.KIND, randomisation.KIND, benchmark.KIND)}

__all__ = ["KINDS", "Kind"]
