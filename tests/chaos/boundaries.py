"""Killed at one boundary after the other, restarted, and compared with the uninterrupted run: equal, record for record.

One difference is wanted: a mail that was being handed over when the process died may have left or not. It is uncertain,
is looked for among sent mail, and never sent again by itself; then its client's rows are left out of the comparison.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import (
    CadenceRunRow,
    Client,
    Contact,
    FolderCursor,
    Location,
    OpenItem,
    OutboxMessage,
    Project,
    Quarantine,
    Record,
    SignOff,
    StageChange,
    Suppression,
    ThreadKey,
)
from tests.chaos.correspondence import MONDAY_PASS, THURSDAY_PASS, Week, random_week
from tests.chaos.invariants import mail_in, mail_out, marks_out
from tests.chaos.lives import End, Order
from tests.chaos.rounds import Stage, quick_config
from tests.chaos.scenes import MailboxScene
from tests.offices import open_office
from tests.servers.smtp_sink import Faults

PASSES = (MONDAY_PASS, THURSDAY_PASS, THURSDAY_PASS + timedelta(minutes=70))
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """What one run left behind: rows by table, without numbers and clock times that need not agree."""

    rows: dict[str, Counter[Row]]
    boundaries: tuple[int, ...]
    uncertain: frozenset[str]
    """Clients of whom a mail is uncertain."""
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Kill:
    """In which pass, and at which boundary of it."""

    on_pass: int
    boundary: int


def uninterrupted(on: Stage, seed: int) -> Result:
    return _run(on, seed, None)


def differences(whole: Result, on: Stage, seed: int, kill: Kill) -> list[str]:
    """Runs the same mail, killed once, and says what is not as in `whole`."""
    broken = _run(on, seed, kill)
    found = list(broken.wrong)
    for table, rows in whole.rows.items():
        expected, real = (_without(side, broken.uncertain) for side in (rows, broken.rows[table]))
        found += [f"{table} lacks {row}" for row in (expected - real).elements()]
        found += [f"{table} has {row} too much" for row in (real - expected).elements()]
    return found


def kills(whole: Result, every: int, start: int = 1) -> Iterator[Kill]:
    """Every `every`-th boundary of every pass."""
    for number, count in enumerate(whole.boundaries):
        for boundary in range(start, count + 1, every):
            yield Kill(number, boundary)


def _without(rows: Counter[Row], clients: frozenset[str]) -> Counter[Row]:
    """Without the rows of clients of whom a mail is uncertain, nor what colleagues were told about it."""
    if not clients:
        return rows
    return Counter({row: count for row, count in rows.items() if row[0] != "" and row[0] not in clients})


_numbers = iter(range(1, 10**9))


def _run(on: Stage, seed: int, kill: Kill | None) -> Result:
    week = random_week(random.Random(seed))
    mailbox = on.dovecot.new_mailbox(f"boundary{next(_numbers)}@lanhai.example")
    scene = MailboxScene(mailbox, random.Random(seed))
    config = quick_config(on, mailbox, on.dovecot.plain_port)
    office = open_office(config)
    office.workplace.database.close()
    on.sink.received.clear()
    on.sink.begin(Faults())
    boundaries = []
    for number, at in enumerate(PASSES):
        for letter in (week.monday, week.thursday, [])[number]:
            for folder, raw in letter.copies:
                scene.deliver(raw, folder)
        order = Order(str(config), at.isoformat(), "once")
        if kill is not None and kill.on_pass == number:
            on.nursery.live(dataclasses.replace(order, kill_at=kill.boundary))
        boundaries.append(_to_its_end(on, scene, order).boundaries)
    with office.session() as session:
        result = _result(on, session, week, tuple(boundaries))
    office.workplace.database.close()
    return result


def _to_its_end(on: Stage, scene: MailboxScene, order: Order) -> End:
    """What the server took lies among sent mail before the next pass looks there, as providers do."""
    placed = {path.read_bytes() for path in scene.mailbox.files("Sent")}
    for item in on.sink.received:
        if item.content not in placed:
            scene.deliver(item.content, "Sent")
    end = on.nursery.live(order)
    assert not end.bug, "a life ended with an unexpected error; see the log"
    assert not end.trouble, "a pass without faults found its servers in trouble; see the log"
    return end


def _result(on: Stage, session: Session, week: Week, boundaries: tuple[int, ...]) -> Result:
    received = list(on.sink.received)
    wrong = [
        *mail_in(session, week.letters),
        *mail_out(session, received, week, PASSES[-1] - timedelta(minutes=60)),
        *marks_out(session, received, week.clients),
    ]
    clients = {client.id: client.name for client in session.scalars(select(Client))}
    doubtful = select(OutboxMessage.client_id).where(OutboxMessage.state == "uncertain")
    uncertain = frozenset(clients.get(found, "") if found else "" for found in session.scalars(doubtful))
    return Result(_rows(session, clients), boundaries, uncertain, tuple(wrong))


def _rows(session: Session, clients: dict[int, str]) -> dict[str, Counter[Row]]:
    """Every row's first field is its client's name; "" where it has none."""
    contacts = {contact.id: contact for contact in session.scalars(select(Contact))}
    projects = {project.id: project for project in session.scalars(select(Project))}

    def client_of(number: int | None) -> str:
        return clients.get(number or 0, "")

    def project_of(number: int | None) -> Project | None:
        return projects.get(number or 0)

    def owner(number: int | None) -> str:
        project = project_of(number)
        return client_of(project.client_id) if project is not None else ""

    def address(number: int | None) -> str:
        return contacts[number].addr_spec if number else ""

    return {
        "client": Counter((name,) for name in clients.values()),
        "contact": Counter(
            (client_of(one.client_id), one.addr_spec, one.absent_until, _hour(one.last_inbound_at))
            for one in contacts.values()
        ),
        "project": Counter(
            (
                client_of(one.client_id),
                one.name,
                one.owner,
                one.stage,
                one.state,
                one.waiting_on,
                _hour(one.waiting_since),
            )
            for one in projects.values()
        ),
        "record": Counter(
            (
                client_of(one.client_id),
                "ours" if one.automatic else one.message_id,
                one.direction,
                one.kind,
                one.originator,
                address(one.contact_id),
                name.name if (name := project_of(one.project_id)) else "",
                one.stage,
                one.waiting_on,
                one.approval,
                one.may_start,
                one.reply_text,
            )
            for one in session.scalars(select(Record))
        ),
        "stage_change": Counter(
            (owner(one.project_id), one.from_stage, one.to_stage, _hour(one.at))
            for one in session.scalars(select(StageChange))
        ),
        "sign_off": Counter((owner(one.project_id), one.what, one.by) for one in session.scalars(select(SignOff))),
        "open_item": Counter(
            (client_of(one.client_id), one.kind, one.by, one.what, one.settled_by)
            for one in session.scalars(select(OpenItem))
        ),
        "suppression": Counter(
            (_client_at(contacts, clients, one.addr_spec), one.addr_spec, one.scope, one.reason)
            for one in session.scalars(select(Suppression))
        ),
        "cadence_run": Counter(
            (
                owner(one.project_id),
                one.cadence,
                one.status,
                one.reason,
                one.step_index,
                one.sent_count,
                _hour(one.due_at),
            )
            for one in session.scalars(select(CadenceRunRow))
        ),
        "outbox": Counter(
            (
                client_of(one.client_id),
                one.audience,
                one.purpose,
                tuple(one.recipients),
                one.subject,
                one.state,
                one.rule,
                one.step,
                "" if one.state == "sent" else one.reason,  # how it is known to have left may differ
            )
            for one in session.scalars(select(OutboxMessage))
        ),
        "location": Counter(("mail", *outcomes) for outcomes in _outcomes(session)),
        "quarantine": Counter(("quarantine", one.phase) for one in session.scalars(select(Quarantine))),
        "folder_cursor": Counter(
            (one.folder, one.last_uid) for one in session.scalars(select(FolderCursor)) if one.folder == "INBOX"
        ),
        "thread": Counter(("threads", count) for count in _thread_sizes(session)),
    }


def _outcomes(session: Session) -> Sequence[tuple[str, ...]]:
    """What became of each mail at all places together: which of two copies is the record may differ."""
    found: dict[int, list[str]] = {}
    theirs = select(Location.raw_id).where(Location.folder.in_(("INBOX", "Clients")))  # our own lies in Sent alone
    for row in session.execute(select(Location.raw_id, Location.outcome).where(Location.raw_id.in_(theirs))):
        found.setdefault(row.raw_id, []).append(row.outcome)
    return [tuple(sorted(outcomes)) for outcomes in found.values()]


def _thread_sizes(session: Session) -> Sequence[int]:
    """How many ids of other people's mail each conversation has: equal partitions have equal sizes."""
    keys = session.execute(select(ThreadKey.thread_id, ThreadKey.message_id)).all()
    return list(Counter(thread for thread, message_id in keys if "@lanhai" not in message_id).values())


def _client_at(contacts: dict[int, Contact], clients: dict[int, str], addr_spec: str) -> str:
    found = [clients[one.client_id] for one in contacts.values() if one.addr_spec == addr_spec]
    return found[0] if found else ""


def _hour(moment: datetime | None) -> str:
    """Times that were taken from the clock differ by seconds between two runs."""
    return f"{moment:%Y-%m-%d %H}" if moment is not None else ""
