"""One module a layout. A module never changes once it has been released: databases of that layout are out there."""
