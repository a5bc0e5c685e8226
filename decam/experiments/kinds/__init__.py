"""The kinds of plan: which questions a request becomes, and how a finished grid is read."""

from decam.errors import SettingError
from decam.experiments.kinds import backdoors, benchmark, class_maps, comparison, randomisation
from decam.experiments.kinds.base import Kind

_ROWS = (comparison.KIND, randomisation.KIND, benchmark.KIND, class_maps.KIND, backdoors.KIND)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}


def get(name: str) -> Kind:
    """The row of that name; raises SettingError where there is none."""
    if name not in KINDS:
        raise SettingError(f"There is no kind of plan {name!r}; there are: {', '.join(KINDS)}. Update decam.")
    return KINDS[name]


__all__ = ["KINDS", "Kind", "get"]
