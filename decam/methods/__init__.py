"""Methods that make saliency maps: a table, and one folder a family."""

import sys
from types import ModuleType

from decam.methods.base import AnyMethod, ClassMethod, Method, Series
from decam.methods.table import CLASS_METHODS, METHODS, described, get, get_class_method, is_method


class _Table(ModuleType):
    """Makes the package itself callable, for it shares its name with `decam.methods()`."""

    def __call__(self) -> dict[str, Method]:
        return dict(METHODS)


sys.modules[__name__].__class__ = _Table

__all__ = [
    "CLASS_METHODS",
    "METHODS",
    "AnyMethod",
    "ClassMethod",
    "Method",
    "Series",
    "described",
    "get",
    "get_class_method",
    "is_method",
]
