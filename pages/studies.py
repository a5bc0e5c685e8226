"""The page on studies."""

from decam.ui.studies.page import show

show()
