"""The PostgreSQL that the tests of the store run on: found or installed, and started in a folder of its own."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.tools.ports import free_port

PROGRAMS = ("initdb", "postgres")
USERS = ("postgres", "nobody")  # the server refuses to run as root
START_SECONDS = 60
STOP_SECONDS = 30


def find() -> Path | None:
    """The folder of the server's programs: $DECAM_POSTGRESQL, one on PATH, or Debian's newest; None without any."""
    named, on_path = os.environ.get("DECAM_POSTGRESQL"), shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: _number(path.parent.name))
    places = [Path(named)] if named else [*([Path(on_path).parent] if on_path else []), *reversed(debian)]
    return next((place for place in places if all((place / name).is_file() for name in PROGRAMS)), None)


def _number(name: str) -> float:
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0.0


def install() -> None:
    """Install the server from Debian; raises OSError where that cannot be done here."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise OSError("only root can install it, on Debian and its like: apt-get install postgresql")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(
        ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "postgresql"], check=True, env=quiet
    )


class PostgreSQL:
    """A server of its own on a free loopback port, in a temporary folder that goes with it."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._password = secrets.token_hex(12)
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="decam-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, password: str | None = None) -> str:
        """The URL of a database of this server."""
        return f"postgresql+psycopg://decam:{password or self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        """Make the cluster and wait until the server answers; raises RuntimeError with its output when it does not."""
        account = _account()
        password = self._folder / "password"
        password.write_text(self._password)
        if account is not None:
            for path in (self._folder, password):
                os.chown(path, account.pw_uid, account.pw_gid)
        own = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": list[int]()}
        log = (self._folder / "log").open("ab")
        asked = ["--pgdata", "cluster", "--username", "decam", "--pwfile", "password", "--encoding", "UTF8"]
        asked += ["--auth", "scram-sha-256", "--locale", "C", "--no-sync"]
        options = {"cwd": self._folder, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, **own}
        made = subprocess.run([self._programs / "initdb", *asked], check=False, **options)  # type: ignore[call-overload]
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{self.output()}")
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen([self._programs / "postgres", "-D", "cluster", *flags], **options)  # type: ignore[call-overload]
        log.close()
        self._wait()
        return self

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self._plain("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(f"The server did not start ({error}):\n{self.output()}") from error
                time.sleep(0.05)

    def make_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement by itself, outside a transaction."""
        import psycopg

        with psycopg.connect(self._plain(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _plain(self, database: str) -> str:
        return self.url(database).replace("+psycopg", "")

    def output(self) -> str:
        """All that the server has printed so far."""
        return (self._folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End the server, with whoever is connected, and remove its folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Whose process the server is: this one's, or for root another's."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = next((known[name] for name in USERS if name in known), None)
    if account is None:
        raise RuntimeError(f"The server must not run as root, and there is no user {' or '.join(USERS)}.")
    return account


def main() -> int:
    """Say which PostgreSQL the tests will run on, after installing one if need be; without one they skip."""
    if find() is None:
        print("No PostgreSQL was found; installing one for the tests of the store.", flush=True)
        try:
            install()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"PostgreSQL could not be installed ({error}); its tests are skipped.", file=sys.stderr)
    programs = find()
    if programs is not None:
        print(f"Tests of the store also run on the PostgreSQL of {programs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
