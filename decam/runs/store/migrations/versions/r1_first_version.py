"""The tables of the first version: curves by pairs of fills, judgements by metrics, predictions with pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

_CELL = ("run", "picture", "method")


def upgrade() -> None:
    """Make the tables in an empty database."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("instance", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("methods", sa.JSON, nullable=False),
        sa.Column("plan", sa.String, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("thumbnail", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_runs_created", "runs", ["created"])
    op.create_index("runs_by_owner", "runs", ["owner", "created"])
    op.create_table(
        "pictures",
        sa.Column("run", sa.String, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("predictions", sa.JSON),
    )
    op.create_table(
        "cells",
        sa.Column("run", sa.String, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("picture", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("method", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("explained", sa.Boolean, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("target", sa.Integer, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("evaluations", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
    )
    op.create_table(
        "curves",
        *_cell_columns(),
        sa.Column("deletion_fill", sa.String, primary_key=True),
        sa.Column("insertion_fill", sa.String, primary_key=True),
        sa.Column("deletion", sa.Double, nullable=False),
        sa.Column("insertion", sa.Double, nullable=False),
        _of_a_cell(),
    )
    op.create_table(
        "judgements",
        *_cell_columns(),
        sa.Column("metric", sa.String, primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("note", sa.String, nullable=False),
        _of_a_cell(),
    )


def _cell_columns() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("run", sa.String, primary_key=True),
        sa.Column("picture", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("method", sa.Integer, primary_key=True, autoincrement=False),
    ]


def _of_a_cell() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(_CELL, [f"cells.{name}" for name in _CELL], ondelete="CASCADE")
