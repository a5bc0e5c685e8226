"""The component table: Python, script and rules side by side."""
