"""A brush that covers a picture by hand while a model answers."""
