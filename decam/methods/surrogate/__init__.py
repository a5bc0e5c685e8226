"""Methods that fit a simple model to answers about hidden superpixels."""
