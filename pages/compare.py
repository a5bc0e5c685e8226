"""The Compare page."""

from decam.ui.compare.page import show

show()
