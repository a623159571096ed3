"""Facts about projects, read for many at once: a fixed number of queries for each part of some hundreds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from assistant.model.cadence import (
    ClientFacts,
    Commitment,
    EventKind,
    OpenQuestion,
    ProjectEvent,
    ProjectFacts,
    WaitedMessage,
)
from assistant.model.people import Directory
from assistant.model.process import WaitingOn
from assistant.store.client_facts import in_parts
from assistant.store.happenings import stage_of
from assistant.store.tables import CadenceRunRow, Client, OpenItem, Project, Record, SignOff, StageChange, ThreadKey

_EVENTS_WITHOUT_ANCHOR = timedelta(days=30)
_SLOW_CLOCK = timedelta(days=1)
"""By how much the clock of somebody who answers may be behind."""
_COLUMNS = (
    Record.id,
    Record.message_id,
    Record.thread_id,
    Record.contact_id,
    Record.project_id,
    Record.base_subject,
    Record.subject,
    Record.sent_at,
    Record.received_at,
    Record.originator,
    Record.direction,
    Record.intents,
    Record.summary,
    Record.is_answer,
    Record.may_start,
)
"""What facts need of a record; its texts and probabilities stay where they are."""


def _ids() -> Any:
    """The parameter `ids` of the statements below. They are built once: that costs more than to run them."""
    return bindparam("ids", expanding=True)


def _last_by_staff() -> Select[Any]:
    """For each project the last message that staff wrote to the client."""
    of_project = aliased(Record)
    newest = (
        select(of_project.id)
        .where(
            of_project.project_id == Project.id,
            of_project.direction == "outbound",
            of_project.kind == "human",
            of_project.automatic.is_(False),
        )
        .order_by(of_project.sent_at.desc(), of_project.id.desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    return select(Project.id.label("owner"), *_COLUMNS).join(Record, Record.id == newest).where(Project.id.in_(_ids()))


def _last_with_anybody() -> Select[Any]:
    """For each client the last message in either direction, automatic mail apart."""
    of_client = aliased(Record)
    newest = (
        select(of_client.id)
        .where(
            of_client.client_id == Client.id,
            of_client.direction.in_(("inbound", "outbound")),
            of_client.kind == "human",
            of_client.automatic.is_(False),
        )
        .order_by(of_client.sent_at.desc(), of_client.id.desc())
        .limit(1)
        .correlate(Client)
        .scalar_subquery()
    )
    return select(Client.id.label("owner"), *_COLUMNS).join(Record, Record.id == newest).where(Client.id.in_(_ids()))


def _since_our_last() -> Select[Any]:
    """The client's messages in these projects since our last one."""
    ours = aliased(Record)
    last_out = (
        select(func.max(ours.sent_at))
        .where(
            ours.project_id == Record.project_id,
            ours.direction == "outbound",
            ours.kind == "human",
            ours.automatic.is_(False),
        )
        .correlate(Record)
        .scalar_subquery()
    )
    return (
        select(*_COLUMNS)
        .where(
            Record.project_id.in_(_ids()),
            Record.direction == "inbound",
            Record.kind == "human",
            Record.may_start.is_(True),
            (Record.sent_at > last_out) | last_out.is_(None),
        )
        .order_by(Record.sent_at, Record.id)
    )


_LAST_BY_STAFF = _last_by_staff()
_LAST_WITH_ANYBODY = _last_with_anybody()
_SINCE_OUR_LAST = _since_our_last()
_ITEMS = select(OpenItem).where(OpenItem.project_id.in_(_ids())).order_by(OpenItem.id)
_SIGNED = (
    select(SignOff.project_id, SignOff.what)
    .where(SignOff.project_id.in_(_ids()))
    .distinct()
    .order_by(SignOff.project_id, SignOff.what)
)
_OLDEST_ANCHORS = (
    select(CadenceRunRow.project_id, func.min(CadenceRunRow.anchor_sent_at))
    .where(CadenceRunRow.project_id.in_(_ids()), CadenceRunRow.status.in_(("active", "paused")))
    .group_by(CadenceRunRow.project_id)
)
_BETWEEN_PEOPLE = (
    select(*_COLUMNS)
    .where(
        Record.project_id.in_(_ids()),
        Record.sent_at >= bindparam("start"),
        Record.kind == "human",
        Record.automatic.is_(False),
        Record.direction.in_(("inbound", "outbound")),
    )
    .order_by(Record.sent_at, Record.id)
)
_CHANGES = (
    select(StageChange.project_id, StageChange.at, StageChange.record_id, StageChange.to_stage)
    .where(StageChange.project_id.in_(_ids()), StageChange.at > bindparam("start"), StageChange.from_stage != "")
    .order_by(StageChange.id)
)


