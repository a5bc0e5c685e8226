"""The browser finds the regions that scikit-image finds, and keeps what the search keeps of an individual."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage.measure import label

from decam.methods.de_cam.encoding import rank_masks
from tests.tools import node

pytestmark = node.needed
FOUND = """given.map(({ visible, width }) => {
  const { region, count } = regionsOf(visible, width);
  return { region: Array.from(region), count };
})"""
KEPT = """given.map(({ values, share }) => {
  const field = Float32Array.from(values);
  return Array.from(visibility(field, Float32Array.from(field).sort(), share, true));
})"""


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 40))
def test_regions_are_those_that_touch_by_their_sides(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [rng.random((height, width)) < share for share in (0.0, 0.2, 0.5, 0.6, 0.9, 1.0)]
    sent = [{"visible": mask.astype(int).ravel().tolist(), "width": width} for mask in masks]
    for mask, found in zip(masks, node.evaluate("regionsOf", "search/search_draw.js", FOUND, sent), strict=True):
        wanted, count = label(mask, connectivity=1, return_num=True)
        assert found["count"] == count
        np.testing.assert_array_equal(np.reshape(found["region"], mask.shape), wanted)


@pytest.mark.slow
def test_an_individual_keeps_the_pixels_that_the_search_keeps() -> None:
    fields, shares = np.random.default_rng(0).random((4, 28, 28), dtype=np.float32), (0.05, 0.25, 0.5, 0.75)
    sent = [{"values": field.ravel().tolist(), "share": share} for field in fields for share in shares]
    found = iter(node.evaluate("visibility", "search/search_draw.js", KEPT, sent))
    for mask in rank_masks(torch.from_numpy(fields), shares, ()).flatten(0, 1).numpy():
        np.testing.assert_array_equal(np.reshape(next(found), mask.shape).astype(bool), mask)
