"""A first photograph in a browser: what is seen of it, and the button below an answer that means nothing for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Watch
from tests.tools.ports import refusing_port
from tests.tools.server import Server

CAT = "Chelsea the cat"
FETCH = "Download SqueezeNet 1.0 (5 MB) and look again"


@pytest.fixture
def refused() -> Iterator[int]:
    """A port where whoever connects is refused."""
    with refusing_port() as port:
        yield port


def test_a_photograph_is_cropped_or_fitted_and_a_map_of_the_other_kind_is_called_old(
    page: Page, common_server: Server
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(CAT)
    shown = compare.main.get_by_role("img", name=re.compile(f"^{CAT}, with the part"))
    wide = shown.evaluate("image => image.decode().then(() => image.naturalWidth / image.naturalHeight)")
    assert wide > 1.3, "the whole photograph is shown"
    compare.start()
    compare.finished()
    page.get_by_role("radio", name="Fit", exact=True).click()
    expect(page.get_by_text(re.compile("The framing is Crop"))).to_be_visible()
    square = "image => image.naturalWidth === image.naturalHeight"
    handle = shown.element_handle()
    page.wait_for_function(square, arg=handle, timeout=LONG_MS)


def test_without_a_network_the_button_says_where_the_file_comes_from_and_goes(
    page: Page, start_server: Callable[..., Server], watch: Watch, refused: int, tmp_path: Path
) -> None:
    watch.server_goes = True  # before the page does
    proxy = f"http://127.0.0.1:{refused}"
    empty = tmp_path / "torch"
    server = start_server(TORCH_HOME=str(empty), https_proxy=proxy, HTTPS_PROXY=proxy)
    compare = Compare(page)
    compare.open(server.url)
    compare.sample(CAT)
    page.get_by_role("button", name=FETCH).click()
    told = compare.alert(re.compile("SqueezeNet 1.0"))
    expect(told).to_contain_text("by hand", timeout=LONG_MS)
    expect(told).to_contain_text(str(empty))
    expect(compare.card(CAT)).to_be_visible()
    expect(page.get_by_role("button", name=FETCH)).to_be_enabled()
