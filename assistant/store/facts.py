"""Fills the facts that rules look at (`assistant.model.cadence`) from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, defer

from assistant.model.cadence import (
    Absence,
    AutomaticMail,
    CadenceRun,
    ClientFacts,
    Commitment,
    ContactFacts,
    EventKind,
    Happening,
    OpenQuestion,
    OptOut,
    OptOutScope,
    PlannedMail,
    ProjectEvent,
    ProjectFacts,
    ReminderFacts,
    WaitedMessage,
    WaitingItem,
    send_key,
)
from assistant.model.people import Directory
from assistant.model.process import STAGES, WaitingOn
from assistant.store.happenings import happenings, stage_of
from assistant.store.runs import run_facts
from assistant.store.tables import (
    CadenceRunRow,
    Client,
    Contact,
    OpenItem,
    OutboxMessage,
    Project,
    Record,
    SignOff,
    StageChange,
    Suppression,
    ThreadKey,
)
from assistant.store.threads import living_thread

_SENT_MEMORY = timedelta(days=400)
_OPEN_OUTBOX = ("queued", "claimed", "sending", "deferred", "waiting_approval")
_EVENTS_WITHOUT_ANCHOR = timedelta(days=30)


class DatabaseFacts:
    """A `FactsSource` over one session, for one moment. Staff come from the configuration, not from the database."""

    def __init__(self, session: Session, directory: Directory, now: datetime) -> None:
        self._session = session
        self._directory = directory
        self._now = now
        self._clients: dict[int, ClientFacts] = {}

    # --- projects ---------------------------------------------------------------------------------------------------

    def projects(self) -> Iterable[ProjectFacts]:
        for project in self._session.scalars(select(Project).where(Project.state != "over").order_by(Project.id)):
            yield self._project(project)

    def project(self, project_id: int) -> ProjectFacts | None:
        project = self._session.get(Project, project_id)
        return self._project(project) if project else None

    def project_of_thread(self, thread_id: int) -> int | None:
        thread = living_thread(self._session, thread_id)
        return thread.project_id if thread else None

    def runs(self, project_id: int) -> Sequence[CadenceRun]:
        project = self._session.get(Project, project_id)
        waited = self._waited(project) if project else None
        anchor = waited.record_id if waited else -1
        rows = self._session.scalars(
            select(CadenceRunRow)
            .where(
                CadenceRunRow.project_id == project_id,
                or_(CadenceRunRow.status.in_(("active", "paused")), CadenceRunRow.anchor_record_id == anchor),
            )
            .order_by(CadenceRunRow.id)
        )
        return tuple(run_facts(row) for row in rows)

    def clients(self) -> Iterable[ClientFacts]:
        for client_id in self._session.scalars(
            select(Client.id).where(Client.merged_into.is_(None)).order_by(Client.id)
        ):
            yield self.client(client_id)

    def reminders(self) -> ReminderFacts:
        """What reminders to staff are decided from."""
        return ReminderFacts(tuple(self.projects()), tuple(self.clients()), self._directory.staff, self.waiting())

    def projects_of(self, client_id: int) -> tuple[ProjectFacts, ...]:
        """The projects of one client that are not over."""
        rows = self._session.scalars(
            select(Project).where(Project.client_id == client_id, Project.state != "over").order_by(Project.id)
        )
        return tuple(self._project(project) for project in rows)

    def reminders_of(self, client_id: int) -> ReminderFacts:
        """What reminders about one client are decided from, without what waits in the outbox."""
        return ReminderFacts(self.projects_of(client_id), (self.client(client_id),), self._directory.staff)

    def waiting(self) -> tuple[WaitingItem, ...]:
        """What in the outbox waits for a colleague."""
        waiting = self._session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.audience == "client",
                or_(
                    OutboxMessage.state == "waiting_approval",
                    (OutboxMessage.state == "queued") & OutboxMessage.release.startswith("veto"),
                ),
            )
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

    # --- one project ------------------------------------------------------------------------------------------------

    def _project(self, project: Project) -> ProjectFacts:
        client = self.client(project.client_id)
        waited = self._waited(project)
        items = self._session.scalars(select(OpenItem).where(OpenItem.project_id == project.id)).all()
        complaints = [item for item in items if item.kind == "complaint"]
        resolved = [item.settled_at for item in complaints if item.settled_at]
        return ProjectFacts(
            project_id=project.id,
            name=project.name,
            client=client,
            stage=stage_of(project.stage) or "discovery",
            stage_since=project.stage_since,
            waiting_on=cast("WaitingOn", project.waiting_on),
            waited=waited,
            last_contact=self._last_contact(project),
            owner=self._directory.person(project.owner),
            staff=self._directory.staff,
            tags=tuple(project.tags),
            value=project.value,
            events=self._events(project, waited),
            open_complaint=any(item.settled_at is None for item in complaints),
            complaint_resolved_at=max(resolved) if resolved else None,
            paused=project.state == "paused",
            closed=project.state == "over",
            lost=project.state == "lost",
            questions=self._questions(project),
            commitments=tuple(
                Commitment(
                    item.id, "us" if item.by == "us" else "client", item.what, item.due, item.record_id, item.owner
                )
                for item in items
                if item.kind == "commitment" and item.due and item.settled_at is None
            ),
            signed_off=tuple(
                self._session.scalars(select(SignOff.what).where(SignOff.project_id == project.id).distinct())
            ),
        )

    def _waited(self, project: Project | None) -> WaitedMessage | None:
        """The last message that staff wrote to the client, when an answer is due to it."""
        if project is None or project.waiting_on != "client":
            return None
        record = self._session.scalar(
            select(Record)
            .where(
                Record.project_id == project.id,
                Record.direction == "outbound",
                Record.kind == "human",
                Record.automatic.is_(False),
            )
            .order_by(Record.sent_at.desc(), Record.id.desc())
            .limit(1)
        )
        return self._message(record) if record else None

    def _last_contact(self, project: Project) -> WaitedMessage | None:
        record = self._session.scalar(
            select(Record)
            .where(
                Record.client_id == project.client_id,
                Record.direction.in_(("inbound", "outbound")),
                Record.kind == "human",
                Record.automatic.is_(False),
            )
            .order_by(Record.sent_at.desc(), Record.id.desc())
            .limit(1)
        )
        return self._message(record) if record else None

    def _message(self, record: Record) -> WaitedMessage | None:
        if record.contact_id is None or record.thread_id is None:
            return None
        return WaitedMessage(
            record_id=record.id,
            message_id=record.message_id,
            thread_id=record.thread_id,
            subject=record.base_subject or record.subject,
            sent_at=record.sent_at,
            contact_id=record.contact_id,
            sender=record.originator,
            references=self._references(record),
            intents=tuple(item[0] for item in record.intents),
            cc=(),
            may_start=record.may_start,
        )

    def _references(self, record: Record) -> tuple[str, ...]:
        """The ids of the thread before this message, oldest first; ghosts without a date stand in front."""
        earlier = self._session.scalars(
            select(Record.message_id)
            .where(Record.thread_id == record.thread_id, Record.sent_at < record.sent_at)
            .order_by(Record.sent_at, Record.id)
        ).all()
        ghosts = self._session.scalars(
            select(ThreadKey.message_id)
            .where(ThreadKey.thread_id == record.thread_id, ThreadKey.kind == "ghost")
            .limit(20)
        ).all()
        ids = dict.fromkeys((*(ghost for ghost in ghosts if ghost not in earlier), *earlier))
        return tuple(
            identifier for identifier in ids if identifier != record.message_id and "@missing.invalid" not in identifier
        )

    def _events(self, project: Project, waited: WaitedMessage | None) -> tuple[ProjectEvent, ...]:
        since = waited.sent_at if waited else self._now - _EVENTS_WITHOUT_ANCHOR
        oldest = self._session.scalar(
            select(func.min(CadenceRunRow.anchor_sent_at)).where(
                CadenceRunRow.project_id == project.id, CadenceRunRow.status.in_(("active", "paused"))
            )
        )
        if oldest is not None:
            since = min(since, oldest)
        rows = self._session.scalars(
            select(Record).where(
                Record.project_id == project.id,
                Record.sent_at >= since,
                Record.kind == "human",
                Record.automatic.is_(False),
                Record.direction.in_(("inbound", "outbound")),
            )
        ).all()
        events = [event for row in rows for event in _record_events(row)]
        changes = self._session.scalars(
            select(StageChange).where(
                StageChange.project_id == project.id, StageChange.at > since, StageChange.from_stage != ""
            )
        )
        events.extend(
            ProjectEvent("stage-change", change.at, change.record_id, detail=change.to_stage) for change in changes
        )
        return tuple(events)

    def _questions(self, project: Project) -> tuple[OpenQuestion, ...]:
        """The client's messages since our last one, as long as it is our turn."""
        if project.waiting_on != "us":
            return ()
        last_out = self._session.scalar(
            select(func.max(Record.sent_at)).where(
                Record.project_id == project.id,
                Record.direction == "outbound",
                Record.kind == "human",
                Record.automatic.is_(False),
            )
        )
        query = select(Record).where(
            Record.project_id == project.id,
            Record.direction == "inbound",
            Record.kind == "human",
            Record.may_start.is_(True),
        )
        if last_out is not None:
            query = query.where(Record.sent_at > last_out)
        return tuple(
            OpenQuestion(
                row.id,
                row.sent_at,
                row.contact_id,
                row.summary,
                row.base_subject,
                complaint=any(item[0] == "complaint" for item in row.intents),
            )
            for row in self._session.scalars(query.order_by(Record.sent_at))
        )

    # --- one client -------------------------------------------------------------------------------------------------

    def client(self, client_id: int) -> ClientFacts:
        if client_id in self._clients:
            return self._clients[client_id]
        client = self._session.get(Client, client_id)
        if client is None:
            raise LookupError(f"there is no client {client_id}")
        projects = self._session.scalars(select(Project).where(Project.client_id == client_id)).all()
        stages = {project.stage for project in projects if project.state in {"running", "paused"}}
        complaint = self._session.scalar(
            select(func.count())
            .select_from(OpenItem)
            .where(OpenItem.client_id == client_id, OpenItem.kind == "complaint", OpenItem.settled_at.is_(None))
        )
        lost = [project.last_at.date() for project in projects if project.state == "lost"]
        contacts = self._session.scalars(
            select(Contact).where(Contact.client_id == client_id).order_by(Contact.id)
        ).all()
        facts = ClientFacts(
            client_id=client.id,
            name=client.name,
            country=client.country.partition("-")[0] or "CN",
            subdivision=client.country.partition("-")[2],
            timezone=client.timezone or "Asia/Shanghai",
            language=client.language or "zh-Hans",
            tags=tuple(client.tags),
            owner=self._directory.person(client.owner) or (self._directory.staff[0] if self._directory.staff else None),
            contacts=tuple(self._contact(contact, client) for contact in contacts),
            stages=tuple(stage for stage in STAGES if stage in stages) or (("relationship",) if projects else ()),
            open_complaint=bool(complaint),
            lost_pitch_on=max(lost) if lost else None,
            muted="muted" in client.tags,
        )
        self._clients[client_id] = facts
        return facts

    def _contact(self, contact: Contact, client: Client) -> ContactFacts:
        suppressions = self._session.scalars(
            select(Suppression).where(Suppression.addr_spec == contact.addr_spec, Suppression.scope != "lifted")
        ).all()
        outgoing = self._session.scalars(
            select(OutboxMessage)
            .options(defer(OutboxMessage.raw))
            .where(
                OutboxMessage.contact_id == contact.id,
                OutboxMessage.audience == "client",
                or_(
                    OutboxMessage.state.in_(_OPEN_OUTBOX),
                    OutboxMessage.state.in_(("sent", "uncertain"))
                    & (OutboxMessage.settled_at >= self._now - _SENT_MEMORY),
                ),
            )
        ).all()
        return ContactFacts(
            contact_id=contact.id,
            name=contact.name,
            address=contact.addr_spec,
            language=contact.language or client.language,
            timezone=contact.timezone or client.timezone,
            country=contact.country.partition("-")[0],
            subdivision=contact.country.partition("-")[2],
            tags=tuple(contact.tags),
            birthday=_birthday(contact.birthday),
            cooperation_since=contact.since,
            bouncing=any(item.reason == "bounce" for item in suppressions),
            absence=self._absence(contact),
            opt_outs=tuple(
                OptOut(cast("OptOutScope", item.scope), item.since, item.thread_id or None)
                for item in suppressions
                if item.reason != "bounce"
            ),
            sent=tuple(
                AutomaticMail(row.settled_at or row.due_at, row.rule, row.project_id, row.dedupe_key)
                for row in outgoing
                if row.state in {"sent", "uncertain"}
            ),
            planned=tuple(
                PlannedMail(row.due_at, row.rule, row.dedupe_key, row.project_id)
                for row in outgoing
                if row.state in _OPEN_OUTBOX
            )
            + self._next_steps(contact),
            left="left" in contact.tags,
        )

    def _next_steps(self, contact: Contact) -> tuple[PlannedMail, ...]:
        """What the cadences under way with this person will do next, in whatever project."""
        rows = self._session.scalars(
            select(CadenceRunRow)
            .where(CadenceRunRow.contact_id == contact.id, CadenceRunRow.status == "active")
            .order_by(CadenceRunRow.id)
        )
        return tuple(
            PlannedMail(
                row.due_at,
                row.cadence,
                send_key(row.project_id, row.cadence, row.anchor_record_id, row.step_index + 1),
                row.project_id,
            )
            for row in rows
        )

    def _absence(self, contact: Contact) -> Absence | None:
        """The latest out-of-office answer of this person that nothing they wrote has followed."""
        latest = self._session.scalar(
            select(Record)
            .where(Record.contact_id == contact.id, Record.direction == "inbound", Record.kind == "auto_reply")
            .order_by(Record.sent_at.desc())
            .limit(1)
        )
        if latest is None or (contact.last_inbound_at and contact.last_inbound_at > latest.sent_at):
            return None
        return Absence(latest.sent_at, contact.absent_until, latest.id)

    # --- history ----------------------------------------------------------------------------------------------------

    def history(self, since: datetime, until: datetime) -> Iterable[Happening]:
        return happenings(self._session, since, until)


def _record_events(row: Record) -> Iterable[ProjectEvent]:
    kind: EventKind = "reply" if row.direction == "inbound" else "staff-wrote"
    yield ProjectEvent(kind, row.sent_at, row.id, row.contact_id, detail=row.summary[:120])
    if row.direction == "inbound" and any(item[0] == "meeting" for item in row.intents):
        yield ProjectEvent("meeting", row.sent_at, row.id, row.contact_id)


def _birthday(text: str) -> date | None:
    if not text:
        return None
    month, _, day = text.partition("-")
    return date(2000, int(month), int(day))
