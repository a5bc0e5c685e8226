"""What several methods need: access to a model's inside, interruption, random numbers, layers."""
