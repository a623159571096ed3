"""Fills the facts that rules look at (`assistant.model.cadence`) from the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session, defer

from assistant.model.cadence import (
    OPEN_STATUSES,
    CadenceRun,
    ClientFacts,
    Happening,
    ProjectFacts,
    ReminderFacts,
    WaitedMessage,
    WaitingItem,
)
from assistant.model.people import Directory
from assistant.store.client_facts import in_parts, read_clients
from assistant.store.happenings import happenings
from assistant.store.project_facts import read_projects, thread_references
from assistant.store.runs import run_facts
from assistant.store.tables import CadenceRunRow, Client, OutboxMessage, Project
from assistant.store.threads import living_thread

# Built once: that costs more than to run them.
_PROJECTS = select(Project).where(Project.id.in_(bindparam("ids", expanding=True)))
_RUNS = (
    select(CadenceRunRow)
    .where(CadenceRunRow.project_id.in_(bindparam("ids", expanding=True)))
    .order_by(CadenceRunRow.id)
    .options(defer(CadenceRunRow.definition))
)


class DatabaseFacts:
    """A `FactsSource` over one session, for one moment. Staff come from the configuration, not from the database.

    What is asked for several clients or projects is read for all of them together.
    """

    def __init__(self, session: Session, directory: Directory, now: datetime) -> None:
        self._session = session
        self._directory = directory
        self._now = now
        self._clients: dict[int, ClientFacts] = {}
        self._projects: dict[int, ProjectFacts] = {}

    # --- clients ----------------------------------------------------------------------------------------------------

    def client(self, client_id: int) -> ClientFacts:
        """Raises LookupError when there is no such client."""
        self._read_clients((client_id,))
        if client_id not in self._clients:
            raise LookupError(f"there is no client {client_id}")
        return self._clients[client_id]

    def clients(self) -> Iterator[ClientFacts]:
        ids = self._session.scalars(select(Client.id).where(Client.merged_into.is_(None)).order_by(Client.id)).all()
        for part in in_parts(ids):
            yield from self.clients_of(part)

    def clients_of(self, ids: Sequence[int]) -> tuple[ClientFacts, ...]:
        """These clients in this order; one that is gone is left out."""
        self._read_clients(ids)
        return tuple(self._clients[number] for number in ids if number in self._clients)

    def _read_clients(self, ids: Iterable[int]) -> None:
        missing = [number for number in ids if number not in self._clients]
        if missing:
            self._clients.update(read_clients(self._session, self._directory, missing, self._now))

    # --- projects ---------------------------------------------------------------------------------------------------

    def projects(self) -> Iterator[ProjectFacts]:
        ids = self._session.scalars(select(Project.id).where(Project.state != "over").order_by(Project.id)).all()
        for part in in_parts(ids):
            rows = self._session.scalars(select(Project).where(Project.id.in_(part)).order_by(Project.id)).all()
            yield from self._facts_of(rows)

    def project(self, project_id: int) -> ProjectFacts | None:
        return next(iter(self.projects_by_id((project_id,))), None)

    def project_of_thread(self, thread_id: int) -> int | None:
        thread = living_thread(self._session, thread_id)
        return thread.project_id if thread else None

    def projects_by_id(self, ids: Sequence[int]) -> tuple[ProjectFacts, ...]:
        """These projects, read together; one that is gone is left out."""
        missing = [number for number in ids if number not in self._projects]
        for part in in_parts(missing):
            rows = self._session.scalars(_PROJECTS, {"ids": part}).all()
            self._projects.update({facts.project_id: facts for facts in self._facts_of(rows)})
        return tuple(self._projects[number] for number in ids if number in self._projects)

    def runs(self, project_id: int) -> Sequence[CadenceRun]:
        """All open runs, and the ended ones on the messages that a cadence could be anchored on now."""
        return self.runs_of((project_id,)).get(project_id, ())

    def runs_of(self, ids: Sequence[int]) -> dict[int, tuple[CadenceRun, ...]]:
        """As `runs`, for several projects; those without any are left out."""
        anchors = {
            facts.project_id: {one.record_id for one in (facts.waited, facts.last_contact) if one}
            for facts in self.projects_by_id(ids)
        }
        found: dict[int, tuple[CadenceRun, ...]] = {}
        for part in in_parts(anchors):
            for row in self._session.scalars(_RUNS, {"ids": part}):
                if row.status in OPEN_STATUSES or row.anchor_record_id in anchors[row.project_id]:
                    found[row.project_id] = (*found.get(row.project_id, ()), run_facts(row))
        return found

    def _facts_of(self, projects: Sequence[Project]) -> tuple[ProjectFacts, ...]:
        self._read_clients(dict.fromkeys(project.client_id for project in projects))
        found = read_projects(self._session, self._directory, projects, self._clients, self._now)
        return tuple(found[project.id] for project in projects)

    def references(self, anchor: WaitedMessage) -> tuple[str, ...]:
        """The ids of the thread before the message that is answered, oldest first (RFC 5322 §3.6.4)."""
        return thread_references(self._session, anchor.thread_id, anchor.message_id, anchor.sent_at)

    # --- reminders --------------------------------------------------------------------------------------------------

    def reminders(self) -> ReminderFacts:
        """What reminders to staff are decided from."""
        staff, operator = self._directory.staff, self._directory.operator
        return ReminderFacts(tuple(self.projects()), tuple(self.clients()), staff, self.waiting(), operator)

    def reminders_of(self, client_ids: Sequence[int]) -> dict[int, ReminderFacts]:
        """What reminders about each of these clients are decided from, without what waits in the outbox."""
        projects: dict[int, list[ProjectFacts]] = {client.client_id: [] for client in self.clients_of(client_ids)}
        for part in in_parts(projects):
            rows = select(Project).where(Project.client_id.in_(part), Project.state != "over").order_by(Project.id)
            for facts in self._facts_of(self._session.scalars(rows).all()):
                projects[facts.client.client_id].append(facts)
        return {
            number: ReminderFacts(
                tuple(found), (self._clients[number],), self._directory.staff, operator=self._directory.operator
            )
            for number, found in projects.items()
        }

    def waiting(self) -> tuple[WaitingItem, ...]:
        """What in the outbox waits for a colleague."""
        columns = (
            OutboxMessage.id,
            OutboxMessage.state,
            OutboxMessage.release,
            OutboxMessage.details,
            OutboxMessage.subject,
            OutboxMessage.created_at,
            OutboxMessage.project_id,
        )
        waiting = self._session.execute(
            select(*columns)
            .where(
                OutboxMessage.audience == "client",
                or_(
                    OutboxMessage.state == "waiting_approval",
                    (OutboxMessage.state == "queued") & OutboxMessage.release.startswith("veto"),
                ),
            )
            .order_by(OutboxMessage.id)
        )
        return tuple(
            WaitingItem(
                row.id,
                "veto" if row.state == "queued" else "draft" if row.release == "draft" else "approval",
                row.details.get("owner", ""),
                row.subject,
                row.created_at,
                row.project_id,
            )
            for row in waiting
        )

    # --- history ----------------------------------------------------------------------------------------------------

    def history(self, since: datetime, until: datetime) -> Iterable[Happening]:
        return happenings(self._session, since, until)
