"""The Sanity page."""

from decam.ui.randomisation.page import show

show()
