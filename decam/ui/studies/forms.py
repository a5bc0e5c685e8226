"""Forms made from settings: each field is saved into the study as soon as it is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import streamlit as st

from decam.settings import Parameter
from decam.studies.design import Study
from decam.studies.editing import Part
from decam.studies.responses import StudyRecord
from decam.ui.shared.fields import field
from decam.ui.studies import session


def draw(record: StudyRecord, name: str, part: Part, only: Collection[str] = ()) -> None:
    """Draw a field for each setting of a part of the study, or for some; `name` tells the form from others."""
    settings = part.read(record.study)
    for parameter in settings.parameters():
        if not only or parameter.name in only:
            _field(record, f"study-{record.id}-{name}-{parameter.name}", parameter, part)


def _field(record: StudyRecord, key: str, parameter: Parameter, part: Part) -> None:
    def put(study: Study, value: object) -> Study:
        return part.write(study, dataclasses.replace(part.read(study), **{parameter.name: value}))

    session.fill(key, getattr(part.read(record.study), parameter.name))
    field(
        key,
        parameter,
        on_change=session.typed(record.id, key, put),
        disabled=not session.editable(record),
    )


def grid(name: str) -> st.delta_generator.DeltaGenerator:
    """A container whose fields stand beside each other where there is room."""
    return st.container(key=f"fields-{name}")
