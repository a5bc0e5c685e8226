"""The page on models that may hide something."""
