"""Somebody who makes studies, and what a study needs before people can take it."""

from __future__ import annotations

from typing import Self

from decam.studies import editing
from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.ui import state
from tests.pages.visitor import Visitor


class Researcher(Visitor):
    """A visitor of the page on studies."""

    def __init__(self, study: str = "") -> None:
        super().__init__()
        if study:
            self.app.query_params["study"] = study
        self.go("studies").look()

    @property
    def record(self) -> StudyRecord:
        """The study that the address names, as it is kept."""
        return state.studies().get(str(self.app.query_params["study"]))

    @property
    def study(self) -> Study:
        """That study itself."""
        return self.record.study

    def part(self, title: str) -> Self:
        """Open a part of the study."""
        self.app.session_state[f"study-{self.record.id}-part"] = title
        return self.look()

    def key(self, rest: str) -> str:
        """The key of a widget of this study."""
        return f"study-{self.record.id}-{rest}"


def consenting(researcher: Researcher) -> Researcher:
    """The study with all that it lacked."""
    record = researcher.record
    settings = record.study.blocks[0].settings.from_mapping({"text": "We keep your answers."})
    state.studies().save(record.id, editing.with_block(record.study, 0, settings=settings))
    return researcher.look()
