"""How long it takes to back up, check, restore, make anew, export and forget: over the project mail of the corpus as raw mail.

Prints seconds by the clock and of processor for each, and how many rows a rebuild finds otherwise (aim: none). Run as
`python -m benchmarks.keeping [--mails 3000] [--encoder auto|on|off]`.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import func, select

from assistant.bootstrap import Workplace
from assistant.intake.history import HistoricMail, keep_history
from assistant.keeping.backup import back_up, check_backup, restore
from assistant.keeping.export import ExportPlace, export_client
from assistant.keeping.forget import forget
from assistant.keeping.rebuild import rebuild
from assistant.store import open_database
from assistant.store.tables import Client, Record
from assistant.upkeep import interpreting, our_addresses
from benchmarks.intake import corpus_mails, installation

Result = TypeVar("Result")


def timed(what: str, work: Callable[[], Result]) -> Result:
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    print(
        f"{what:<9} {time.perf_counter() - clock:7.2f} s by the clock, {time.process_time() - processor:7.2f} s of processor"
    )
    return found


def largest_client(workplace: Workplace) -> str:
    with workplace.database.reading() as session:
        records = func.count(Record.id).label("records")
        most = select(Record.client_id).where(Record.client_id.is_not(None)).group_by(Record.client_id)
        return str(session.scalar(most.order_by(records.desc()).limit(1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=3000)
    parser.add_argument("--encoder", choices=("auto", "on", "off"), default="auto")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    mails, domains = corpus_mails(arguments.mails)
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        folder = Path(name)
        workplace = installation(folder, domains, arguments.encoder)
        database, archive, now = workplace.database, workplace.archive, workplace.clock.now()
        keep_history(database, archive, workplace.clock, (HistoricMail(raw, None) for raw in mails), None)
        timed("intake", workplace.intake.run)
        copy = folder / "copy"
        facts = timed("backup", lambda: back_up(database, copy, now))
        timed("check", lambda: check_backup(copy))
        timed("restore", lambda: restore(copy, lambda: open_database("sqlite:///other.db", folder), now))
        context = interpreting(workplace)
        found = timed("rebuild", lambda: rebuild(database, context, now, check=True))
        which, ours = largest_client(workplace), our_addresses(workplace)

        def export() -> None:
            place = ExportPlace(
                "Northlight",
                "Asia/Shanghai",
                lambda stage, _language: stage,
                "en",
                lambda address: address.endswith("lanhai.example"),
            )
            with database.reading() as session:
                export_client(session, archive, session.get_one(Client, int(which)), folder / "x.zip", place, now)

        timed("export", export)
        timed("forget", lambda: forget(database, archive, which, ours, "benchmark", now))
        size = copy.stat().st_size / 1_000_000
        print(
            f"{len(mails)} mails, {facts.rows} rows, backup of {size:.1f} MB; rebuilt otherwise: {found.differences.count} rows"
        )
        for line in list(found.differences.sentences())[:20]:
            print(line)
        database.close()


if __name__ == "__main__":
    main()
