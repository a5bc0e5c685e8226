"""Methods that say what a model takes a class to be: no picture is given."""
