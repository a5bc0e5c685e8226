"""The Metrics page."""

from decam.ui.metrics.page import show

show()
