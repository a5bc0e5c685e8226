"""The page on studies: made from a finished comparison, changed field by field, and run from draft to live."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest

from decam.runs.store import Store
from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.ui import state
from decam.ui.studies import sign_in
from tests.pages.visitor import Visitor
from tests.studies.made import keep, run, view


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


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The visitor sits at the server's own machine; a test without a browser has no connection that says so."""
    monkeypatch.setattr(sign_in, "connection", lambda: (None, {"Host": "localhost:8501"}))


@pytest.fixture
def finished(server: Path) -> str:
    """A finished comparison of three pictures by two methods; its link."""
    store = Store(server)
    link = keep(store, run("one", {f"bird{number}.jpg": view(number, (224, 224)) for number in range(3)}))
    store.close()
    return link


@pytest.fixture
def researcher(finished: str) -> Researcher:
    """Somebody who has just made a study of it."""
    assert finished
    made = Researcher()
    made.app.text_input(key="studies-new-name").set_value("Which map?")
    return made.press("studies-begin")


def test_a_study_is_made_from_a_finished_comparison(researcher: Researcher) -> None:
    study = researcher.study
    assert study.name == "Which map?"
    assert [one.title for one in study.conditions][:2] == ["Grad-CAM", "Integrated Gradients"]
