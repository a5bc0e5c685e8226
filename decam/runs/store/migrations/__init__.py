"""The layouts of the database, one after the other, as Alembic revisions."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

HEAD = "6"
FIRST_VERSION = "1"
_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the connection at work in globals of its modules


def revision_of(connection: Connection) -> str | None:
    """The layout that a database has; None for one without any tables of ours.

    The first version numbered its layouts 1 and 2 in the SQLite file's own user_version; both are revision 1 here.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None or connection.dialect.name != "sqlite":
        return revision
    written = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if written == 0:
        return None
    return FIRST_VERSION if written <= 2 else f"layout {written}"


def is_known(revision: str) -> bool:
    """True for a revision that this decam can read or bring up to date."""
    return any(each.revision == revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest layout, within the transaction of the connection."""
    config = _config()
    config.attributes["connection"] = connection
    unnumbered = MigrationContext.configure(connection).get_current_revision() is None
    with _ONE_AT_A_TIME:
        if unnumbered and revision_of(connection) == FIRST_VERSION:
            _complete_first_version(connection)
            command.stamp(config, FIRST_VERSION)
        command.upgrade(config, HEAD)


def _complete_first_version(connection: Connection) -> None:
    """The first of the two layouts of the first version had no judgements."""
    if "judgements" not in inspect(connection).get_table_names():
        connection.exec_driver_sql(
            "CREATE TABLE judgements (run VARCHAR NOT NULL, picture INTEGER NOT NULL, method INTEGER NOT NULL, "
            "metric VARCHAR NOT NULL, value DOUBLE, note VARCHAR NOT NULL, "
            "PRIMARY KEY (run, picture, method, metric), FOREIGN KEY(run, picture, method) "
            "REFERENCES cells (run, picture, method) ON DELETE CASCADE)"
        )


def _config() -> Config:
    config = Config()
    folder = Path(__file__).resolve().parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))  # Config has a meaning for %
    return config
