"""A real PostgreSQL in a scratch folder, with a fresh database for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import run

from tests.servers.processes import free_port, give, missing, running, scratch, unprivileged, wait_until

USER = "assistant"
# Durability costs time and a test's database does not outlive the test.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "shared_buffers=32MB")


@dataclass
class PostgreSql:
    """A running server; `new_database` returns SQLAlchemy URLs."""

    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        """It listens before it has started up."""
        import psycopg

        try:
            psycopg.connect(f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """An empty database, dropped afterwards."""
        url = self.create_database("template0")
        try:
            yield url
        finally:
            self.drop_database(url.rpartition("/")[2])

    def create_database(self, template: str, name: str = "") -> str:
        """A copy of the database `template`; returns its URL."""
        name = name or f"test{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Even when somebody still holds a connection."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def dump(self, name: str) -> str:
        """The database as SQL."""
        command = [str(_binaries() / "pg_dump"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "--inserts", name]
        return run(command, capture_output=True, text=True, check=True).stdout

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres", autocommit=True) as server:
            server.execute(statement.encode())


def _binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not installed:
        missing("needs postgresql (initdb below /usr/lib/postgresql)")
    return installed[-1].parent


@contextmanager
def postgresql_server() -> Iterator[PostgreSql]:
    """Initialises and starts PostgreSQL."""
    binaries = _binaries()
    with scratch("postgresql") as folder:
        data = folder / "data"
        initialise = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        made = run(
            unprivileged([*initialise, "--locale=C.UTF-8"]), capture_output=True, text=True, check=False, cwd=folder
        )
        if made.returncode:
            missing(f"needs a postgresql that can initialise ({made.stderr.strip()[-200:]})")
        server = PostgreSql(free_port())
        log = folder / "log"
        log.touch()
        give(log)
        options = [part for option in OPTIONS for part in ("-c", option)]
        start = [
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-h",
            "127.0.0.1",
            "-p",
            str(server.port),
            "-k",
            str(folder),
        ]
        with running(unprivileged([*start, *options]), log, (server.port,), "postgresql"):
            wait_until(server.answers, "postgresql answers")
            yield server
