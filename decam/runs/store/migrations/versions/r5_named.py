"""Runs have a name and a remark of their owner's, and say when they were deleted while that can still be undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the three columns: earlier runs have no name of their own, and none of them is deleted."""
    op.add_column("runs", sa.Column("name", sa.String, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("remark", sa.String, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("deleted", sa.Double))
