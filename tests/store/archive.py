"""A year of mail of so many clients, written straight into the tables: each client has the same, however many there are."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from assistant.model.weak_threads import subject_key
from assistant.store import Database
from assistant.store.tables import (
    AuditEntry,
    Base,
    CadenceRunRow,
    Client,
    ClientDomain,
    Contact,
    Correction,
    FolderCursor,
    Location,
    OpenItem,
    OutboxMessage,
    Project,
    RawMail,
    Record,
    SignOff,
    StaffNote,
    StageChange,
    Suppression,
    Thread,
    ThreadKey,
)
from tests.offices import ASSISTANT, LILEI, MONDAY

RECORDS = 10
"""Of each client; a fifth of the mail is strangers'."""
_PEOPLE = 2
_THREADS = 3
_PROJECTS = 2
_MAILS_OF_OURS = 6
_Row = dict[str, Any]


def fill(database: Database, clients: int) -> None:
    """Numbers of clients, people, threads, projects and records go from 1 on without gaps; all of it is over and done."""
    archive = _Archive(clients)
    with database.session() as session:
        for table, rows in archive.tables():
            session.execute(insert(table), rows)
        session.add(
            FolderCursor(mailbox="shared", folder="INBOX", uidvalidity=1, last_uid=archive.records, read_at=MONDAY)
        )


def person(client: int, number: int = 1) -> str:
    """The address of somebody at a client."""
    return f"p{number}@c{client}.example"


def youngest_threads(clients: int) -> tuple[str, str]:
    """A Message-ID in each of the two threads that began last."""
    last = clients * _THREADS
    return f"m{last - 1}@x.example", f"m{last - 2}@x.example"


