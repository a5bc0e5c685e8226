"""The table of methods, in the order in which a comparison shows them."""

import difflib
import sys
from types import ModuleType

from decam.errors import MethodError
from decam.methods.base import Method, Series
from decam.methods.cam import GRAD_CAM
from decam.methods.controls import CENTRE, RANDOM
from decam.methods.de_cam import DE_CAM
from decam.methods.gradient import INTEGRATED_GRADIENTS
from decam.methods.perturbation import OCCLUSION, RISE

METHODS: dict[str, Method] = {
    method.name: method for method in (DE_CAM, GRAD_CAM, INTEGRATED_GRADIENTS, OCCLUSION, RISE, RANDOM, CENTRE)
}


def get(name: str) -> Method:
    """The row of that name; raises MethodError where there is none."""
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise MethodError(f"There is no method {name!r}; there are: {', '.join(METHODS)}.{hint}")


class _Table(ModuleType):
    """Makes the package itself callable, for it shares its name with `decam.methods()`."""

    def __call__(self) -> dict[str, Method]:
        return dict(METHODS)


sys.modules[__name__].__class__ = _Table

__all__ = ["METHODS", "Method", "Series", "get"]
