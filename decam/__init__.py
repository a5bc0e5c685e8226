"""Saliency methods compared."""
