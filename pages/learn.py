"""The page of lessons."""

from decam.ui.learn.page import show

show()
