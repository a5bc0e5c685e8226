"""The page of class maps."""
