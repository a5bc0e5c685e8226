"""Rewrites a network so that every ReLU is a separate module, as Guided Backprop and Deconvolution require."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from torch import fx, nn

from decam.classifier import TorchClassifier
from decam.classifier.base import called
from decam.classifier.engines.base import converting_alone
from decam.methods.support.weight_sharing import share_weights

RECTIFIER = "relu"
# Functions, methods and modules that bend what passes, by their names in lower case without underscores.
_ACTIVATIONS = frozenset(
    {"celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leakyrelu", "logsigmoid"}
    | {"mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign"}
    | {"tanh", "tanhshrink", "threshold"}
)


@dataclass(frozen=True)
class Rewired:
    """A module with the same weights that answers the same, and the names of all activations in it.

    Each of its rectifiers is an nn.ReLU that is used once and not in place; other activations that are no modules, on
    which nothing can be hooked, are named as functions. `module` is None where the network cannot be traced, because
    its own code decides by what it is given.
    """

    module: fx.GraphModule | None
    activations: frozenset[str]


_known: WeakKeyDictionary[TorchClassifier, Rewired] = WeakKeyDictionary()


def rewired(classifier: TorchClassifier) -> Rewired:
    """The classifier's module rewired; made once, hooks belong on a copy of it that shares its weights."""
    if classifier not in _known:
        _known[classifier] = _made(classifier.module)
    return _known[classifier]


def _made(module: nn.Module) -> Rewired:
    try:
        traced = _traced(share_weights(module))
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, AttributeError, IndexError):
        return Rewired(None, frozenset())
    found = set()
    for number, node in enumerate(list(traced.graph.nodes)):
        name = _activation(traced, node)
        found.add(name)
        if name == RECTIFIER:
            traced.add_submodule(f"rectifier_{number}", nn.ReLU())
            with traced.graph.inserting_after(node):
                own = traced.graph.call_module(f"rectifier_{number}", (node.args[0],))
            node.replace_all_uses_with(own)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return Rewired(traced.eval(), frozenset(found - {""}))


class _Tracer(fx.Tracer):
    """Follows its own thread: while it traces, PyTorch sends it all calls and looks for weights, whoever makes them."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """As PyTorch's, but for what another thread asks of its own model: that is answered."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """As PyTorch's, but another thread gets the weight itself: the copy that is traced shares its model's."""
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def _traced(module: nn.Module) -> fx.GraphModule:
    # Two at a time would each put back what they found, the other's traps among it; an export counts as one.
    with converting_alone:
        return fx.GraphModule(module, _Tracer().trace(module))


def _activation(traced: fx.GraphModule, node: fx.Node) -> str:
    """Which activation a step of the graph is; the empty string for none."""
    if node.op == "call_module":
        name = type(traced.get_submodule(str(node.target))).__name__
    elif node.op in ("call_function", "call_method"):
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    else:
        return ""
    plain = name.lower().replace("_", "")
    if plain not in _ACTIVATIONS:
        return ""
    return plain if node.op == "call_module" or plain == RECTIFIER else f"{plain} as a function"


def without(classifier: TorchClassifier, title: str, allowed: frozenset[str]) -> str:
    """Why a method that handles only the `allowed` activations cannot explain the classifier; empty if it can."""
    made = rewired(classifier)
    if made.module is None:
        return f"{title} needs a network that can be traced, and the code of {called(classifier)} cannot be."
    strange = sorted(made.activations - allowed)
    if strange:
        return f"{title} is not defined for the activations of {called(classifier)} ({', '.join(strange)})."
    if allowed == {RECTIFIER} and not made.activations:
        return f"{title} changes how gradients pass rectifiers (ReLU), and {called(classifier)} has none."
    return ""
