"""Differential Evolution by ask and tell: nothing of images or models."""
