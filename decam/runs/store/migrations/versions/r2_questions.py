"""Runs of several kinds: cells belong to questions, and curves and judgements become measurements by keys."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_CELL = ("run", "question", "method")


def upgrade() -> None:
    """Grow the tables and carry over what they hold."""
    _extend_runs()
    _separate_predictions()
    _rename_pictures_of_cells()
    _join_measurements()


def _extend_runs() -> None:
    op.add_column("runs", sa.Column("kind", sa.String))
    op.add_column("runs", sa.Column("facts", sa.JSON))
    runs = sa.table(
        "runs",
        sa.column("id", sa.String),
        sa.column("methods", sa.JSON),
        sa.column("kind", sa.String),
        sa.column("facts", sa.JSON),
    )
    connection = op.get_bind()
    for run, methods in connection.execute(sa.select(runs.c.id, runs.c.methods)).all():
        fact = f"{len(methods)} method{'' if len(methods) == 1 else 's'}"
        connection.execute(sa.update(runs).where(runs.c.id == run).values(kind="comparison", facts=[fact]))
    with op.batch_alter_table("runs") as batch:
        batch.alter_column("kind", existing_type=sa.String(), nullable=False)
        batch.alter_column("facts", existing_type=sa.JSON(), nullable=False)
        batch.alter_column("status", existing_type=sa.String(11), type_=sa.String())
        batch.alter_column("version", existing_type=sa.Integer(), type_=sa.BigInteger())


def _separate_predictions() -> None:
    """A picture of the first version had one question, of the same number."""
    op.create_table(
        "predictions",
        sa.Column("run", sa.String, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("question", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("guesses", sa.JSON, nullable=False),
    )
    pictures = sa.table(
        "pictures",
        sa.column("run", sa.String),
        sa.column("position", sa.Integer),
        sa.column("predictions", sa.JSON),
    )
    predictions = sa.table(
        "predictions",
        sa.column("run", sa.String),
        sa.column("question", sa.Integer),
        sa.column("guesses", sa.JSON),
    )
    connection = op.get_bind()
    for run, position, guesses in connection.execute(sa.select(pictures)).all():
        if guesses is not None:
            connection.execute(sa.insert(predictions).values(run=run, question=position, guesses=guesses))
    with op.batch_alter_table("pictures") as batch:
        batch.drop_column("predictions")


def _rename_pictures_of_cells() -> None:
    op.execute("ALTER TABLE cells RENAME COLUMN picture TO question")  # SQLite and PostgreSQL say it alike


def _join_measurements() -> None:
    op.create_table(
        "measurements",
        sa.Column("run", sa.String, primary_key=True),
        sa.Column("question", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("method", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("choice", sa.String, primary_key=True),
        sa.Column("metric", sa.String, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("curve", sa.String, nullable=False),
        sa.ForeignKeyConstraint(_CELL, [f"cells.{name}" for name in _CELL], ondelete="CASCADE"),
    )
    measurements = sa.table(
        "measurements",
        *(sa.column(name, sa.String) for name in ("run", "choice", "metric", "note", "curve")),
        *(sa.column(name, sa.Integer) for name in ("question", "method")),
        sa.column("value", sa.Double),
        sa.column("failed", sa.Boolean),
        sa.column("parts", sa.JSON),
    )
    connection = op.get_bind()
    for run, text in connection.execute(sa.text("SELECT id, plan FROM runs")).all():
        rows = {
            (row["question"], row["method"], row["choice"]): row
            for row in (*_curves(connection, run, text), *_judgements(connection, run, text))
        }
        for row in rows.values():
            connection.execute(sa.insert(measurements).values(**row, failed=False, parts=[]))
    op.drop_table("curves")
    op.drop_table("judgements")


def _curves(connection: sa.Connection, run: str, text: str) -> Iterator[dict[str, object]]:
    """Deletion and insertion of each pair of fills; pairs with a fill in common agree on it."""
    steps = _plan(text).get("steps", 50)
    found = connection.execute(sa.text("SELECT * FROM curves WHERE run = :run"), {"run": run})
    for row in found.mappings():
        fills = {name: row[f"{name}_fill"] for name in ("deletion", "insertion")}
        for metric, fill in fills.items():
            yield {
                "run": run,
                "question": row["picture"],
                "method": row["method"],
                "choice": _key(metric, {"steps": steps, "fill": fill}),
                "metric": metric,
                "value": row[metric],
                "note": "",
                "curve": f"curves-{row['picture']:02}-{row['method']:02}-{'-'.join(fills.values())}.npz",
            }


def _judgements(connection: sa.Connection, run: str, text: str) -> Iterator[dict[str, object]]:
    """What metrics said; one that the plan does not name any more cannot be asked for and is left behind."""
    settings = {choice["name"]: choice["settings"] for choice in _plan(text).get("metrics", ())}
    found = connection.execute(sa.text("SELECT * FROM judgements WHERE run = :run"), {"run": run})
    for row in found.mappings():
        if row["metric"] in settings:
            yield {
                "run": run,
                "question": row["picture"],
                "method": row["method"],
                "choice": _key(row["metric"], settings[row["metric"]]),
                "metric": row["metric"],
                "value": None if row["value"] is None or math.isnan(row["value"]) else row["value"],
                "note": row["note"],
                "curve": "",
            }


def _plan(text: str) -> Mapping[str, Any]:
    """The plan as it was written; an unreadable one, which no decam could open, has nothing to be asked for."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _key(metric: str, settings: Mapping[str, object]) -> str:
    """A metric with its settings as a name: the metric's, and a digest of the settings in the order of their names."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return f"{metric}-{digest[:8]}"
