"""How the status of a run reads, in one place."""

from __future__ import annotations

from decam.experiments.status import Status

STATUS = {
    Status.QUEUED: ":material/hourglass_empty: Waiting",
    Status.RUNNING: ":material/progress_activity: Running",
    Status.DONE: ":material/check_circle: Finished",
    Status.STOPPED: ":material/stop_circle: Stopped",
    Status.INTERRUPTED: ":material/pause_circle: Interrupted: the server ended before the run did",
    Status.FAILED: ":material/error: Failed",
}
