"""Methods that weight a layer's activations: CAM and its kin."""
