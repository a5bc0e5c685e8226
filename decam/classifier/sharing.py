"""Copies of a module that share its weights: what is done to the copy is not done to the module."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from decam.errors import ModelError


def unwrapped(module: nn.Module) -> nn.Module:
    """The network inside `torch.compile`, DataParallel and DistributedDataParallel, which answers the same."""
    while True:
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            module = module.module
        elif inner := dict(module.named_children()).get("_orig_mod"):
            module = inner
        else:
            return module


def check_loaded(module: nn.Module, name: str) -> None:
    """Raise ModelError for a module whose weights are not there yet."""
    for part in _tensors(module):
        if is_lazy(part):
            raise ModelError(
                f"{name} has lazy layers without weights: ask the module about one batch of images, then wrap it."
            )
        if part.is_meta:
            raise ModelError(f"The weights of {name} are on the meta device, without values: load them, then wrap it.")


def working_copy(module: nn.Module, device: torch.device) -> tuple[nn.Module, bool]:
    """A copy in evaluation mode, without gradients for its weights, in float32 on a device.

    Also returns whether the copy shares its weights with the module: all are shared where all are float32 on the
    device, else all are copied. Raises ModelError for a module that cannot be copied.
    """
    scripted = isinstance(module, torch.jit.ScriptModule)  # copies itself, weights and all
    shared = not scripted and all(_fits(part, device) for part in _tensors(module))
    replacements: dict[int, Any] = {}
    for part in () if scripted else _tensors(module):
        if type(part) not in (Tensor, nn.Parameter):
            continue  # a subclass knows best how it is copied
        moved = part.detach()
        if not shared:
            # To its own copy in one go: float16 and float64 become float32, integers stay.
            moved = moved.to(device, torch.float32 if part.is_floating_point() else part.dtype, copy=True)
        replacements[id(part)] = nn.Parameter(moved, False) if isinstance(part, nn.Parameter) else moved
    with torch.no_grad():  # copies are no results of what they are copied from
        copy_ = copied(module, replacements)
        if not shared:
            copy_ = copy_.to(device).float()  # what is no plain tensor, and modules that copy themselves
    try:
        copy_.eval()
    except NotImplementedError as error:
        # So torch.export's modules refuse it. Any other error is a mistake in the module's own code, to be seen.
        raise ModelError(
            f"The module cannot be put into evaluation mode ({type(error).__name__}: {error}); give the module that "
            "it was exported from."
        ) from error
    for part in copy_.parameters():
        part.requires_grad_(False)
    return copy_, shared


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _fits(part: Tensor, device: torch.device) -> bool:
    same = part.device.type == device.type and device.index in (None, part.device.index)
    return same and (not part.is_floating_point() or part.dtype == torch.float32)


def copied(module: nn.Module, kept: Mapping[int, Any]) -> nn.Module:
    """A copy in which `kept` (by the ids of what they stand for) are taken as they are.

    Attributes that cannot be copied, such as a lock or a logger, are shared. Raises ModelError for a module that cannot
    be copied all the same.
    """
    kept = {**_loose_tensors(module), **kept}
    try:
        return copy.deepcopy(module, dict(kept))
    except Exception:  # noqa: BLE001  # an attribute's own code can raise anything; tried again without those
        known = {**kept, **{id(part): part for part in module.modules()}}  # what leads back to them is no obstacle
        shared = {id(value): value for part in module.modules() for value in _uncopyable(_attributes(part), known)}
    try:
        return copy.deepcopy(module, {**shared, **kept})
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"The module cannot be copied ({type(error).__name__}: {reason}).") from error


def _attributes(module: nn.Module) -> dict[str, object]:
    own = ("_parameters", "_buffers", "_modules")
    return {name: value for name, value in vars(module).items() if name not in own}


def _loose_tensors(module: nn.Module) -> dict[int, Tensor]:
    """Attributes that are results: these cannot be deep-copied, or not be differentiated through afterwards."""
    attributes = [value for part in module.modules() for value in _attributes(part).values()]
    results = [value for value in attributes if isinstance(value, Tensor)]
    return {id(value): value.detach().clone() for value in results if value.grad_fn is not None or value.is_inference()}


def _uncopyable(value: object, kept: Mapping[int, Any]) -> Iterator[object]:
    """What of a value cannot be copied; plain containers are opened, for they may hold modules too."""
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _uncopyable(item, kept)
        return
    try:
        copy.deepcopy(value, dict(kept))
    except Exception:  # noqa: BLE001  # whatever its own code raises says that it cannot be copied
        yield value


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode until the end; then every part is in the mode in which it was found."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def keeping_buffers(module: nn.Module) -> Iterator[None]:
    """At the end undo what was changed in buffers meanwhile, and give the module its own of those that were.

    For a copy that shares its buffers: a module may count its questions in one, or follow the statistics of batches
    in evaluation mode too.
    """
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    try:
        yield
    finally:
        for name, buffer in dict(module.named_buffers()).items():
            if name in before and not torch.equal(buffer, before[name]):
                with torch.no_grad():
                    buffer.copy_(before[name])
                owner, _, short = name.rpartition(".")
                module.get_submodule(owner)._buffers[short] = before[name]
