"""What is seen: colour tables, overlays of maps on pictures, and Plotly charts; nothing here computes a result."""

from decam.figures.charts import convergence_figure, curves_figure
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
from decam.figures.overlays import FLAT, alone, limits_for, masked, overlay, png_bytes, png_uri, scaled, upsampled
from decam.metrics.scales import limits_of, shared_limits

__all__ = [
    "COLOURS",
    "DIVERGING",
    "FLAT",
    "SEQUENTIAL",
    "alone",
    "convergence_figure",
    "curves_figure",
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
