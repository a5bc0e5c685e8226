"""What the answers say: statistics of people and maps."""
