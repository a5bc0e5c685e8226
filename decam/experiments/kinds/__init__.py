"""The kinds of plan: which questions a request becomes, and how a finished grid is read."""

from decam.errors import SettingError, unknown
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors, benchmark, class_maps, comparison, randomisation
from decam.experiments.kinds.base import Kind, Reading

_ROWS = (comparison.KIND, randomisation.KIND, benchmark.KIND, class_maps.KIND, backdoors.KIND)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}


def get(name: str) -> Kind:
    """The row of that name; raises SettingError where there is none."""
    if name not in KINDS:
        raise SettingError(f"{unknown('kind of plan', name, KINDS)} Update decam.")
    return KINDS[name]


def reading(grid: Grid) -> tuple[Reading, ...]:
    """What a grid has found, as its plan's kind reads it; raises SettingError for a kind that is not in the table."""
    return get(grid.plan.kind).reading(grid)


__all__ = ["KINDS", "Kind", "Reading", "get", "reading"]
