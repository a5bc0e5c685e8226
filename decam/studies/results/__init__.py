"""The results of a study: one table of sections, read by the page, the command line and the export alike."""

from __future__ import annotations

from collections.abc import Iterator

from decam.export.tables import csv_bytes
from decam.studies.results.base import Counted, Figure, Findings, Material, Section, Table, counted, material
from decam.studies.results.judgements import DETECTION, DISTINCTION, RATINGS, SIMULATION, UTILITY
from decam.studies.results.people import AGREEMENT, EXCLUSIONS, PROGRESS, QUESTIONNAIRES, TEXTS, TIMES
from decam.studies.results.places import CLICKS
from decam.studies.results.preferences import FAITHFULNESS, PREFERENCE, RANKING

SECTIONS: tuple[Section, ...] = (
    PROGRESS,
    EXCLUSIONS,
    PREFERENCE,
    RANKING,
    FAITHFULNESS,
    RATINGS,
    SIMULATION,
    UTILITY,
    DISTINCTION,
    DETECTION,
    CLICKS,
    TEXTS,
    TIMES,
    AGREEMENT,
    QUESTIONNAIRES,
)

__all__ = [
    "SECTIONS",
    "Counted",
    "Figure",
    "Findings",
    "Material",
    "Section",
    "Table",
    "counted",
    "material",
    "results",
    "table_csv",
]


def results(read: Material) -> Iterator[tuple[Section, Findings]]:
    """What each section says, in order; sections that the study has nothing for are left out."""
    for section in SECTIONS:
        findings = section.read(read) if section.there(read) else None
        if findings is not None:
            yield section, findings


def table_csv(table: Table) -> bytes:
    """A table of results as CSV in UTF-8."""
    return csv_bytes(table.head, table.rows)
