"""Benchmarks: plans over a dataset, computed part by part into a directory, and tables of what it holds."""
