"""A picture beside its likeliest classes, each a button."""
