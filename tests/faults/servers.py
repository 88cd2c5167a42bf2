"""A PostgreSQL server of the tests' own, which may be killed and started again."""

import os
import shutil
import signal
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from ledger.embedded import embedded_postgres
from ledger.migrate import migrate


class OwnServer:
    """An embedded server whose address stays the same through its restarts."""

    def __init__(self) -> None:
        # Every account may pass into this home, so that the socket lies in it.
        self.home = Path(tempfile.mkdtemp(prefix="faults-"))
        self.home.chmod(0o755)
        self.conninfo = ""
        self.running: AbstractContextManager[str] | None = None

    def start(self) -> None:
        self.running = embedded_postgres(self.home)
        self.conninfo = self.running.__enter__()

    def kill(self) -> None:
        """End the server as a power cut does."""
        pid = int((self.home / "data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        running, self.running = self.running, None
        if running is not None:
            running.__exit__(None, None, None)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home)

    def database(self) -> str:
        """Make a migrated database; give its conninfo."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        conninfo = make_conninfo(self.conninfo, dbname=name)
        migrate(conninfo)
        return conninfo
