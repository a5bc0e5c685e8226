"""Methods that follow gradients back to the pixels."""
