"""The Methods page."""

from decam.ui.methods.page import show

show()
