"""A relief is darkest at the minimum and flat where the heights are."""

import numpy as np

from decam.figures.relief import relief


def test_a_relief_brightens_with_height() -> None:
    rows = np.linspace(0.0, 100.0, 50)
    drawn = relief(np.tile(rows, (3, 1)), 0.0).astype(int).sum(axis=2)
    assert drawn.shape == (3, 50)
    assert drawn[1, 0] == drawn.min() or drawn[1, 0] < drawn[1, -1]
    assert drawn[1, -1] == drawn.max()


def test_a_flat_landscape_is_one_colour() -> None:
    assert len(np.unique(relief(np.full((4, 4), 2.0), 2.0).reshape(-1, 3), axis=0)) == 1
