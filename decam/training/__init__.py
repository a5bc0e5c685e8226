"""How the embedded weights were made, reproducibly: `python -m decam.training`."""
