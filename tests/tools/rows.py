"""The rows that the modules of a room make, whether a table lists them or not."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType


def made_in(room: ModuleType, *kinds: type) -> list[object]:
    """Every value of these types that a module of the package has under a name of its own."""
    names = [found.name for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    return [value for name in names for value in vars(import_module(name)).values() if isinstance(value, kinds)]
