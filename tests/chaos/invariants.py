"""What must hold after a round, whatever happened in it. Each function returns sentences; none is what is wanted."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.intake.ledger import unaccounted
from assistant.store.breaker import EVERYBODY, FEWEST_BOUNCES, Trip, trips
from assistant.store.tables import CadenceRunRow, Contact, Location, OutboxMessage, Quarantine, RawMail, Record
from parsers import parse
from tests.chaos.correspondence import Client, Letter, Week
from tests.chaos.scenes import Doors
from tests.offices import AGENCY
from tests.servers.smtp_sink import Received


def mail_in(session: Session, letters: Iterable[Letter]) -> Iterator[str]:
    """Every delivered mail has exactly one record, or is in quarantine, or was ignored by a rule; nothing is pending."""
    for location, text in unaccounted(session):
        yield f"location {location} is {text}"
    raw_ids = {row.sha256: row.id for row in session.execute(select(RawMail.sha256, RawMail.id))}
    by_id = {row.message_id: row.raw_id for row in session.execute(select(Record.message_id, Record.raw_id))}
    records: dict[int | None, set[int | None]] = {}
    for row in session.execute(select(Record.id, Record.raw_id)):
        records.setdefault(row.raw_id, set()).add(row.id)
    outcomes: dict[int, list[str]] = {}
    for place in session.execute(select(Location.raw_id, Location.outcome, Location.record_id)):
        outcomes.setdefault(place.raw_id, []).append(place.outcome)
        if place.outcome == "duplicate":  # the same mail by another way: with other trace fields, say
            records.setdefault(place.raw_id, set()).add(place.record_id)
    held = Counter(session.scalars(select(Quarantine.raw_id).where(Quarantine.settled_at.is_(None))))
    for number, letter in enumerate(letters):
        name = f"mail {number} ({_subject(letter)})"
        raw_id = by_id.get(letter.extract_of) if letter.extract_of else raw_ids.get(_digest(letter))
        if raw_id is None:
            if not letter.removed:
                yield f"{name} was never kept"
            continue
        found = outcomes.get(raw_id, [])
        if "pending" in found:
            yield f"{name} is still pending"
        places = len(found)
        if places < len(letter.copies) and not letter.removed:
            yield f"{name} lies in {len(letter.copies)} places and is known in {places}"
        count = len(records.get(raw_id, ()))
        if count + bool(held[raw_id]) != 1 and not (count == 0 and set(found) == {"ignored"}):
            yield f"{name} has {count} records, {held[raw_id]} entries in quarantine; outcomes {found}"


def mail_out(
    session: Session, received: Sequence[Received], week: Week, now: datetime, gone: Iterable[bytes] = ()
) -> Iterator[str]:
    """Every due step is one accepted mail or a stored reason; nothing was accepted twice or without a row.

    `gone`: mail that people took away, perhaps before it was read; of its clients nothing can be expected.
    """
    rows = {row.message_id: row for row in session.scalars(select(OutboxMessage))}
    accepted = Counter(parse(item.content).message_id or "" for item in received)
    yield from _accepted(rows, accepted)
    stopped = {trip.scope for trip in trips(session) if _is_justified(trip, rows.values())}
    for row in rows.values():
        yield from _settled(row, accepted, now, held=_is_held(row, stopped))
    for run in session.scalars(select(CadenceRunRow)):
        if run.status == "active" and run.due_at <= now:
            yield f"run {run.id} ({run.cadence}) was due at {run.due_at:%a %H:%M} and was not decided"
        if run.status == "stopped" and not run.reason:
            yield f"run {run.id} ({run.cadence}) stopped without a reason"
    taken = "\n".join(everything_said(raw) for raw in gone)
    expected = [client for client in week.clients if client.domain not in taken]
    yield from _steps(session, expected, week.silent, list(rows.values()))


def _accepted(rows: dict[str, OutboxMessage], accepted: Counter[str]) -> Iterator[str]:
    for message_id, count in accepted.items():
        row = rows.get(message_id)
        if row is None:
            yield f"a mail was accepted that no outbox row knows: {message_id}"
        elif count > 1:
            yield f"outbox {row.id} ({row.purpose}) was accepted {count} times"
        elif row.state not in ("sent", "uncertain"):
            yield f"outbox {row.id} ({row.purpose}) is {row.state}, but the server took it"
        elif row.state == "uncertain" and row.audience == "client":
            yield f"outbox {row.id} is uncertain although it lies among sent mail"


def _is_justified(trip: Trip, rows: Iterable[OutboxMessage]) -> bool:
    """The breaker stops sending where as much came back as it says: each such mail has the server's own word."""
    refused = [row for row in rows if row.audience == "client" and row.state == "refused" and row.answer_text]
    return trip.cause == "bounces" and len(refused) >= max(trip.count, FEWEST_BOUNCES)


def _is_held(row: OutboxMessage, stopped: Container[str]) -> bool:
    """What the breaker holds back waits for a person, with that reason stored."""
    scopes = (EVERYBODY, f"client:{row.client_id}")
    return row.audience == "client" and row.reason == "sending-stopped" and any(scope in stopped for scope in scopes)


def _settled(row: OutboxMessage, accepted: Counter[str], now: datetime, *, held: bool) -> Iterator[str]:
    name = f"outbox {row.id} ({row.purpose})"
    if row.state == "sent" and not accepted[row.message_id]:
        yield f"{name} is sent, but the server never took it"
    if row.state not in ("sent", "queued", "deferred", "waiting_approval") and not (row.reason or row.answer_text):
        yield f"{name} is {row.state} without a reason"
    if row.state in ("claimed", "sending"):
        yield f"{name} is still {row.state}"
    if row.state in ("queued", "deferred") and row.due_at <= now and not held:
        yield f"{name} was due at {row.due_at:%a %H:%M} and lies there: {row.reason}"


