"""The DE-CAM page."""
