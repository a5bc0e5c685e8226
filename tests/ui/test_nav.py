"""The dashboard's two entries: the same pages at the same addresses, from a checkout and from an installed package."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from decam.classifier import TorchClassifier
from decam.cli import serving
from decam.errors import ModelError
from decam.models import EMBEDDED
from decam.models.cache import Models
from decam.ui import nav, state, theme
from tests.conftest import ROOT

ADDRESSES = tuple(entry.address for entry in nav.PAGES)


@pytest.fixture
def drawn_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that draw the navigation and their own address, in place of the real ones."""

    def stub(address: str) -> SimpleNamespace:
        def show() -> None:
            theme.brand()
            st.text(f"this is {address}")
            if st.button("leave", key="leave"):
                st.switch_page(nav.page("methods"))

        return SimpleNamespace(show=show, look_ahead=lambda: None)

    for entry in nav.PAGES:
        monkeypatch.setitem(sys.modules, entry.module, stub(entry.address))


@pytest.fixture(params=(ROOT / "pages", None), ids=("checkout", "package"))
def pages_drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages drawn by the files of a checkout, and by the modules of an installed package."""
    monkeypatch.setattr(nav, "_folders", [])
    nav.draw_from(request.param)


def _opened(address: str) -> AppTest:
    app = AppTest.from_file(nav.SCRIPT, default_timeout=60)
    app._page_hash = calc_hash(address)
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    return app


@pytest.mark.slow
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.usefixtures("drawn_pages", "pages_drawn")
def test_both_entries_draw_each_page_at_its_address_with_a_link_to_every_page(address: str) -> None:
    app = _opened(address)
    assert [text.value for text in app.text] == [f"this is {address}"]
    links = [link.proto for link in app.get("page_link")]
    assert [link.page for link in links] == ["", *ADDRESSES[1:]]
    assert [link.label for link in links] == [entry.title for entry in nav.PAGES]
    assert all(link.help for link in links)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_pages", "pages_drawn")
def test_the_servers_own_address_shows_the_first_page() -> None:
    app = _opened("")
    assert [text.value for text in app.text] == ["this is compare"]


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_pages")
def test_a_page_sends_its_visitor_to_another() -> None:
    app = _opened("compare")
    app.button(key="leave").click().run()
    assert [text.value for text in app.text] == ["this is methods"]


def test_addresses_that_others_have_linked_to_stay() -> None:
    assert {"compare", "de_cam", "methods", "metrics", "sanity"} <= set(ADDRESSES)


def test_every_page_that_is_listed_is_a_module_and_every_such_module_is_listed() -> None:
    folder = ROOT / "decam" / "ui"
    listed = {ROOT.joinpath(*entry.module.split(".")).with_suffix(".py") for entry in nav.PAGES}
    assert listed == set(folder.glob("*/page.py"))
    assert nav.ICON.is_file()


def test_every_page_that_is_listed_has_its_file_of_two_lines_in_a_checkout() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "pages").glob("*.py")}
    assert set(files) == set(ADDRESSES)
    for entry in nav.PAGES:
        lines = [line for line in files[entry.address].splitlines() if line][1:]
        assert lines == [f"from {entry.module} import show", "show()"]


def test_settings_of_a_checkout_are_those_of_the_package() -> None:
    packaged = (serving.SCRIPT.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8") == packaged


@pytest.mark.slow
def test_the_packages_settings_hold_wherever_the_dashboard_is_started(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nmaxUploadSize = 999\n")
    settings = tomllib.loads((serving.SCRIPT.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    names = [f"{section}.{name}" for section in ("server", "browser", "client") for name in settings[section]]
    code = f"""
from streamlit import config
config._main_script_path = {str(serving.SCRIPT)!r}  # as `streamlit run` sets it
for name in {names!r}:
    print(name, config.get_option(name))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    wanted = [f"{name} {settings[name.partition('.')[0]][name.partition('.')[2]]}" for name in names]
    assert done.stdout.splitlines() == wanted


def test_before_the_first_visit_the_model_of_the_first_page_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    monkeypatch.setattr(state, "models", lambda: models)
    nav.prepare()
    assert [key.name for key in models.loaded()] == [EMBEDDED]


def test_a_model_that_cannot_be_loaded_beforehand_is_left_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, device: object) -> TorchClassifier:
        raise ModelError(f"{name} is broken on {device}.")

    monkeypatch.setattr(state, "models", lambda: Models(load=broken))
    nav.prepare()


@pytest.mark.slow
def test_the_first_page_imports_nothing_that_only_its_first_comparison_needs() -> None:
    later = ("torchvision", "torch._dynamo", "openvino", "scipy.stats", "cma", "pandas")
    code = f"""
import sys
from decam.ui.compare import page
print(*(name for name in {later!r} if name in sys.modules))
page.look_ahead()
print(*(name for name in {later!r} if name in sys.modules))
"""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == ["", "openvino scipy.stats"]


@pytest.mark.slow
def test_what_a_first_comparison_needs_is_imported_once_a_page_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    ended = threading.Event()

    def look_ahead() -> None:
        happened.append("ahead")
        ended.set()

    page = SimpleNamespace(show=lambda: happened.append("page"), look_ahead=look_ahead)
    monkeypatch.setitem(sys.modules, nav.PAGES[0].module, page)
    nav._look_ahead.cache_clear()
    for _ in range(2):
        _opened(nav.PAGES[0].address)
    assert ended.wait(20)
    assert happened[0] == "page"
    assert sorted(happened) == ["ahead", "page", "page"]
