"""Methods that explain a class, or a unit, without a picture: what the model takes it to be."""
