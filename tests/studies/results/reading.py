"""A study answered by people with known strengths, and what its results find."""

from __future__ import annotations

from pathlib import Path

from decam.studies.design import Study
from decam.studies.results import Findings, Material, material, results
from tests.studies.answering import crowd, record

STRENGTHS = {"a": 1.5, "b": 0.0, "c": -1.5}


def read(made: Study, count: int = 12, folder: Path = Path(), noise: float = 0.0, **options: bool) -> Material:
    people, answers = crowd(made, count, STRENGTHS, noise)
    return material(record(made), people, answers, folder, **options)


def found(of: Material) -> dict[str, Findings]:
    return {section.name: findings for section, findings in results(of)}


def column(findings: Findings, table: int, name: str) -> list[object]:
    chosen = findings.tables[table]
    return [row[chosen.head.index(name)] for row in chosen.rows]
