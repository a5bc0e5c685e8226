"""The list of recent runs: those on disk, and those in memory, whose status is newer."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from decam.experiments.kinds import get as get_kind
from decam.runs.snapshots import RunSnapshot, RunSummary, found
from decam.runs.store.files import thumbnail


def merged(
    stored: Sequence[RunSummary],
    lives: Mapping[str, RunSnapshot],
    deleted: Collection[str],
    limit: int,
    search: str = "",
) -> list[RunSummary]:
    """The newest `limit` of the runs on disk and of those in memory (by their links), newest first.

    Left out are runs on disk with a link in `deleted`, and runs in memory without the words of `search`.
    """
    stored_ids = {summary.id for summary in stored}
    summaries = [
        _newer(summary, lives[summary.id]) if summary.id in lives else summary
        for summary in stored
        if summary.id not in deleted
    ]
    summaries += [
        summary for run in lives.values() if run.id not in stored_ids and found(summary := summarise(run), search)
    ]
    return sorted(summaries, key=lambda summary: summary.created, reverse=True)[:limit]


def _newer(summary: RunSummary, run: RunSnapshot) -> RunSummary:
    """A line with what its run has newer in memory: how it stands, and words that the disk may have refused."""
    return dataclasses.replace(summary, status=run.status, name=run.name, remark=run.remark)


def summarise(run: RunSnapshot) -> RunSummary:
    """The line of a run in the list."""
    return RunSummary(
        id=run.id,
        created=run.created,
        status=run.status,
        kind=run.plan.kind,
        model=run.plan.model,
        facts=get_kind(run.plan.kind).facts(run.plan),
        pictures=tuple(picture.name for picture in run.plan.pictures),
        methods=tuple(method.name for method in run.plan.methods),
        thumbnail=thumbnail(run.views[0]) if run.views else b"",
        name=run.name,
        remark=run.remark,
    )
