"""What a turn of the daemon costs with 100,000 open threads and 50 cadences: when nothing is due, and after a message.

Run as `python -m benchmarks.tick [--threads 100000] [--cadences 50]`. Aim: under 2 s when nothing is due.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, text

from assistant.bootstrap import Workplace
from assistant.store.tables import CadenceRunRow, Client, Contact, Project, Record, Thread
from tests.offices import LILEI, MONDAY, mail, open_office, write_config

AIM_SECONDS = 2.0
THREADS_OF_A_CLIENT = 10
SHIPPED = Path(__file__).parent.parent / "rules"


def rules(folder: Path, cadences: int) -> None:
    """The shipped rules and so many more cadences that fit no client here."""
    folder.mkdir(parents=True)
    for file in SHIPPED.glob("*.toml"):
        if not file.name.endswith(".test.toml"):
            (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    more = "\n".join(
        f'[[cadence]]\nname = "more-{number}"\n'
        f'when = {{ stage = "proposal", tag = "segment-{number}" }}\n[[cadence.step]]\nafter = "5 business days"\n'
        f'send = "followups/proposal-nudge-1"\n'
        for number in range(max(0, cadences - 6))
    )
    (folder / "more.toml").write_text(f"schema = 1\n{more}", encoding="utf-8")


def fill(workplace: Workplace, threads: int) -> None:
    """Projects that wait for their clients, each with a run whose next step is due in a week."""
    sent, due = MONDAY - timedelta(days=2), MONDAY + timedelta(days=7)
    clients = threads // THREADS_OF_A_CLIENT
    with workplace.database.session() as session:
        session.execute(
            insert(Client),
            [
                {
                    "id": n,
                    "name": f"c{n}",
                    "kind": "company",
                    "owner": LILEI,
                    "tags": [],
                    "created_at": sent,
                    "country": "CN",
                }
                for n in range(1, clients + 1)
            ],
        )
        session.execute(
            insert(Contact),
            [
                {"id": n, "client_id": n, "addr_spec": f"a@c{n}.example", "name": "", "tags": [], "created_at": sent}
                for n in range(1, clients + 1)
            ],
        )
        for start in range(1, threads + 1, 10_000):
            numbers = range(start, min(start + 10_000, threads + 1))
            session.execute(insert(Project), [_project(n, clients, sent) for n in numbers])
            session.execute(insert(Thread), [_thread(n, clients, sent) for n in numbers])
            session.execute(insert(Record), [_record(n, clients, sent) for n in numbers])
            session.execute(insert(CadenceRunRow), [_run(n, clients, sent, due) for n in numbers])
        session.execute(text("ANALYZE"))


def _project(n: int, clients: int, sent: object) -> dict[str, object]:
    return {
        "id": n, "client_id": 1 + n % clients, "name": f"p{n}", "owner": LILEI, "stage": "proposal", "stage_since": sent,
        "state": "running", "waiting_on": "client", "opened_at": sent, "last_at": sent, "tags": [],
    }  # fmt: skip


def _thread(n: int, clients: int, sent: object) -> dict[str, object]:
    return {"id": n, "started_at": sent, "last_at": sent, "project_id": n, "client_id": 1 + n % clients}


def _record(n: int, clients: int, sent: object) -> dict[str, object]:
    return {
        "id": n, "message_id": f"m{n}@lanhai.example", "sent_at": sent, "received_at": sent, "logged_at": sent,
        "channel": "email", "direction": "outbound", "kind": "human", "originator": LILEI, "client_id": 1 + n % clients,
        "contact_id": 1 + n % clients, "project_id": n, "thread_id": n, "stage": "proposal", "waiting_on": "client",
    }  # fmt: skip


def _run(n: int, clients: int, sent: object, due: object) -> dict[str, object]:
    return {
        "project_id": n, "cadence": "proposal-unanswered", "version": "1", "definition": "", "anchor_record_id": n,
        "anchor_sent_at": sent, "contact_id": 1 + n % clients, "thread_id": n, "step_index": 0, "due_at": due,
        "status": "active", "started_at": sent,
    }  # fmt: skip


@dataclass(frozen=True, order=True)
class Cost:
    """Seconds of this process's own work, and by the clock."""

    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{self.cpu:8.3f} s of work, {self.clock:8.3f} s by the clock"


def cost(work: Callable[[], object]) -> Cost:
    began, working = time.perf_counter(), time.process_time()
    work()
    return Cost(time.process_time() - working, time.perf_counter() - began)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", type=int, default=100_000)
    arguments.add_argument("--cadences", type=int, default=50)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rules(Path(folder) / "rules", wanted.cadences)
        office = open_office(write_config(Path(folder)))
        workplace = office.workplace
        workplace.cadence  # noqa: B018  # loaded before anything is measured
        fill(workplace, wanted.threads)
        print(f"{wanted.threads} open threads, "
              f"{len(workplace.cadence.rules.cadences)} cadences")  # fmt: skip
        moments = workplace.moments

        def turn() -> None:
            workplace.cadence.reload_if_changed(workplace.report_problems)
            workplace.interpret()
            workplace.decide_due()
            workplace.plan(in_turns=True)

        def look_at_everybody() -> None:
            turn()
            while moments.behind:
                workplace.plan(in_turns=True)

        everybody = cost(look_at_everybody)
        idle = min(cost(turn) for _ in range(3))
        office.keep(mail("好的，下周回复您。", originator="a@c7.example", at=office.clock.now()))
        message = cost(turn)
        after = cost(turn)
        office.clock.advance(timedelta(days=1))
        midnight = cost(look_at_everybody)
    print(f"everybody after a start   {everybody}, over as many turns as it takes")
    print(f"everybody after midnight  {midnight}")
    print(f"turn with nothing due     {idle} (aim {AIM_SECONDS} s)")
    print(f"turn with a new message   {message}")
    print(f"turn after that           {after}")
    return 0 if idle.clock < AIM_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
