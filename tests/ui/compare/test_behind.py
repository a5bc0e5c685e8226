"""The masked pictures behind a value, in words and as HTML."""

from __future__ import annotations

import numpy as np

from decam.experiments.behind import Masked, Side
from decam.ui.compare.behind import group

PLACE = (0.25, 0.5)


def test_each_picture_has_its_answer_its_number_and_a_ring_at_the_place() -> None:
    few = (Masked(7, np.zeros((4, 4, 3), np.uint8), 0.125), Masked(1_234, np.ones((4, 4, 3), np.uint8), 0.5))
    drawn = group(Side(40, 0.25, few), "<star>", "hidden", "lowest", PLACE)
    assert "<b>Place hidden in 40 images</b>: &lt;star&gt; has 25 % on average. The lowest answers:" in drawn
    assert drawn.count("<figure>") == 2
    assert drawn.count('class="dc-mark" style="left:25.00%;top:50.00%"') == 2
    assert "&lt;star&gt; 12 %<br>No. 7" in drawn or "&lt;star&gt; 13 %<br>No. 7" in drawn
    assert "&lt;star&gt; 50 %<br>No. 1,234" in drawn


def test_where_no_picture_hid_the_place_that_is_said() -> None:
    drawn = group(Side(0, None, ()), "star", "hidden", "lowest", PLACE)
    assert drawn == "<p><b>Place hidden: in no masked image.</b></p>"
