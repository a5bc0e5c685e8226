"""Names and numbers on the page: a name is shown as it is, whatever Markdown or HTML would make of it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from decam.ui import text as words

NAMES = (
    "![](http://example.org/x.png).png",
    "[a link](javascript:alert(1)).jpg",
    r"\[a link\](http://example.org).jpg",
    "<img src=x onerror=alert(1)>.png",
    "*bold* _italic_ `code` $x^2$ ~gone~.png",
    ":red[colour].png",
    "&lt;b&gt;.png",
)
MEANS_SOMETHING = "\\`*[]$<~"


def shown(markdown: str) -> str:
    """What CommonMark shows: a backslash before ASCII punctuation is taken away."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@pytest.mark.parametrize("name", NAMES)
def test_markdown_in_a_name_is_shown_and_not_obeyed(name: str) -> None:
    text = words.plain(name)
    assert shown(text) == name
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)
    assert not set(bare) & set(MEANS_SOMETHING)
    assert not re.search(r"\b_|_\b|&#?\w+;|:[a-z]", bare.replace("png", ""))


@pytest.mark.parametrize("name", ["# a.png", "1. a.png", "- a.png", "> a.png", "+ a.png", "12) a.png"])
def test_a_name_that_begins_a_sentence_begins_no_list_and_no_heading(name: str) -> None:
    text = words.plain(f"{name} is empty.")
    assert shown(text) == f"{name} is empty."
    assert not re.match(r"[#>+-]|\d+[.)]", text)


@pytest.mark.parametrize("name", ["my cat (1).jpg", "IMG_2026_1.jpeg", "Löwe & Bär.png", "a-b.c+d.tiff", "猫.webp"])
def test_usual_names_are_left_as_they_are(name: str) -> None:
    assert words.plain(name) == name


@pytest.mark.parametrize("name", NAMES)
def test_html_in_a_name_is_shown_and_not_obeyed(name: str) -> None:
    assert html.unescape(words.escaped(name)) == name
    assert not set(words.escaped(name)) & set("<>\"'")


def test_characters_that_reorder_or_break_a_sentence_are_marked() -> None:
    for convert in (words.plain, words.escaped):
        assert convert("photo\u202egnp.exe") == "photo\N{REPLACEMENT CHARACTER}gnp.exe"
        assert convert("a\nb\x00c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
        assert convert("שלום.png") == "שלום.png"


def test_counts_and_sizes_are_short() -> None:
    assert (words.millions(25_557_032), words.megabytes(102_540_417), words.megabytes(4_900)) == (
        "25.6 M",
        "103 MB",
        "5 kB",
    )
    assert (words.several(1, "run"), words.several(1234, "run"), words.evaluations(0)) == (
        "1 run",
        "1,234 runs",
        "free",
    )


def test_moments_of_today_have_a_time_and_older_ones_a_day() -> None:
    now = datetime.now(UTC)
    assert re.fullmatch(r"\d\d:\d\d", words.when(now))
    assert re.fullmatch(r"\d{1,2} \w+ \d\d:\d\d", words.when(now - timedelta(days=40)))


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.784, "78 %"),
        (0.0996, "10 %"),
        (0.0321, "3.2 %"),
        (0.0042, "0.42 %"),
        (3.22e-5, "0.0032 %"),
    ],
)
def test_probabilities_are_in_per_cent_with_digits_that_tell_something(share: float, written: str) -> None:
    assert words.percent(share) == written
