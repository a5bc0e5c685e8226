"""The dashboard as its users start it: `streamlit run app.py` in a process of its own, on a free loopback port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Self

from tests.tools.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
STOP_SECONDS = 20


class Server:
    """One server process on a data directory; `kill()` is the power cut, `stop()` is Ctrl-C."""

    def __init__(self, data: Path, log: Path, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.log = log
        self.port = free_port()
        self._environment = os.environ | {"DECAM_DATA": str(data)} | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the app is served."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process that serves; raises RuntimeError when none does."""
        if self._process is None:
            raise RuntimeError("The server is not running.")
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers; raises RuntimeError with its output when it does not."""
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")),
                *("--server.port", str(self.port), "--server.address", "127.0.0.1", "--server.headless", "true"),
            ],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"The server did not start:\n{self.output()}")
            time.sleep(0.1)
        return self

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}_stcore/health", timeout=2) as answer:
                return bool(answer.read() == b"ok")
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> int | None:
        """End it as Ctrl-C does; returns the exit code, None where it had to be killed or was not running."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGINT)
        try:
            code: int | None = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        return code

    def kill(self) -> None:
        """End it with no chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def output(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.is_file() else ""
