"""Facts of all clients between two looks: read again only for clients with whom something happened."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.clock import monotonic
from assistant.model.cadence import ClientFacts, ProjectFacts, ReminderFacts, StaffFacts
from assistant.store.facts import DatabaseFacts
from assistant.store.tables import Client

READ_AGAIN_SECONDS = 300.0
"""What other processes changed (a command, a second daemon) is seen after this at the latest. Nothing is sent on
the strength of it: every mail is checked against fresh facts before it leaves."""


class PlanningFacts:
    """Remembers facts by client. `elapsed` tells seconds on a clock that only runs forward."""

    def __init__(self, staff: tuple[StaffFacts, ...], elapsed: Callable[[], float] = monotonic) -> None:
        self._staff = staff
        self._elapsed = elapsed
        self._clients: dict[int, ClientFacts] = {}
        self._projects: dict[int, tuple[ProjectFacts, ...]] = {}
        self._read_at = elapsed()

    def forget(self, client_id: int | None) -> None:
        """Something happened with this client; None: with any."""
        if client_id is None:
            self._clients.clear()
        else:
            self._clients.pop(client_id, None)

    def read(self, session: Session, facts: DatabaseFacts) -> tuple[list[ClientFacts], ReminderFacts]:
        """Facts of every client, and what reminders are decided from."""
        if self._elapsed() - self._read_at > READ_AGAIN_SECONDS:
            self.forget(None)
        if not self._clients:
            self._read_at = self._elapsed()
        ids = session.scalars(select(Client.id).where(Client.merged_into.is_(None)).order_by(Client.id)).all()
        for client_id in ids:
            if client_id not in self._clients:
                self._clients[client_id] = facts.client(client_id)
                self._projects[client_id] = facts.projects_of(client_id)
        clients = [self._clients[client_id] for client_id in ids]
        projects = tuple(project for client_id in ids for project in self._projects[client_id])
        return clients, ReminderFacts(projects, tuple(clients), self._staff, facts.waiting())
