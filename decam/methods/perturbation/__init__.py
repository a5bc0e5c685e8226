"""Methods that hide parts of the picture and watch the answer."""
