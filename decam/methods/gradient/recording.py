"""A forward pass written down as the steps of PyTorch's own operators (ATen), whatever code led to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from decam.errors import MethodError

# A tensor's sizes, strides, offset and type, which tell the tensors on one piece of memory apart.
_Geometry: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], int, torch.dtype]

# Kernels that compute a whole attention at once. They are recorded as the products and the softmax that they stand
# for, so that an attention has the same steps on every device.
_FUSED_ATTENTION = "_scaled_dot_product_"


@dataclass(frozen=True)
class Value:
    """Stands in a step's arguments for the value of that number in its recording."""

    number: int


@dataclass(frozen=True)
class Step:
    """One call of an operator on values that depend on the picture.

    `arguments` is (args, kwargs) with a Value wherever such a value was; all else in it is constant. `writes` are the
    arguments, by position or name, that the operator changes in place. `outputs` are the numbers of its results: first
    what was written, then what is new; None for a result that is no tensor.
    """

    operator: Any
    arguments: tuple[Any, dict[str, Any]]
    writes: tuple[int | str, ...]
    outputs: tuple[int | None, ...]

    @property
    def name(self) -> str:
        """The operator's name, the same in place or not: "relu"."""
        return str(self.operator.overloadpacket.__name__).strip("_")

    @property
    def sources(self) -> tuple[int, ...]:
        """The numbers of the values among the arguments, in their order; one that is used twice is there twice."""
        return tuple(part.number for part in _leaves(self.arguments) if isinstance(part, Value))

    def compute(
        self, sources: Sequence[Tensor], constant: Callable[[Tensor], Tensor] = lambda part: part
    ) -> list[Tensor | None]:
        """The results, in the order of `outputs`, with other tensors in the place of `sources`; none of them changes.

        `constant` is applied to every other tensor first.
        """
        remaining = iter(sources)

        def filled(part: Any) -> Any:
            if isinstance(part, Value):
                return next(remaining)
            return constant(part) if isinstance(part, Tensor) else part

        args, kwargs = _mapped(self.arguments, filled)
        args, written = list(args), []
        for place in self.writes:
            copy = _at(place, args, kwargs).clone()
            if isinstance(place, str):
                kwargs[place] = copy
            else:
                args[place] = copy
            written.append(copy)
        result = self.operator(*args, **kwargs)
        return [*written, *_fresh(self.operator, result)]


@dataclass
class _Memory:
    """A piece of memory that depends on the picture.

    `number` is the value that a tensor of the geometry `root` has on it now. `views` has the numbers of all tensors
    on it that are up to date.
    """

    storage: torch.UntypedStorage
    root: _Geometry
    number: int
    views: dict[_Geometry, int] = field(default_factory=dict)


