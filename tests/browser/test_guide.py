"""The browser reads grids as the search does: the same field, to rounding, fitted to the same picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser

from decam.images.scenes.scene import scene
from decam.methods.de_cam.encoding import Encoding
from decam.ui.components import source
from decam.ui.runs.search import reading

READ = """([pixels, size, cells, grid, options]) => {
  const made = new (options.follows ? Guide : Interpolation)(pixels, size, options);
  return {
    shape: made.shape,
    field: Array.from(made.field(Float32Array.from(grid), cells)),
    thumbnail: Array.from(made.thumbnail(Float32Array.from(grid), cells)),
  };
}"""


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize(("height", "width"), [(128, 128), (100, 75)])
def test_a_field_of_the_browser_is_the_map_of_the_search(
    chromium: Browser, follows: bool, height: int, width: int
) -> None:
    view = scene(3).image[:height, :width]
    grid = torch.randn(1, 49, generator=torch.Generator().manual_seed(0))
    rgba = np.concatenate([view, np.full_like(view[..., :1], 255)], axis=2)
    page = chromium.new_page()
    page.add_script_tag(content=source("search/guide.js"))
    arguments = [rgba.ravel().tolist(), [height, width], [7, 7], grid[0].tolist(), reading(follows)]
    read = page.evaluate(f"({READ})({json.dumps(arguments)})")
    page.close()

    encoding = Encoding(7, torch.from_numpy(view.copy()).permute(2, 0, 1).float() / 255, follow_edges=follows)
    thumbnail = encoding.thumbnails(grid)[0].numpy()
    assert tuple(read["shape"]) == thumbnail.shape
    np.testing.assert_allclose(read["field"], encoding.maps(grid)[0].numpy().ravel(), atol=2e-3)
    np.testing.assert_allclose(read["thumbnail"], thumbnail.ravel(), atol=2e-3)