def _steps(
    session: Session, clients: Sequence[Client], silent: Container[int], rows: Sequence[OutboxMessage]
) -> Iterator[str]:
    contacts = {contact.addr_spec: contact for contact in session.scalars(select(Contact))}
    for client in clients:
        contact = contacts.get(client.buyer)
        if contact is None:
            yield f"client {client.number} is not known"
            continue
        steps = [row for row in rows if row.contact_id == contact.id and row.purpose == "follow-up"]
        keys = Counter((row.run_id, row.step) for row in steps)
        for (run, step), count in keys.items():
            if count > 1:
                yield f"run {run} has {count} mails for step {step}"
        if client.number in silent and not steps and not _held_back(session, contact):
            yield f"client {client.number} was silent for three days, and nothing was decided"


def unwanted(received: Iterable[Received], since: float, readable: Collection[bytes], week: Week) -> Iterator[str]:
    """Who answered, is away, wants no more or cannot be reached gets no follow-up once that mail could be read.

    `received` are the mails of a life that began at `since` (monotonic), `readable` what lay in the folders that are read
    when it began, and until it ended. Every life reads the mailbox before it sends, and sends nothing to clients where
    it cannot; so mail that lies there unread because the server refused, or because it came later, proves nothing.
    """
    stopped = {
        client.buyer: week.stopping[client.number]
        for client in week.clients
        if client.number in week.stopping and any(raw in readable for _, raw in week.stopping[client.number].copies)
    }
    for item in received:
        if item.begun < since:
            continue  # it was under way already when the life before was killed
        for address in item.recipients:
            if (letter := stopped.get(address)) is not None:
                yield f'{address} was written to although "{_subject(letter)}" could be read before'


def ordered_after(session: Session, week: Week) -> Iterator[str]:
    """The same within a life: nothing is ordered for them once that mail is a record. Where all clocks were right."""
    for client in week.clients:
        letter = week.stopping.get(client.number)
        raw_id = session.scalar(select(RawMail.id).where(RawMail.sha256 == _digest(letter))) if letter else None
        known = session.scalar(select(func.min(Record.logged_at)).where(Record.raw_id == raw_id)) if raw_id else None
        contact = session.scalar(select(Contact).where(Contact.addr_spec == client.buyer))
        if letter is None or known is None or contact is None:
            continue
        late = (
            OutboxMessage.contact_id == contact.id,
            OutboxMessage.purpose == "follow-up",
            OutboxMessage.created_at > known,
            OutboxMessage.state.in_(("sent", "uncertain")),
        )
        for row in session.scalars(select(OutboxMessage).where(*late)):
            yield f'outbox {row.id} was ordered for {client.buyer} after "{_subject(letter)}" was on record'


def _held_back(session: Session, contact: Contact) -> bool:
    """Whether the runs of this person ended with a reason instead of a mail."""
    runs = session.scalars(select(CadenceRunRow).where(CadenceRunRow.contact_id == contact.id)).all()
    return bool(runs) and all(run.reason for run in runs)


def marks_out(session: Session, received: Sequence[Received], clients: Sequence[Client]) -> Iterator[str]:
    """No mail carries a mark of another client than the one it goes to, or is about."""
    about = {row.message_id: row for row in session.scalars(select(OutboxMessage))}
    domains = {client.domain: client for client in clients}
    owners = {
        contact.client_id: domains[domain]
        for contact in session.scalars(select(Contact))
        if (domain := contact.addr_spec.partition("@")[2]) in domains
    }
    for item in received:
        row = about.get(parse(item.content).message_id or "")
        ours = {domains[domain] for address in item.recipients if (domain := address.partition("@")[2]) in domains}
        if row is not None and row.client_id in owners:
            ours.add(owners[row.client_id])
        to_staff = all(address.endswith(f"@{AGENCY}") for address in item.recipients)
        if to_staff and (row is None or row.client_id is None):
            continue  # a digest for a colleague who looks after several clients
        if len(ours) > 1:
            yield f"one mail went to {len(ours)} clients"
        text = everything_said(item.content)
        for client in clients:
            for mark in client.marks:
                if client not in ours and mark.lower() in text:
                    yield f"a mail to {', '.join(item.recipients)} carries the mark {mark} of client {client.number}"


def secrets_out(way_in: Doors) -> Iterator[str]:
    """Whoever shows the wrong certificate is told nothing: no password, and nothing else."""
    for kind, each in way_in.impostors.items():
        if each.told:
            yield f"a server with a certificate that is not its own ({kind}) was told {len(each.told)} bytes"


def everything_said(raw: bytes) -> str:
    """All bytes of a mail, its headers decoded, and every part decoded, in lower case."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    pieces = [raw.decode("latin-1")]
    for part in message.walk():
        pieces += [f"{name}: {value}" for name, value in part.items()]
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            pieces += [payload.decode("utf-8", "replace"), payload.decode("gb18030", "replace")]
    return "\n".join(pieces).lower()


def _digest(letter: Letter) -> str:
    # Servers keep lines as CR LF whatever was delivered.
    raw = letter.copies[0][1]
    return hashlib.sha256(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).hexdigest()


def _subject(letter: Letter) -> str:
    return parse(letter.copies[0][1]).subject[:40]
