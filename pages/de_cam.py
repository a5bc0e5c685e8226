"""The DE-CAM page."""

from decam.ui.search.page import show

show()
