"""Links for the places where participants come from, and the entrance that reads what they send."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from decam.studies.design import Entrance
from decam.studies.platforms import PLATFORMS, Platform, adapted, fits, link

ADDRESS = "https://studies.example.org/study/abc"


@pytest.mark.parametrize("platform", PLATFORMS, ids=[one.name for one in PLATFORMS])
def test_an_adapted_entrance_reads_all_that_the_platform_sends(platform: Platform) -> None:
    entrance = adapted(Entrance(identity="mine", most=20), platform)
    assert fits(entrance, platform) and entrance.most == 20
    assert entrance.identity_needed == bool(platform.identity)
    others = [name.strip() for name in entrance.others.split(",") if name.strip()]
    sent = parse_qs(urlsplit(link(ADDRESS, platform)).query)
    assert not sent or set(sent) == {entrance.identity, *others}
    assert all(re.fullmatch(r"\{\{%(\w+)%\}\}", value) for (value,) in sent.values())


def test_an_entrance_for_one_platform_does_not_read_another() -> None:
    by_name = {one.name: one for one in PLATFORMS}
    assert fits(Entrance(), by_name["prolific"]) and not fits(Entrance(), by_name["mturk"])
    assert link(ADDRESS, by_name["open"]) == link(ADDRESS, by_name["mturk"]) == ADDRESS
