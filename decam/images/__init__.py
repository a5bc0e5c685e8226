"""Where pictures come from: uploads, samples, and scenes with ground truth."""
