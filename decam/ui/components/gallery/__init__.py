"""The gallery of class maps."""
