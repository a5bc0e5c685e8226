"""Times written in the browser and by Python are the same."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

from decam.durations import duration
from decam.ui.components import source
from tests.test_durations import BY_HAND


def test_the_browser_writes_every_time_as_python_does(page: Page) -> None:
    drawn = np.random.default_rng(0).uniform(-2, 5.2, 3000)
    corners = [step / 20 for step in range(1500)] + [3600 + 30.0 * step for step in range(200)]
    values = [*(value for value, _ in BY_HAND), *corners, *(10**drawn).tolist()]
    page.add_script_tag(content=source("shared/duration.js"))
    assert page.evaluate("values => values.map(durationText)", values) == [duration(value) for value in values]
