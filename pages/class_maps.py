"""The page of class maps."""

from decam.ui.class_maps.page import show

show()
