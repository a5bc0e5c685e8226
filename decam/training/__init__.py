"""How the weights that come with the project were made, reproducibly: `python -m decam.training`."""