def read_projects(
    session: Session,
    directory: Directory,
    projects: Sequence[Project],
    clients: Mapping[int, ClientFacts],
    now: datetime,
) -> dict[int, ProjectFacts]:
    """Facts of these projects as of `now`; `clients` holds the facts of every client among them."""
    by_id = {project.id: project for project in projects}
    found: dict[int, ProjectFacts] = {}
    for part in in_parts(by_id):
        sheet = _Sheet.read(session, [by_id[number] for number in part], now)
        found.update((number, sheet.facts(by_id[number], directory, clients)) for number in part)
    return found


def thread_references(session: Session, thread_id: int, message_id: str, before: datetime) -> tuple[str, ...]:
    """The ids of a thread before a message of `before`, oldest first; ghosts, whose date nobody knows, in front."""
    earlier = session.scalars(
        select(Record.message_id)
        .where(Record.thread_id == thread_id, Record.sent_at < before)
        .order_by(Record.sent_at, Record.id)
    ).all()
    ghosts = session.scalars(
        select(ThreadKey.message_id).where(ThreadKey.thread_id == thread_id, ThreadKey.kind == "ghost").limit(20)
    ).all()
    ids = dict.fromkeys((*(ghost for ghost in ghosts if ghost not in earlier), *earlier))
    return tuple(identifier for identifier in ids if identifier != message_id and "@missing.invalid" not in identifier)


@dataclass(slots=True)
class _Sheet:
    """What was read for some projects, by project or client."""

    last_out: Mapping[int, Any]
    last_contact: Mapping[int, Any]
    items: Mapping[int, Sequence[OpenItem]]
    events: Mapping[int, Sequence[ProjectEvent]]
    questions: Mapping[int, Sequence[OpenQuestion]]
    signed_off: Mapping[int, Sequence[str]]

    @classmethod
    def read(cls, session: Session, projects: Sequence[Project], now: datetime) -> _Sheet:
        ids = [project.id for project in projects]
        last_out = _latest(session, _LAST_BY_STAFF, ids)
        owners = list(dict.fromkeys(project.client_id for project in projects))
        last_contact = {}
        for part in in_parts(owners):
            last_contact.update(_latest(session, _LAST_WITH_ANYBODY, part))
        items: dict[int, list[OpenItem]] = defaultdict(list)
        for item in session.scalars(_ITEMS, {"ids": ids}):
            items[cast("int", item.project_id)].append(item)
        signed: dict[int, list[str]] = defaultdict(list)
        for project_id, what in session.execute(_SIGNED, {"ids": ids}):
            signed[cast("int", project_id)].append(what)
        waited = {
            project.id: last_out[project.id]
            for project in projects
            if project.waiting_on == "client" and project.id in last_out
        }
        asked = [project.id for project in projects if project.waiting_on == "us"]
        return cls(
            last_out, last_contact, items, _events(session, ids, waited, now), _questions(session, asked), signed
        )

    def facts(self, project: Project, directory: Directory, clients: Mapping[int, ClientFacts]) -> ProjectFacts:
        items = self.items.get(project.id, ())
        complaints = [item for item in items if item.kind == "complaint"]
        return ProjectFacts(
            project_id=project.id,
            name=project.name,
            client=clients[project.client_id],
            stage=stage_of(project.stage) or "discovery",
            stage_since=project.stage_since,
            waiting_on=cast("WaitingOn", project.waiting_on),
            waited=_message(self.last_out.get(project.id)) if project.waiting_on == "client" else None,
            last_contact=_message(self.last_contact.get(project.client_id)),
            owner=directory.person(project.owner),
            staff=directory.staff,
            tags=tuple(project.tags),
            value=project.value,
            events=tuple(self.events.get(project.id, ())),
            open_complaint=any(item.settled_at is None for item in complaints),
            complaint_resolved_at=max((item.settled_at for item in complaints if item.settled_at), default=None),
            paused=project.state == "paused",
            closed=project.state == "over",
            lost=project.state == "lost",
            questions=tuple(self.questions.get(project.id, ())),
            commitments=tuple(
                Commitment(
                    item.id, "us" if item.by == "us" else "client", item.what, item.due, item.record_id, item.owner
                )
                for item in items
                if item.kind == "commitment" and item.due and item.settled_at is None
            ),
            signed_off=tuple(self.signed_off.get(project.id, ())),
        )


