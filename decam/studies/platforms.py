"""Where participants come from: the parameters that a platform puts into the address, and the link to give it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from decam.studies.design import Entrance


@dataclass(frozen=True)
class Platform:
    """A row of the table of platforms.

    `identity` and `others` are the parameters of `Entrance`. `query` is what the link ends with where the platform
    fills in values itself, and empty where it adds the parameters by itself. `help` says where the link goes.
    """

    name: str
    title: str
    identity: str
    others: str
    query: str
    help: str


PLATFORMS: tuple[Platform, ...] = (
    Platform("open", "Anybody", "", "", "", "Everybody who has this link can take part, and gets a personal code."),
    Platform(
        "prolific", "Prolific", "PROLIFIC_PID", "STUDY_ID, SESSION_ID",
        "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
        "Paste it as the study's URL, choose “I'll use URL parameters”, and put Prolific's completion addresses under "
        "People.",
    ),
    Platform(
        "mturk", "Mechanical Turk", "workerId", "hitId, assignmentId", "",
        "For a page of your own that opens it with workerId, hitId and assignmentId behind it. The study cannot submit "
        "a HIT: give the HIT a field for the code that the study shows at its end.",
    ),
)  # fmt: skip


def link(address: str, platform: Platform) -> str:
    """The participants' link as a platform needs it."""
    return f"{address}?{platform.query}" if platform.query else address


def fits(entrance: Entrance, platform: Platform) -> bool:
    """True if a study's entrance reads what this platform sends."""
    return entrance.identity.strip() == platform.identity


def adapted(entrance: Entrance, platform: Platform) -> Entrance:
    """The entrance that reads what this platform sends; who comes without it is refused."""
    return dataclasses.replace(
        entrance, identity=platform.identity, others=platform.others, identity_needed=bool(platform.identity)
    )
