"""Functions of pictures whose right map is known, on pictures made for them: what a saliency method must find."""
