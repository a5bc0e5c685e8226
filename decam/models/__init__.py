"""Where a classifier comes from."""
