"""Cells say what their map was made from, by a digest, and whether it was taken from an earlier run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add the two columns; maps of earlier versions have no digest, so none of them is taken for another run."""
    op.add_column("cells", sa.Column("made_from", sa.String, nullable=False, server_default=""))
    op.add_column("cells", sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("cells_by_what_they_are_made_from", "cells", ["made_from"])