def _latest(session: Session, newest: Select[Any], ids: Sequence[int]) -> dict[int, Any]:
    """Owner's id → its newest record, as far as it has any."""
    return {row.owner: row for row in session.execute(newest, {"ids": ids})}


def _message(row: Any) -> WaitedMessage | None:
    """A record as an anchor. Its references are read when a mail is composed, not before (`thread_references`)."""
    if row is None or row.contact_id is None or row.thread_id is None:
        return None
    return WaitedMessage(
        record_id=row.id,
        message_id=row.message_id,
        thread_id=row.thread_id,
        subject=row.base_subject or row.subject,
        sent_at=row.sent_at,
        contact_id=row.contact_id,
        sender=row.originator,
        intents=tuple(item[0] for item in row.intents),
        may_start=row.may_start,
    )


def _events(
    session: Session, ids: Sequence[int], waited: Mapping[int, Any], now: datetime
) -> dict[int, list[ProjectEvent]]:
    """What ends waiting, in each project since what it waits for, or since the anchor of its oldest open run."""
    since = {number: waited[number].sent_at if number in waited else now - _EVENTS_WITHOUT_ANCHOR for number in ids}
    for project_id, anchored_at in session.execute(_OLDEST_ANCHORS, {"ids": ids}):
        since[project_id] = min(since[project_id], anchored_at)
    start = min(since.values(), default=now)
    events: dict[int, list[ProjectEvent]] = defaultdict(list)
    rows = session.execute(_BETWEEN_PEOPLE, {"ids": ids, "start": start - _SLOW_CLOCK})
    for row in rows:
        anchor = waited.get(row.project_id)
        answered = anchor.id if anchor is not None and _answers_late(row, anchor) else None
        if row.sent_at >= since[row.project_id] or answered is not None:
            events[row.project_id].extend(_record_events(row, answered))
    for row in session.execute(_CHANGES, {"ids": ids, "start": start}):
        if row.at > since[row.project_id]:
            events[row.project_id].append(ProjectEvent("stage-change", row.at, row.record_id, detail=row.to_stage))
    return events


def _answers_late(row: Any, anchor: Any) -> bool:
    """An answer in the same thread that came after the anchor, though the clock of who wrote it says before."""
    return bool(
        row.direction == "inbound"
        and row.is_answer
        and row.thread_id == anchor.thread_id
        and anchor.sent_at - _SLOW_CLOCK <= row.sent_at < anchor.sent_at < row.received_at
    )


def _record_events(row: Any, answered: int | None) -> Iterable[ProjectEvent]:
    kind: EventKind = "reply" if row.direction == "inbound" else "staff-wrote"
    yield ProjectEvent(kind, row.sent_at, row.id, row.contact_id, answered, row.summary[:120])
    if row.direction == "inbound" and any(item[0] == "meeting" for item in row.intents):
        yield ProjectEvent("meeting", row.sent_at, row.id, row.contact_id, answered)


def _questions(session: Session, ids: Sequence[int]) -> dict[int, list[OpenQuestion]]:
    """The client's messages since our last one, in projects in which it is our turn."""
    found: dict[int, list[OpenQuestion]] = defaultdict(list)
    if not ids:
        return found
    for row in session.execute(_SINCE_OUR_LAST, {"ids": ids}):
        complaint = any(item[0] == "complaint" for item in row.intents)
        found[row.project_id].append(
            OpenQuestion(row.id, row.sent_at, row.contact_id, row.summary, row.base_subject, complaint=complaint)
        )
    return found