class Recording(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch gives its modes no types
    """Within this context the thread's calls on a picture, and on all that depends on it, are written down in `steps`.

    `values` holds the value of every number; the picture's is 0. A value stays what it was when its memory is written
    to later. Raises MethodError for sparse tensors and for several tensors changed by one call.
    """

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.values: dict[int, Tensor] = {}
        self.steps: list[Step] = []
        self._memories: dict[int, _Memory] = {}
        self._keep(picture)

    def number(self, tensor: Tensor) -> int | None:
        """The number of the value that a tensor holds now; None if it does not depend on the picture."""
        memory = self._memories.get(_address(tensor))
        if memory is None:
            return None
        geometry = _geometry(tensor)
        if geometry not in memory.views:
            # The memory was written to through another tensor, or the view was made where no call is seen.
            arguments: Any = ((Value(memory.number), *_strided(geometry, memory)), {})
            memory.views[geometry] = self._append(torch.ops.aten.as_strided.default, arguments, tensor)
        return memory.views[geometry]

    def forget_memory(self) -> None:
        """Hold no memory but the values' from now on; nothing more can be recorded."""
        self._memories.clear()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the operator, and write the call down if an argument depends on the picture."""
        del types
        kwargs, name = kwargs or {}, func.overloadpacket.__name__
        if name.endswith("_like") or name.startswith("new_"):
            return func(*args, **kwargs)  # only the shape of an argument counts
        arguments = _mapped((args, kwargs), self._noted)
        if not any(isinstance(part, Value) for part in _leaves(arguments)):
            return func(*args, **kwargs)
        with self:
            result = func.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
        if name.startswith(_FUSED_ATTENTION):
            return self._attention(func, args, kwargs)
        return self._record(*_plainer(func, args, kwargs))

    def _record(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        writes = tuple(place for place in _written(func, args) if _at(place, args, kwargs) is not None)
        targets = [_at(place, args, kwargs) for place in writes]
        for target in targets:
            self._before_writing(func, target)
        arguments = _mapped((args, kwargs), self._noted)
        result = func(*args, **kwargs)
        written = [self._value(target) for target in targets]
        fresh = [self._keep(part) for part in _fresh(func, result)]
        self.steps.append(Step(func, arguments, writes, (*written, *fresh)))
        for target, number in zip(targets, written, strict=True):
            self._spread(target, number)
        return result

    def _noted(self, part: Any) -> Any:
        number = self.number(part) if isinstance(part, Tensor) else None
        return part if number is None else Value(number)

    def _attention(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        arguments = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
        with self:
            plain, _ = torch.ops.aten._scaled_dot_product_attention_math.default.decompose(
                *(arguments[name] for name in ("query", "key", "value")),
                arguments.get("attn_mask", arguments.get("attn_bias")),
                0.0,
                bool(arguments.get("is_causal", False)),
                scale=arguments.get("scale"),
            )
        number = self.number(plain)
        if number is not None:
            geometry = _geometry(result[0])
            memory = _Memory(result[0].untyped_storage(), geometry, number, {geometry: number})
            self._memories[_address(result[0])] = memory
        return result

    def _value(self, tensor: Tensor) -> int:
        number = len(self.values)
        self.values[number] = tensor.detach()
        return number

    def _append(self, operator: Any, arguments: Any, result: Tensor) -> int:
        number = self._value(result)
        self.steps.append(Step(operator, arguments, (), (number,)))
        return number

    def _keep(self, part: Any) -> int | None:
        """The number of a new result."""
        if not isinstance(part, Tensor):
            return None
        if part.layout != torch.strided:
            raise MethodError("DeepLIFT cannot follow a network that makes sparse tensors of its activations.")
        number, geometry = self._value(part), _geometry(part)
        if address := _address(part):
            memory = self._memories.setdefault(address, _Memory(part.untyped_storage(), geometry, number))
            memory.views.setdefault(geometry, number)
        return number

    def _before_writing(self, func: Any, target: Any) -> None:
        """Put a copy in the place of each value that lies in the memory to be written to."""
        if not isinstance(target, Tensor) or target.layout != torch.strided:
            raise MethodError(f"DeepLIFT cannot follow the operator {func.name()}, which changes what it is given.")
        address = _address(target)
        if address not in self._memories:
            storage = target.untyped_storage()
            size = storage.nbytes() // target.element_size()
            self._keep(target.detach().new_empty(0).set_(storage, 0, (size,), (1,)))
        for number, value in self.values.items():
            if _address(value) == address:
                self.values[number] = value.clone()

    def _spread(self, target: Tensor, number: int) -> None:
        """What was written to a tensor is from now on part of its memory's value."""
        memory, geometry = self._memories[_address(target)], _geometry(target)
        if geometry == memory.root:
            memory.number = number
        else:
            memory.number = self._replaced(memory, target, number)
        memory.views = {memory.root: memory.number, geometry: number}

    def _replaced(self, memory: _Memory, target: Tensor, number: int) -> int:
        """The whole of a memory with one part replaced: where(part, what was written, what was there)."""
        size, stride, offset, kind = memory.root
        nothing = torch.empty_strided(size, stride, dtype=kind, device=target.device).zero_()
        place = _strided(_geometry(target), memory)
        scatter, choose = torch.ops.aten.as_strided_scatter.default, torch.ops.aten.where.self
        # The gradient of as_strided_scatter for what it writes into is wrong in PyTorch: here that is constant.
        written = self._append(scatter, ((nothing, Value(number), *place), {}), scatter(nothing, target, *place))
        part = scatter(nothing, torch.ones_like(target), *place) != 0
        whole = target.detach().new_empty(0).set_(memory.storage, offset, size, stride)
        return self._append(choose, ((part, Value(written), Value(memory.number)), {}), whole)


def _plainer(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The same call, or one by another operator that does the same and has a rule."""
    aten, name = torch.ops.aten, func.overloadpacket.__name__
    if name.startswith("rrelu_with_noise") and not any(args[4:5]):  # not training
        leaky = aten.leaky_relu_.default if name.endswith("_") else aten.leaky_relu.default
        low, high = args[2:4] if len(args) > 3 else (1 / 8, 1 / 3)
        return leaky, (args[0], (low + high) / 2), {}
    if name == "index_put_" and not any(args[3:4]):  # x[condition] = number
        given, places, value = args[:3]
        if len(places) == 1 and places[0].dtype == torch.bool and places[0].shape == given.shape and value.numel() == 1:
            return aten.masked_fill_.Tensor, (given, places[0], value.reshape(())), {}
    return func, args, kwargs


def _address(tensor: Tensor) -> int:
    """Where a tensor's memory begins; 0 for one without memory of its own."""
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else 0


def _geometry(tensor: Tensor) -> _Geometry:
    return tuple(tensor.shape), tuple(tensor.stride()), int(tensor.storage_offset()), tensor.dtype


def _strided(geometry: _Geometry, memory: _Memory) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The arguments by which as_strided makes a tensor of that geometry from a memory's root."""
    size, stride, offset, kind = geometry
    root_size, _, root_offset, root_kind = memory.root
    if kind != root_kind or root_offset or math.prod(root_size) * kind.itemsize < memory.storage.nbytes():
        raise MethodError("DeepLIFT cannot follow a network that writes to parts of a tensor in an unusual way.")
    return size, stride, offset


def _mapped(part: Any, change: Callable[[Any], Any]) -> Any:
    """The same nest of tuples, lists and dictionaries with each leaf changed."""
    if isinstance(part, (tuple, list)):
        return type(part)(_mapped(inner, change) for inner in part)
    if isinstance(part, dict):
        return {key: _mapped(inner, change) for key, inner in part.items()}
    return change(part)


def _leaves(part: Any) -> Iterator[Any]:
    if isinstance(part, (tuple, list, dict)):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _leaves(inner)
    else:
        yield part


def _written(func: Any, args: Any) -> tuple[int | str, ...]:
    """The arguments that an operator changes in place: by position where they are given so, else by name."""
    arguments = enumerate(func._schema.arguments)
    return tuple(
        place if place < len(args) else argument.name
        for place, argument in arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    )


def _at(place: int | str, args: Any, kwargs: dict[str, Any]) -> Any:
    return kwargs.get(place) if isinstance(place, str) else args[place]


def _fresh(func: Any, result: Any) -> list[Any]:
    """The results of an operator without those that are arguments which it changed."""
    kinds = func._schema.returns
    parts = result if len(kinds) > 1 else (result,)
    kept = [
        part for part, kind in zip(parts, kinds, strict=True) if kind.alias_info is None or not kind.alias_info.is_write
    ]
    return list(_leaves(kept))
