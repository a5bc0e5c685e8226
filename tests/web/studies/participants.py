"""Somebody who takes part over the routes, without a browser, and the studies that they take part in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import anyio
import numpy as np

from decam.studies.design import Study
from decam.studies.responses import StudyRecord, StudyStore
from decam.studies.road import road
from decam.studies.steps import Step
from tests.studies.studies import block, study
from tests.web.studies.painted import paint
from tests.web.watched import Answer, ask

DEVICE = {"width": 1440, "height": 900, "touch": False}
JSON = {"content-type": "application/json"}


def kept(store: StudyStore, made: Study) -> StudyRecord:
    """A study in a store, with its pictures."""
    record = store.add(made)
    paint(made, store.folder(record.id))
    return record


def short() -> Study:
    """Consent, three forced choices, a free text with an attention check, a debriefing."""
    return study(
        block("trials", task="forced-choice"), block("trials", task="free-text", attention=1), block("debriefing"),
        count=3,
    )  # fmt: skip


def get(path: str, **headers: str) -> Answer:
    """The answer to a GET."""
    return anyio.run(lambda: ask(path, "", {name.replace("_", "-"): value for name, value in headers.items()}))


def post(path: str, body: object, headers: dict[str, str] | None = None) -> Answer:
    """The answer to a POST of JSON, or of bytes, or of bytes in parts."""
    parts: Sequence[bytes] = (
        [body] if isinstance(body, bytes) else body if isinstance(body, list) else [json.dumps(body).encode()]
    )
    return anyio.run(lambda: ask(path, "", {**JSON, **(headers or {})}, method="POST", body=parts))


@dataclass
class Visitor:
    """A participant's page without the page: comes in, answers in order, remembers what it was told."""

    record: StudyRecord
    code: str = ""
    visit: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> str:
        return f"/study/{self.record.link}/{name}"

    def enter(self, parameters: dict[str, str] | None = None) -> Answer:
        answer = post(self.path("enter"), {"parameters": parameters or {}, "device": DEVICE, "code": self.code})
        if answer.status == 200:
            self.visit = answer.json
            self.code = self.visit["code"]
        return answer

    def steps(self, sequence: int = 0) -> tuple[Step, ...]:
        return road(self.record.study, sequence)

    def body(self, step: Step, seed: int = 0, **more: Any) -> dict[str, Any]:
        """An answer to a step, at random."""
        rng = np.random.default_rng(seed)
        values = {question.name: question.random(rng) for question in step.questions}
        if "consent" in values:
            values["consent"] = "yes"
        return {
            "code": self.code, "id": str(uuid4()), "step": step.id, "attempt": 1, "values": values, "started": 1.8e12,
            "ended": 1.8e12 + 900, "duration": 900.5, "blurred": 0, "events": [{"kind": "blur", "ms": 12.5}], **more,
        }  # fmt: skip

    def send(self, body: object) -> Answer:
        return post(self.path("answers"), body)
