"""Measurements say what they cost and whether they were taken from an earlier run; questions, what else they cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add the three columns; nobody counted before, so earlier measurements and questions cost nothing there."""
    op.add_column("measurements", sa.Column("evaluations", sa.Integer, nullable=False, server_default="0"))
    op.add_column("measurements", sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("predictions", sa.Column("further", sa.Integer, nullable=False, server_default="0"))
