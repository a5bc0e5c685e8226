"""Runs of a server: queue, state, recording, and the service that joins them."""
