"""Whether a method saw the answer move at all, in words: what is made from answers that never moved is chance."""

from __future__ import annotations

import math

from torch import Tensor

from decam.classifier import Precision
from decam.explanation import Ledger

ROUNDING: dict[Precision, float] = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 0.0625}
"""Changes of a logit up to this size are rounding.

Logits have sizes of about 10. There a step is 10^-6 in float32, 2^-7 in float16 and 2^-4 in bfloat16. Sums over
thousands of terms in dozens of layers, taken in float32 always, lose about two digits more of float32.
"""
MASKED = "From mask to mask, whatever was hidden, the probability moved"
SOFTMAX = 1e-6
"""Relative rounding of a probability itself, which is float32 in every precision: some of its steps of 10^-7."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def silences(ledger: Ledger, precision: Precision, image: Tensor) -> tuple[str, ...]:
    """Why a map can only hold rounding or chance, in words; nothing for one whose method saw the answer move.

    `ledger` says what the method saw, `precision` is that of the answers behind masks, `image` is 3×H×W. A logit's
    rounding r moves a probability p by p(1 − p)r. What looks inside a model computes in float32.
    """
    found = []
    if ledger.reach is not None:
        subject, moved = ledger.reach
        if moved <= ROUNDING["float32"]:
            found.append(_still(subject, moved, ROUNDING["float32"], "float32"))
    elif ledger.lowest <= ledger.highest:
        moved = ledger.highest - ledger.lowest
        middle = min(max(0.5, ledger.lowest), ledger.highest)
        size = ROUNDING[precision] * middle * (1 - middle) + SOFTMAX * ledger.highest
        if moved <= size:
            found.append(_still(MASKED, moved, size, precision))
    if bool((image.amax((1, 2)) == image.amin((1, 2))).all()):
        found.append(
            "The image is of one colour, so no place in it can be evidence: what differs in this map comes from the "
            "method, its fill and the edges of the image."
        )
    return tuple(found)


def _still(subject: str, moved: float, size: float, precision: Precision) -> str:
    return (
        f"{subject} by at most {_ceiling(moved)}; up to {_ceiling(size)} is rounding in {precision}, so this map shows "
        "no evidence."
    )


def _ceiling(value: float) -> str:
    """A number of at least zero, rounded up to one digit: 3·10⁻⁸."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    digit = math.ceil(round(value / 10.0**exponent, 6))
    digit, exponent = (1, exponent + 1) if digit == 10 else (digit, exponent)
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return power if digit == 1 else f"{digit}·{power}"
