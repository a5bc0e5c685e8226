"""How a stretch of time is written, everywhere the same; `ui/components/shared/duration.js` does so in the browser."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Seconds (not negative) as 4.0 s, 45 s, 1 min 15 s or 1 h 5 min; halves are rounded up."""
    if seconds < 0.05:
        return "under 0.1 s"
    if seconds < 9.95:
        return f"{math.floor(seconds * 10 + 0.5) / 10:.1f} s"
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = math.floor(seconds / 60 + 0.5)
    return f"{minutes // 60} h {minutes % 60} min"
