"""Templates are filled once, and no text in a script's data ends the script."""

from __future__ import annotations

import json

import pytest

from decam.export.markup import filled, script_json


def test_parts_stand_in_their_places_and_are_not_looked_through() -> None:
    assert filled("<b>{{one}}</b> {{two}} {{one}} {not a place}", {"one": "{{two}}", "two": "$1 \\1"}) == (
        "<b>{{two}}</b> $1 \\1 {{two}} {not a place}"
    )


def test_a_place_without_a_part_is_an_error() -> None:
    with pytest.raises(KeyError, match="two"):
        filled("{{one}} {{two}}", {"one": "1"})


@pytest.mark.parametrize("text", ["</script>", "<!-- <script>", "</SCRIPT foo", "a < b & c > d", "“ü”"])
def test_data_of_a_script_is_the_same_data_and_opens_no_tag(text: str) -> None:
    written = script_json({"text": [text]})
    assert "<" not in written
    assert json.loads(written) == {"text": [text]}
