"""How a study stands, in words: its stage, what one can do in it, and where it can go from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from decam.studies.design import Stage

Colour: TypeAlias = Literal["gray", "orange", "green", "blue"]


@dataclass(frozen=True)
class Way:
    """A button that leads to another stage. `question` is asked first where there is no way back."""

    to: Stage
    title: str
    icon: str
    help: str
    question: str = ""


@dataclass(frozen=True)
class Standing:
    """A stage as a researcher reads it: its name, its colour, what it means, and the ways on."""

    title: str
    colour: Colour
    meaning: str
    ways: tuple[Way, ...] = ()


_PILOT = Way(
    Stage.PILOT,
    "Start the pilot",
    ":material/science:",
    "The link works. A pilot's answers stay apart from those of the live study.",
)
_DRAFT = Way(Stage.DRAFT, "Back to draft", ":material/edit:", "Change the study again. The pilot's answers are kept.")
_LIVE = Way(
    Stage.LIVE, "Go live", ":material/play_arrow:", "Collect the data that will be analysed.",
    "From now on nothing of this study can be changed, and it never becomes a draft again.",
)  # fmt: skip
_CLOSE = Way(
    Stage.CLOSED, "Close the study", ":material/stop:", "Nobody can begin any more.",
    "Nobody can begin any more, and a closed study does not open again. Whoever has begun can finish. Answers stay.",
)  # fmt: skip

STAGES: Mapping[Stage, Standing] = {
    Stage.DRAFT: Standing(
        "Draft", "gray", "Everything can be changed. The link leads to a rehearsal, whose answers count nowhere.",
        (_PILOT,),
    ),
    Stage.PILOT: Standing(
        "Pilot", "orange", "Nothing can be changed while people try it: every answer belongs to one design. Go "
        "back to draft to change the study.", (_DRAFT, _LIVE),
    ),
    Stage.LIVE: Standing(
        "Live", "green", "Data come in, so the study stays as it is for good. Copy the study to change anything.",
        (_CLOSE,),
    ),
    Stage.CLOSED: Standing("Closed", "blue", "Nobody can begin any more. Copy the study to run it again."),
}  # fmt: skip
