"""Where Alembic begins: it works on the connection that the store has opened, in the store's transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
