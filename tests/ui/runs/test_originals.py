"""The picture as it was given beside what a model sees of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from decam.images.samples import SAMPLES
from decam.models.cache import Models
from decam.ui.runs import originals
from decam.ui.shared import pictures


@pytest.mark.slow
def test_a_photograph_is_given_whole_with_the_part_that_the_model_sees_and_that_part_finer() -> None:
    classifier = Models().get("embedded", "cpu")
    sample = next(one for one in SAMPLES if one.title == "Coffee cup")
    photograph = sample.load().convert("RGB")
    found = originals._original("embedded", "sample:coffee", classifier, pictures.of_sample(sample), 64)
    assert found is not None and found.sharp is not None
    width, height = photograph.size
    side = min(width, height)
    seen = (1 - side / width) / 2
    part = found.part
    assert (part.left, part.right) == pytest.approx((seen, 1 - seen), abs=0.01)
    assert (part.top, part.bottom) == pytest.approx((0, 1), abs=0.01)
    assert max(Image.open(io.BytesIO(found.whole)).size) == originals.SMALL
    sharp = np.asarray(Image.open(io.BytesIO(found.sharp)).convert("RGB").resize((64, 64), Image.Resampling.BILINEAR))
    view = np.asarray(Image.fromarray(classifier.view(photograph)).resize((64, 64), Image.Resampling.BILINEAR))
    assert np.abs(sharp.astype(float) - view).mean() < 3, "the same part, only finer"
    assert originals._original("embedded", "sample:few", classifier, pictures.of_sample(sample), 5000).sharp is None
