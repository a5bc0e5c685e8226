"""The table of blocks: what a study consists of, in the researcher's order."""

from __future__ import annotations

from decam.errors import named
from decam.studies.blocks.base import BlockKind, Place
from decam.studies.blocks.forms import can_be_right
from decam.studies.blocks.questionnaires import QUESTIONNAIRE
from decam.studies.blocks.trials import TRAINING, TRIALS, dealing
from decam.studies.blocks.words import BREAK, COMPREHENSION, CONSENT, DEBRIEFING, DEMOGRAPHICS, INSTRUCTIONS
from decam.studies.design import StudyError

BLOCKS: tuple[BlockKind, ...] = (
    CONSENT,
    DEMOGRAPHICS,
    INSTRUCTIONS,
    COMPREHENSION,
    TRAINING,
    TRIALS,
    BREAK,
    QUESTIONNAIRE,
    DEBRIEFING,
)

__all__ = ["BLOCKS", "BlockKind", "Place", "can_be_right", "dealing", "get"]


def get(name: str) -> BlockKind:
    """The kind of block of this name; raises StudyError, with the names there are, where there is none."""
    return named("block", name, BLOCKS, StudyError)
