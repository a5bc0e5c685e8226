"""Methods that read a model's own attention."""
