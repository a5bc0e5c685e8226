"""The page on models that may hide something."""

from decam.ui.backdoors.page import show

show()
