"""Several processes that are started at the same moment on a database that is not there yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers.postgresql import PostgreSql

_OPEN = """
import sys
from pathlib import Path
from assistant.store import open_database
from assistant.store.migrate import migrate, newest_revision
newest_revision()
print("ready", flush=True)
sys.stdin.readline()
database = open_database(sys.argv[1], Path(sys.argv[2]))
migrate(database)
database.close()
"""


def errors_of_five_at_once(url: str, folder: Path) -> list[str]:
    """What each of them says on its way out; empty where all went well."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, url, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[1][-300:] for process in started]


def test_on_sqlite_one_makes_the_tables_and_the_others_wait(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        assert errors_of_five_at_once("sqlite:///assistant.db", folder) == [""] * 5


def test_on_postgresql_one_makes_the_tables_and_the_others_wait(postgresql: PostgreSql, tmp_path: Path) -> None:
    with postgresql.new_database() as url:
        assert errors_of_five_at_once(url, tmp_path) == [""] * 5
