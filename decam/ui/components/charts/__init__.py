"""The component charts: Python, script and rules side by side."""
