"""Apple's GPUs have no float64: what is computed in it is moved to the processor first."""

from __future__ import annotations

import re
from pathlib import Path

import decam

TOO_LATE = re.compile(r"\.(?:double|to)\((?:torch\.float64)?\)\s*\.(?:cpu\(\)|to\(\"cpu\"\))")


def test_tensors_leave_their_device_before_they_become_float64() -> None:
    source = Path(decam.__file__).parent
    found = [
        f"{path.relative_to(source)}: {match.group()}"
        for path in sorted(source.rglob("*.py"))
        for match in TOO_LATE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
