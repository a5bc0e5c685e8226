"""The pages of the dashboard, listed once: addresses, titles and the modules that draw them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import streamlit as st

from decam.web.server import beside

ENTRY = Path(__file__).parent / "entry"
SCRIPT = ENTRY / "dashboard.py"
ICON = ENTRY / "icon.png"


@dataclass(frozen=True)
class Entry:
    """A page: the last part of its address, its title, one sentence of help, and the module whose show() draws it.

    `parameter` names the run shown in the page's address. Pages with the same parameter show the same run.
    """

    address: str
    title: str
    help: str
    module: str
    parameter: str = "run"

    def show(self) -> None:
        """Draw the page; its module is imported when somebody visits it first."""
        import_module(self.module).show()


# The first one is also what the server's own address shows.
PAGES = (
    Entry("compare", "Compare", "Several methods side by side on your images.", "decam.ui.compare.page"),
    Entry(
        "learn",
        "Learn",
        "Lessons of a few minutes, for a class or alone: predict, then see.",
        "decam.ui.learn.page",
        parameter="lesson",
    ),
    Entry(
        "de_cam",
        "DE-CAM",
        "One search, generation by generation, and evolution on landscapes you can see.",
        "decam.ui.search.page",
    ),
    Entry(
        "methods",
        "Methods",
        "Every method with an image, its formula, its cost and its traps.",
        "decam.ui.methods.page",
    ),
    Entry(
        "metrics",
        "Metrics",
        "What makes a good map? Every metric explained, step by step on one map.",
        "decam.ui.metrics.page",
    ),
    Entry(
        "sanity",
        "Sanity",
        "Do maps change when the model's weights become random, layer by layer?",
        "decam.ui.randomisation.page",
        parameter="sanity",
    ),
    Entry(
        "class_maps",
        "What the model looks for",
        "What a class looks like to a model: one map per class, without any image.",
        "decam.ui.class_maps.page",
        parameter="gallery",
    ),
    Entry(
        "backdoors",
        "Find the backdoor",
        "A model may hide something. Search the model, guess what is hidden, then see the answer.",
        "decam.ui.backdoors.page",
        parameter="suspect",
    ),
    Entry(
        "studies",
        "Studies",
        "Ask people about maps: from finished comparisons to a link, answers and their analysis.",
        "decam.ui.studies.page",
        parameter="study",
    ),
)
NAME = "DE-CAM"
"""What the dashboard is called."""
FOR_ACCOUNTS = "studies"
"""The address of the page that asks for an account."""
_folders: list[Path] = []
"""The folder of files that draw the pages, if this process serves a checkout."""
_BY_ADDRESS = {entry.address: entry for entry in PAGES}


def page(address: str) -> st.Page:
    """The page as Streamlit's links and st.switch_page take it; raises KeyError for an address that is not listed."""
    entry = _BY_ADDRESS[address]
    source = _folders[0] / f"{entry.address}.py" if _folders else entry.show
    return st.Page(source, title=entry.title, url_path=entry.address, default=entry is PAGES[0])


def title(address: str) -> str:
    """What a page is called; raises KeyError for an address that is not listed."""
    return _BY_ADDRESS[address].title


def parameter(address: str) -> str:
    """Which parameter of a page's address names the run shown; raises KeyError for an address that is not listed."""
    return _BY_ADDRESS[address].parameter


def links() -> None:
    """Draw a link to every page."""
    for entry in PAGES:
        st.page_link(page(entry.address), label=entry.title, help=entry.help)


def draw_from(folder: Path | None) -> None:
    """From now on draw each page by the file in `folder` that is called as its address; with None by its module."""
    _folders[:] = [] if folder is None else [folder]


def prepare() -> None:
    """Make ready what the first visit of this process would wait for; all others find it there."""
    import_module(PAGES[0].module).prepare()


def run() -> None:
    """Configure the browser's tab and draw the page that was asked for."""
    st.set_page_config(page_title=NAME, page_icon=str(ICON), layout="wide", initial_sidebar_state=320)
    st.navigation([page(entry.address) for entry in PAGES], position="hidden").run()
    _look_ahead()


@cache
def _look_ahead() -> None:
    """Once a page is drawn, make ready beside it what the first comparison would wait for."""
    beside(import_module(PAGES[0].module).look_ahead)