class _Archive:
    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.records = clients * RECORDS
        self.count = {
            Client: clients,
            ClientDomain: clients,
            Contact: clients * _PEOPLE,
            Project: clients * _PROJECTS,
            Thread: clients * _THREADS,
            OutboxMessage: clients * _MAILS_OF_OURS,
            CadenceRunRow: clients * 3,
            AuditEntry: self.records,
            StaffNote: clients * 4,
            SignOff: clients * 2,
            OpenItem: clients * 4,
            StageChange: clients * 5,
            Suppression: max(1, clients // 10),
            Correction: max(1, clients // 10),
        }

    def tables(self) -> list[tuple[type[Base], list[_Row]]]:
        rows: list[tuple[type[Base], Callable[[int], _Row]]] = [
            (Client, self._client),
            (ClientDomain, lambda n: {"domain": f"c{n}.example", "client_id": n}),
            (Contact, self._contact),
            (Project, self._project),
            (Thread, self._thread),
            (RawMail, self._raw),
            (Record, self._record),
            (Location, self._location),
            (ThreadKey, lambda n: {"message_id": f"m{n}@x.example", "thread_id": self._of(n, Thread), "kind": "message"}),
            (CadenceRunRow, self._run),
            (OutboxMessage, self._ours),
            (StaffNote, self._note),
            (SignOff, self._sign_off),
            (OpenItem, self._item),
            (StageChange, self._step),
            (AuditEntry, self._entry),
            (Suppression, self._suppression),
            (Correction, self._correction),
        ]  # fmt: skip
        return [(table, [make(n) for n in range(1, self.count.get(table, self.records) + 1)]) for table, make in rows]

    def _at(self, n: int, table: type[Base] = Record) -> datetime:
        """Spread over a year that ended three weeks ago; everybody was known when it began."""
        return MONDAY - timedelta(days=386) + timedelta(days=365) * (n / self.count.get(table, self.records))

    def _of(self, n: int, table: type[Base]) -> int:
        return 1 + n % self.count[table]

    def _client(self, n: int) -> _Row:
        at = self._at(n, Client)
        return {
            "id": n, "name": f"Client {n}", "kind": "company", "owner": LILEI, "tags": [], "created_at": at,
            "country": "CN", "known_since": self._at(0),
        }  # fmt: skip

    def _contact(self, n: int) -> _Row:
        at, client = self._at(n, Contact), self._of(n, Client)
        return {
            "id": n, "client_id": client, "addr_spec": person(client, 1 + n // (self.clients + 1)),
            "name": f"Person Number{n}", "tags": [], "created_at": at, "known_since": self._at(0),
        }  # fmt: skip

    def _project(self, n: int) -> _Row:
        at = self._at(n, Project)
        return {
            "id": n, "client_id": self._of(n, Client), "name": f"Project {n}", "owner": LILEI, "stage": "proposal",
            "stage_since": at, "state": "running" if n % 2 else "over", "waiting_on": "client" if n % 3 else "us",
            "opened_at": at, "last_at": at, "known_since": self._at(0), "tags": [],
        }  # fmt: skip

    def _thread(self, n: int) -> _Row:
        at = self._at(n, Thread)
        return {
            "id": n, "subject": f"subject {n}", "started_at": at, "last_at": at, "decided_at": self._at(0),
            "project_id": self._of(n, Project), "client_id": self._of(self._of(n, Project), Client),
        }  # fmt: skip

    def _raw(self, n: int) -> _Row:
        text = f"From: p1@c1.example\r\nTo: {ASSISTANT}\r\nSubject: subject {n}\r\nMessage-ID: <m{n}@x.example>\r\n\r\nwords\r\n"
        return {"id": n, "sha256": f"{n:064d}", "size": len(text), "body": zlib.compress(text.encode())}

    def _record(self, n: int) -> _Row:
        at, stray = self._at(n), n % 5 == 0
        # A mail is its conversation's project's, and that is its client's.
        project = self._of(self._of(n, Thread), Project)
        client = self._of(project, Client)
        related = {
            "client_id": None if stray else client,
            "contact_id": None if stray else client - 1 or self.clients,
            "project_id": None if stray else project,
        }
        return related | {
            "id": n, "message_id": f"m{n}@x.example", "fingerprint": f"f{n}", "raw_id": n, "thread_id": self._of(n, Thread),
            "sent_at": at, "received_at": at, "logged_at": at, "kind": "auto_reply" if n % 9 == 0 else "human",
            "direction": "inbound" if n % 2 or stray else "outbound", "originator": f"p1@c{n}.example",
            "subject": f"subject {n}", "base_subject": f"subject {n}", "subject_key": subject_key(f"subject {n}"),
            "reply_text": "words", "stage": "proposal", "waiting_on": "client", "may_start": False, "model": "tags",
            "stage_probabilities": [["proposal", 0.9]], "text_probabilities": [["proposal", 0.9]],
        }  # fmt: skip

    def _location(self, n: int) -> _Row:
        at = self._at(n)
        return {
            "id": n, "mailbox": "shared", "folder": "INBOX", "uidvalidity": 1, "uid": n, "raw_id": n, "record_id": n,
            "received_at": at, "order_at": at, "kept_at": at, "outcome": "logged",
        }  # fmt: skip

    def _run(self, n: int) -> _Row:
        at = self._at(n, CadenceRunRow)
        return {
            "id": n, "project_id": self._of(n, Project), "cadence": f"earlier-{n % 7}", "version": "1", "anchor_record_id": n,
            "anchor_sent_at": at, "contact_id": self._of(n, Contact), "thread_id": self._of(n, Thread), "step_index": 1,
            "due_at": at, "status": "completed", "started_at": at, "ended_at": at,
        }  # fmt: skip

    def _ours(self, n: int) -> _Row:
        at = self._at(n, OutboxMessage)
        purpose = ("follow-up", "greeting", "summary", "digest", "notice")[n % 5]
        to_client, about_project = n % 5 < 2, n % 5 == 0
        return {
            "id": n, "dedupe_key": f"{purpose}:{n}", "message_id": f"o{n}@lanhai.example", "raw": b"x", "subject": f"ours {n}",
            "envelope_from": ASSISTANT, "recipients": [], "purpose": purpose, "rule": "earlier",
            "audience": "client" if to_client else "staff",
            "client_id": self._of(n, Client) if n % 5 < 3 else None,
            "contact_id": self._of(n, Contact) if to_client else None,
            "project_id": self._of(n, Project) if about_project else None,
            "thread_id": self._of(n, Thread) if about_project else None,
            "anchor_record_id": n if about_project else None,
            "run_id": self._of(n, CadenceRunRow) if about_project else None,
            "release": "draft" if n % 50 == 0 else "now", "state": "cancelled" if n % 7 == 0 else "sent",
            "created_at": at, "due_at": at, "settled_at": at, "results": [], "details": {},
        }  # fmt: skip

    def _note(self, n: int) -> _Row:
        at = self._at(n, StaffNote)
        return {
            "dedupe_key": f"note:{n}", "kind": "question", "to_address": LILEI, "not_before": at, "text": "x",
            "project_id": self._of(n, Project), "client_id": self._of(n, Client), "contact_id": self._of(n, Contact),
            "record_id": n, "created_at": at, "outbox_id": self._of(n, OutboxMessage),
        }  # fmt: skip

    def _sign_off(self, n: int) -> _Row:
        at, project = self._at(n, SignOff), self._of(n, Project)
        return {
            "project_id": project, "record_id": n, "what": "proposal", "by": "x", "at": at, "evidence": "x", "confidence": 0.9,
        }  # fmt: skip

    def _item(self, n: int) -> _Row:
        at = self._at(n, OpenItem)
        return {
            "project_id": self._of(n, Project), "client_id": self._of(n, Client), "record_id": n, "by": "us", "owner": LILEI,
            "kind": ("commitment", "complaint", "change_request", "task")[n % 4], "what": "x", "opened_at": at,
            "settled_at": at, "dedupe_key": f"item:{n}",
        }  # fmt: skip

    def _step(self, n: int) -> _Row:
        at = self._at(n, StageChange)
        return {
            "project_id": self._of(n, Project), "from_stage": "discovery", "to_stage": "proposal", "at": at, "record_id": n,
            "confidence": 0.9, "evidence": "x",
        }  # fmt: skip

    def _entry(self, n: int) -> _Row:
        by_hand = n % 20 == 0
        return {
            "at": self._at(n), "who": LILEI if by_hand else "rule earlier",
            "event": "client-changed" if by_hand else ("mail-sent", "run-started", "mail-not-sent")[n % 3],
            "subject": f"client:{self._of(n, Client)}" if by_hand else f"outbox:{n}", "details": {},
        }  # fmt: skip

    def _suppression(self, n: int) -> _Row:
        at = datetime(2025, 6, 1, tzinfo=UTC)
        reason = "opt-out" if n % 2 else "bounce"
        return {"addr_spec": f"gone{n}@c{n}.example", "scope": "all", "reason": reason, "evidence": "", "since": at}

    def _correction(self, n: int) -> _Row:
        return {
            "message_id": f"m{n}@x.example", "field": "stage", "value": "proposal", "by": LILEI,
            "at": self._at(n, Correction),
        }  # fmt: skip
