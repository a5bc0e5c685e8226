"""What is seen: colour tables, overlays of maps on pictures, and Plotly charts; nothing here computes a result."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from decam.figures.colours import (
    COLOURS,
    DIVERGING,
    SEQUENTIAL,
    lut,
    method_colour,
    method_dash,
    plotly_scale,
    table_for,
)
from decam.figures.overlays import (
    FLAT,
    alone,
    data_uri,
    limits_for,
    masked,
    overlay,
    png_bytes,
    png_uri,
    scaled,
    upsampled,
)
from decam.metrics.scales import limits_of, shared_limits

if TYPE_CHECKING:
    from decam.figures.charts import convergence_figure, curves_figure

# Plotly draws charts only: maps are coloured and exported where it is not installed.
_CHARTS = ("convergence_figure", "curves_figure")


def __getattr__(name: str) -> Any:
    if name in _CHARTS:
        return getattr(import_module("decam.figures.charts"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "COLOURS",
    "DIVERGING",
    "FLAT",
    "SEQUENTIAL",
    "alone",
    "convergence_figure",
    "curves_figure",
    "data_uri",
    "limits_for",
    "limits_of",
    "lut",
    "masked",
    "method_colour",
    "method_dash",
    "overlay",
    "plotly_scale",
    "png_bytes",
    "png_uri",
    "scaled",
    "shared_limits",
    "table_for",
    "upsampled",
]
