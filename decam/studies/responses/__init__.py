"""What outlives the process of a study: its documents, who takes part, and every answer."""

from decam.studies.responses.records import (
    Answer,
    Lane,
    NoSuchParticipantError,
    NoSuchStudyError,
    Participant,
    StudyRecord,
)
from decam.studies.responses.store import StudyStore

__all__ = ["Answer", "Lane", "NoSuchParticipantError", "NoSuchStudyError", "Participant", "StudyRecord", "StudyStore"]
