"""The component grid: Python, script and rules side by side."""
