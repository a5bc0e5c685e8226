"""The tables of the database: runs, their pictures, their finished cells, and how these were measured."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from decam.runs.snapshots import Status

SCHEMA = 2  # the first had no judgements


class Base(DeclarativeBase):
    """All tables; a change to any of them is a new SCHEMA, and an older file gains the tables that it lacks."""


class RunRow(Base):
    """A run. `instance` is the token of the process that computes or computed it; `created` is Unix time."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_owner", "owner", "created"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    created: Mapped[float] = mapped_column(index=True)
    status: Mapped[Status]
    note: Mapped[str]
    instance: Mapped[str]
    version: Mapped[int]
    model: Mapped[str]
    methods: Mapped[list[str]] = mapped_column(JSON)
    plan: Mapped[str] = mapped_column(deferred=True)
    labels: Mapped[list[str]] = mapped_column(JSON, deferred=True)
    thumbnail: Mapped[bytes]


class PictureRow(Base):
    """A picture of a run, by name; its view is a file. `predictions` lists (class, probability), likeliest first."""

    __tablename__ = "pictures"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    predictions: Mapped[list[tuple[int, float]] | None] = mapped_column(JSON)


class CellRow(Base):
    """A map that is finished (its arrays are a file) or, with an `error`, failed. Sets `explained` accordingly."""

    __tablename__ = "cells"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    picture: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[int] = mapped_column(primary_key=True)
    explained: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")
    target: Mapped[int] = mapped_column(default=0)
    label: Mapped[str] = mapped_column(default="")
    probability: Mapped[float] = mapped_column(default=0.0)
    evaluations: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)


def _of_a_cell() -> tuple[ForeignKeyConstraint]:
    cells = ["cells.run", "cells.picture", "cells.method"]
    return (ForeignKeyConstraint(["run", "picture", "method"], cells, ondelete="CASCADE"),)


class CurveRow(Base):
    """The curves of a map for one pair of fills, as areas; the points are a file."""

    __tablename__ = "curves"
    __table_args__ = _of_a_cell()

    run: Mapped[str] = mapped_column(primary_key=True)
    picture: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[int] = mapped_column(primary_key=True)
    deletion_fill: Mapped[str] = mapped_column(primary_key=True)
    insertion_fill: Mapped[str] = mapped_column(primary_key=True)
    deletion: Mapped[float]
    insertion: Mapped[float]


class JudgementRow(Base):
    """What a metric of the plan says of a map; no value where it has none."""

    __tablename__ = "judgements"
    __table_args__ = _of_a_cell()

    run: Mapped[str] = mapped_column(primary_key=True)
    picture: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[int] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    note: Mapped[str]
