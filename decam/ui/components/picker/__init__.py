"""The component picker: Python, script and rules side by side."""
