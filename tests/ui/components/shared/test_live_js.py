"""The browser's side of a run that goes on: its tests are JavaScript, beside this file, and run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from decam.methods.base import Series
from decam.methods.de_cam.method import DE_CAM
from decam.ui.components import source
from decam.ui.components.charts.live import payload

NODE = shutil.which("node")
GROUPED = """
const { series, palette, points, total } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(grouped(series, palette, points, total)));
"""
USUAL = tuple(series for series in DE_CAM.series if not series.detail)
PALETTE = ("#111111", "#222222")

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed, which runs the browser's code here.")


def test_a_run_is_followed_through_streams_that_break_proxies_that_hold_back_and_servers_that_go() -> None:
    assert NODE is not None
    tests = Path(__file__).with_name("live.test.mjs")
    run = subprocess.run([NODE, "--test", str(tests)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# fail 0" in run.stdout


@pytest.mark.parametrize("series", [USUAL, USUAL[::-1]])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_browser_groups_the_curves_of_a_search_as_the_page_does(series: tuple[Series, ...], count: int) -> None:
    points = [(96 * n, {item.name: n / 8 for item in series[: 1 + n]} | {"else": 1.0}) for n in range(count)]
    page = payload(series, PALETTE, points, 300, ())
    assert NODE is not None
    code = source("charts/live.js").split("export default")[0] + GROUPED
    given = {"series": [asdict(item) for item in series], "palette": PALETTE, "points": points, "total": 300}
    run = subprocess.run([NODE, "-e", code], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {name: page[name] for name in ("groups", "places", "limits")}
