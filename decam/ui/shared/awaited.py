"""One line on work that is awaited, with a bar, for pages whose work waits in the queue."""

from __future__ import annotations

import streamlit as st

from decam.experiments.status import Status
from decam.export.standing import STATUS
from decam.ui import text
from decam.ui.compare import run_view


def line(title: str, ahead: int, step: int, total: int, evaluations: int) -> None:
    """Say that the work `title` waits behind others, or how far it has come."""
    status = STATUS[Status.QUEUED if ahead else Status.RUNNING]
    place = f" · {text.several(ahead, 'job')} ahead" if ahead else ""
    parts = [f"**{status}**{place}", text.plain(title)]
    if evaluations:
        parts.append(text.several(evaluations, "evaluation"))
    st.markdown(f"{parts[0]} :gray[· {' · '.join(parts[1:])}]")
    st.html(run_view.bar(min(1.0, step / total) if total else 0.0, True))
