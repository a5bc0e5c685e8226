"""Plans, the events of computing them, and what the results say; no threads and no disk."""
