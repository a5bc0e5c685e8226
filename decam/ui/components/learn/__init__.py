"""What lessons draw in the browser."""
