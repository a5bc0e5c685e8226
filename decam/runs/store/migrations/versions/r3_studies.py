"""Studies, the documents that participants began with, participants, and their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add the four tables; those of runs stay as they are."""
    op.create_table(
        "studies",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("link", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("document", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.UniqueConstraint("link", name="studies_by_link"),
    )
    op.create_index("studies_by_owner", "studies", ["owner", "changed"])
    op.create_table(
        "study_documents",
        sa.Column("study", sa.String, sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("document", sa.String, nullable=False),
    )
    _create_participants()
    _create_answers()


def _create_participants() -> None:
    op.create_table(
        "participants",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("study", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("holds", sa.Integer),
        sa.Column("identity", sa.String),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("device", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("excluded", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.ForeignKeyConstraint(
            ["study", "digest"], ["study_documents.study", "study_documents.digest"], ondelete="CASCADE"
        ),
        sa.UniqueConstraint("study", "lane", "digest", "holds", name="one_participant_a_sequence"),
        sa.UniqueConstraint("study", "lane", "digest", "identity", name="one_participant_an_identity"),
    )


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("participant", sa.String, sa.ForeignKey("participants.code", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("given", sa.JSON, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("ended", sa.Double, nullable=False),
        sa.Column("duration", sa.Double, nullable=False),
        sa.Column("blurred", sa.Double, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("received", sa.Double, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("correct", sa.Boolean),
        sa.UniqueConstraint("participant", "step", "attempt", name="one_answer_an_attempt"),
    )
