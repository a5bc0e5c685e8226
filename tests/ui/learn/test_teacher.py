"""The QR code: where it leads, and that it is one."""

from __future__ import annotations

import dataclasses
import io
from types import SimpleNamespace

import numpy as np
import pytest
import segno
from PIL import Image

from decam.runs.listing import summarise
from decam.ui.learn import teacher
from tests.studies.made import run, view


@pytest.mark.parametrize(
    ("base", "page", "query", "link"),
    [
        ("http://10.0.0.5:8501", "learn", {"lesson": "sanity"}, "http://10.0.0.5:8501/learn?lesson=sanity"),
        ("http://school.lan/maps/", "learn", {}, "http://school.lan/maps/learn"),
        (" https://host ", "", {"run": "a b&c"}, "https://host/?run=a+b%26c"),
        ("http://[fe80::1]:8501", "learn", {}, "http://[fe80::1]:8501/learn"),
    ],
)
def test_a_code_leads_to_a_page_below_the_server(base: str, page: str, query: dict[str, str], link: str) -> None:
    assert teacher.address(base, page, query) == link


@pytest.mark.parametrize(
    "base", ["", "10.0.0.5:8501", "javascript:alert(1)", "http://", "http://host:99999", "http://["]
)
def test_what_is_no_address_gives_no_code(base: str) -> None:
    assert teacher.address(base, "learn", {}) == ""


def test_a_run_is_called_as_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    named = summarise(run("a", {"cat.png": view(0)}))
    several = summarise(run("b", {f"{number}.png": view(number) for number in range(3)}))
    listed = [dataclasses.replace(named, name="For the seminar"), several, several]
    monkeypatch.setattr(teacher.state, "listed_owner", lambda: None)
    monkeypatch.setattr(teacher.state, "runs", lambda: SimpleNamespace(recent=lambda *_: listed))
    titles = [title.partition(", ")[0] for title in teacher._targets(None)]
    assert titles == ["All lessons", "Run: For the seminar", "Run: 0.png +2", "Run: 0.png +2"]


def test_the_page_itself_is_taken_off_the_address_of_the_server() -> None:
    assert teacher._base("http://127.0.0.1:8501/learn") == "http://127.0.0.1:8501"
    assert teacher._base("http://host/maps/learn/?lesson=x") == "http://host/maps"


def test_the_picture_has_the_modules_of_the_code_and_a_quiet_margin() -> None:
    link = "http://10.0.0.5:8501/learn?lesson=saliency-map"
    picture = np.asarray(Image.open(io.BytesIO(teacher.code(link))).convert("L"))
    wanted = np.array([list(row) for row in segno.make(link, error="m", micro=False).matrix])
    assert picture.shape == tuple(8 * (side + 8) for side in wanted.shape)
    modules = picture[4::8, 4::8]
    assert np.array_equal(modules[4:-4, 4:-4] < 128, wanted.astype(bool))
    assert (modules[:4] == 255).all()
    # The three corners by which a camera finds a code (ISO/IEC 18004): rings of 7, 5 and 3 modules.
    finder = np.ones((7, 7), bool)
    finder[1:6, 1:6] = False
    finder[2:5, 2:5] = True
    dark = modules[4:-4, 4:-4] < 128
    for corner in (dark[:7, :7], dark[:7, -7:], dark[-7:, :7]):
        assert np.array_equal(corner, finder)
