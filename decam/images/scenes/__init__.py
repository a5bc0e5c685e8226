"""Generated pictures with ground truth, the same on every machine."""
