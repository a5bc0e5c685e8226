"""The Sanity page."""
