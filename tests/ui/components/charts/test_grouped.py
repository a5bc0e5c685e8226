"""The browser groups the curves of a search that goes on as the page does."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from decam.methods.base import Series
from decam.methods.de_cam.method import DE_CAM
from decam.ui.components.charts.live import payload
from tests.tools import node

USUAL = tuple(series for series in DE_CAM.series if not series.detail)
PALETTE = ("#111111", "#222222")

pytestmark = node.needed


@pytest.mark.slow
@pytest.mark.parametrize("series", [USUAL, USUAL[::-1]])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_browser_groups_the_curves_of_a_search_as_the_page_does(series: tuple[Series, ...], count: int) -> None:
    points = [(96 * n, {item.name: n / 8 for item in series[: 1 + n]} | {"else": 1.0}) for n in range(count)]
    page = payload(series, PALETTE, points, 300, ())
    given = [[asdict(item) for item in series], PALETTE, points, 300]
    grouped = node.evaluate("grouped", "charts/live.js", "grouped(...given)", given)
    assert grouped == {name: page[name] for name in ("groups", "places", "limits")}
