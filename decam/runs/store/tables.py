"""The tables of the database: runs, their pictures, questions and cells, and how the cells' maps were measured."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables; a change to any of them is a new module in `migrations/versions`."""


class RunRow(Base):
    """A run. `instance` is the token of the process that computes or computed it; `created` is Unix time.

    `name` and `remark` are its owner's words, empty where there are none. `deleted` is the Unix time from which on
    nobody sees the run, see `removing`.
    """

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_owner", "owner", "created"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    owner: Mapped[str]
    created: Mapped[float] = mapped_column(Double, index=True)
    status: Mapped[str]
    note: Mapped[str]
    instance: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    model: Mapped[str]
    facts: Mapped[list[str]] = mapped_column(JSON)
    methods: Mapped[list[str]] = mapped_column(JSON)
    plan: Mapped[str] = mapped_column(deferred=True)
    labels: Mapped[list[str]] = mapped_column(JSON, deferred=True)
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    deleted: Mapped[float | None] = mapped_column(Double)


class PictureRow(Base):
    """A picture of a run, by name; its view is a file."""

    __tablename__ = "pictures"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]


class PredictionRow(Base):
    """What the model answers a question's picture: `guesses` lists (class, probability), likeliest first.

    `further` are the question's evaluations beside its prediction, maps and measurements, as in `Grid`. A question that
    has no prediction but has these has no guesses.
    """

    __tablename__ = "predictions"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guesses: Mapped[list[tuple[int, float]]] = mapped_column(JSON)
    further: Mapped[int] = mapped_column(default=0)


class CellRow(Base):
    """A map that is finished (its arrays are a file) or, with an `error`, failed. Sets `explained` accordingly.

    `made_from` is the digest of all that the map was made from, empty where that is not known. A `reused` map was taken
    from an earlier run.
    """

    __tablename__ = "cells"
    __table_args__ = (Index("cells_by_what_they_are_made_from", "made_from"),)

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    method: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    explained: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")
    target: Mapped[int] = mapped_column(default=0)
    label: Mapped[str] = mapped_column(default="")
    probability: Mapped[float] = mapped_column(Double, default=0.0)
    evaluations: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Double, default=0.0)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    made_from: Mapped[str] = mapped_column(default="")
    reused: Mapped[bool] = mapped_column(default=False)


class MeasurementRow(Base):
    """What a metric of the plan, by its key, says of a map; no value where it has none.

    `curve` names the file of its curve in the run's folder, and is empty where there is none. `evaluations` are what it
    cost; a `reused` one was taken from an earlier run together with its map.
    """

    __tablename__ = "measurements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run", "question", "method"], ["cells.run", "cells.question", "cells.method"], ondelete="CASCADE"
        ),
    )

    run: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    method: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    choice: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str]
    value: Mapped[float | None] = mapped_column(Double)
    note: Mapped[str]
    failed: Mapped[bool] = mapped_column(default=False)
    parts: Mapped[list[tuple[str, float | None]]] = mapped_column(JSON, default=list)
    curve: Mapped[str] = mapped_column(default="")
    evaluations: Mapped[int] = mapped_column(default=0)
    reused: Mapped[bool] = mapped_column(default=False)
