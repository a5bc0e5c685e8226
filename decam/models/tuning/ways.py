"""The ways of asking a model that are worth a trial on a device, and those that a device is known to do well."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from decam.classifier import ENGINES, PRECISIONS, Execution
from decam.hardware import processor

_MODES = {precision: tuple(Execution(precision, layout) for layout in (False, True)) for precision in PRECISIONS}
PLAIN = _MODES["float32"][0]


def modes(where: torch.device) -> tuple[Execution, ...]:
    """What is worth trying on a device, plainest first.

    float16, whose numbers end at 65504, on GPUs alone. Then the same by each engine that serves the device; one that
    arranges memory itself is tried in one layout, which is PyTorch's for gradients and activations.
    """
    half = _MODES["bfloat16"] if _bfloat16_pays(where) else ()
    plain = _MODES["float32"] + half + (_MODES["float16"] if where.type != "cpu" else ())
    return plain + tuple(
        replace(way, engine=engine.name)
        for engine in ENGINES.values()
        if engine.prepare is not None and engine.serves(where)
        for way in plain
        if not engine.own_layout or way.channels_last == processor.has_vectors()
    )


def favourites_of(where: torch.device) -> tuple[Execution, ...]:
    """What a device is known to do well, best first.

    On x86 processors OpenVINO, then PyTorch with channels last, in bfloat16 where they have instructions for it. On
    others nothing is known.
    """
    precisions = (
        *(("bfloat16",) if processor.has_bfloat16() else ()),
        *(("float32",) if processor.has_vectors() else ()),
    )
    if where.type != "cpu":
        return ()
    eager = (_MODES[precision][1] for precision in precisions)
    return tuple(each for way in eager for each in (replace(way, engine="openvino"), way))


def _bfloat16_pays(where: torch.device) -> bool:
    """Whether a small convolution in bfloat16 is no slower than in float32: without the instructions it is far slower.

    Asked apart from the model, since then a single forward of it can take seconds; not where the processor is known
    to have them, for a busy machine could deny it.
    """
    if where.type != "cpu" or processor.has_bfloat16():
        return True
    images = torch.zeros(2, 64, 28, 28)
    convolution = torch.nn.Conv2d(64, 64, 3, padding=1)
    times: dict[bool, float] = {}
    for fast in (False, True):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
            rounds = []
            for layout in (torch.contiguous_format, torch.channels_last) * 3:
                start = time.perf_counter()
                convolution.to(memory_format=layout)(images.contiguous(memory_format=layout))
                rounds.append(time.perf_counter() - start)
        times[fast] = min(rounds)
    return times[True] < 1.5 * times[False]
