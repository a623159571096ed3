"""What happened in a week: one line for each matter, the most telling first, chains of mail merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import or_, select

from assistant.calendar.festivals import FESTIVALS
from assistant.model.process import STAGES
from assistant.reports.collect_records import ClientWeek, intent, is_talk, message_id
from assistant.reports.collect_words import APPROVALS, NOT_SENT, word
from assistant.reports.facts import Happening, HappeningKind
from assistant.store.tables import Contact, OpenItem, OutboxMessage, Project, Record, SignOff, StageChange, Suppression

MOST: Final = 40
RANKS: Final[Mapping[HappeningKind, int]] = {
    "problem": 0,
    "sign_off": 1,
    "stage": 1,
    "solved": 2,
    "change_request": 2,
    "payment": 3,
    "deliverable": 3,
    "meeting": 3,
    "opt_out": 4,
    "bounce": 4,
    "follow_up": 5,
    "follow_up_cancelled": 5,
    "greeting": 6,
    "received": 7,
    "sent": 8,
}
"""What is told first: troubles and decisions, then work, then what the assistant did, then plain correspondence."""
_BY_INTENT: Final[tuple[tuple[str, HappeningKind, str], ...]] = (
    # An intent, the line it makes, and whose message it must be ("" for both sides').
    ("complaint", "problem", "inbound"),
    ("change_request", "change_request", "inbound"),
    ("payment", "payment", ""),
    ("deliverable", "deliverable", "outbound"),
    ("meeting", "meeting", ""),
)


def happenings(week: ClientWeek, projects: Mapping[int, Project]) -> tuple[Happening, ...]:
    """The lines of "this week", the most telling first and within that in the order of time."""
    found = [
        *_stages(week, projects),
        *_talk(week, projects),
        *_solved(week, projects),
        *_automatic(week, projects),
        *_wishes(week),
    ]
    found.sort(key=lambda item: (RANKS[item.kind], item.at))
    return tuple(found[:MOST])


def _project_name(projects: Mapping[int, Project], project_id: int | None) -> str:
    project = projects.get(project_id) if project_id is not None else None
    return project.name if project else ""


def _stages(week: ClientWeek, projects: Mapping[int, Project]) -> Iterator[Happening]:
    """Where each project moved: one line, from where the week found it to where it ended. There and back is none."""
    if not projects:
        return
    changes = week.session.scalars(
        select(StageChange)
        .where(
            StageChange.project_id.in_(projects), StageChange.at >= week.period.start, StageChange.at < week.period.end
        )
        .order_by(StageChange.at, StageChange.id)
    ).all()
    by_record = {record.id: record for record in week.records}
    for project_id in dict.fromkeys(change.project_id for change in changes):
        moved = [change for change in changes if change.project_id == project_id]
        first, last = moved[0], moved[-1]
        if first.from_stage == last.to_stage or last.to_stage not in STAGES:
            continue
        record = by_record.get(last.record_id) if last.record_id is not None else None
        yield Happening(
            at=week.around.local(last.at),
            kind="stage",
            what=week.around.stage_name(last.to_stage, week.language),
            who=week.writer(record) if record else "",
            project=_project_name(projects, project_id),
            before=week.around.stage_name(first.from_stage, week.language) if first.from_stage else "",
            message_id=message_id(record) if record else "",
        )


def _talk(week: ClientWeek, projects: Mapping[int, Project]) -> Iterator[Happening]:
    signed: dict[int, SignOff] = {
        sign_off.record_id: sign_off
        for sign_off in week.session.scalars(
            select(SignOff).where(
                SignOff.record_id.in_([record.id for record in week.in_period if record.kind == "human"])
            )
        )
    }
    plain: list[Record] = []
    seen: set[tuple[HappeningKind, int | None, str]] = set()
    for record in week.in_period:
        if not is_talk(record):
            continue
        told = _told(week, record, signed, _project_name(projects, record.project_id))
        if told is None:
            plain.append(record)
            continue
        kind, what = told
        line = (kind, record.project_id, what)
        if line not in seen:
            seen.add(line)
            yield _line(week, projects, record, kind, what)
    yield from _correspondence(week, projects, plain)


def _told(
    week: ClientWeek, record: Record, signed: Mapping[int, SignOff], project: str
) -> tuple[HappeningKind, str] | None:
    """The one thing that a message is told for, if it is more than plain correspondence."""
    for label, kind, direction in _BY_INTENT[:2]:
        evidence = intent(record, label)
        if evidence is not None and record.direction == direction:
            return kind, evidence or _gist(record)
    sign_off = signed.get(record.id)
    if sign_off is not None:
        thing = word(APPROVALS, sign_off.what, week.language)
        subject = record.base_subject
        if not subject or subject == project:
            return "sign_off", thing
        return "sign_off", f"{thing} ({subject})" if week.language == "en" else f"{thing}（{subject}）"
    if record.channel in {"meeting", "video_call", "visit"}:
        return "meeting", _gist(record)
    for label, kind, direction in _BY_INTENT[2:]:
        evidence = intent(record, label)
        if evidence is not None and direction in {"", record.direction}:
            return kind, _gist(record) if kind == "deliverable" else evidence or _gist(record)
    return None


def _gist(record: Record) -> str:
    return record.summary or record.base_subject or record.subject


def _line(
    week: ClientWeek, projects: Mapping[int, Project], record: Record, kind: HappeningKind, what: str
) -> Happening:
    return Happening(
        at=week.around.local(record.sent_at),
        kind=kind,
        what=what,
        who=week.writer(record) if kind != "sent" else week.counterpart(record),
        project=_project_name(projects, record.project_id),
        message_id=message_id(record),
    )


def _correspondence(week: ClientWeek, projects: Mapping[int, Project], plain: Iterable[Record]) -> Iterator[Happening]:
    """Plain mail: of one conversation only the last word of each side."""
    chains: dict[tuple[int | None, int, str], Record] = {}
    for record in plain:
        # What is in no thread, such as a call, stands alone.
        conversation = record.thread_id if record.thread_id is not None else -record.id
        chains[(record.project_id, conversation, record.direction)] = record
    for record in chains.values():
        kind: HappeningKind = "received" if record.direction == "inbound" else "sent"
        yield _line(week, projects, record, kind, _gist(record))


def _solved(week: ClientWeek, projects: Mapping[int, Project]) -> Iterator[Happening]:
    items = week.session.scalars(
        select(OpenItem).where(
            OpenItem.client_id == week.client.id,
            OpenItem.kind == "complaint",
            OpenItem.settled_at >= week.period.start,
            OpenItem.settled_at < week.period.end,
        )
    )
    for item in items:
        if item.settled_at is not None:
            yield Happening(
                at=week.around.local(item.settled_at),
                kind="solved",
                what=item.what,
                project=_project_name(projects, item.project_id),
            )


def _automatic(week: ClientWeek, projects: Mapping[int, Project]) -> Iterator[Happening]:
    """What the assistant sent, and what it left unsent."""
    rows = week.session.scalars(
        select(OutboxMessage).where(
            OutboxMessage.client_id == week.client.id,
            OutboxMessage.audience == "client",
            OutboxMessage.settled_at >= week.period.start,
            OutboxMessage.settled_at < week.period.end,
        )
    )
    for row in rows:
        if row.settled_at is None:
            continue
        kind, what = _outcome(row, week.language)
        if kind is None:
            continue
        yield Happening(
            at=week.around.local(row.settled_at),
            kind=kind,
            what=what,
            who=week.contact_name(row.contact_id) or str(row.details.get("to_name", "")),
            project=_project_name(projects, row.project_id),
            message_id=row.message_id if kind in {"follow_up", "greeting"} else "",
        )


def _outcome(row: OutboxMessage, language: str) -> tuple[HappeningKind | None, str]:
    if row.state in {"sent", "uncertain"}:
        if row.purpose == "greeting":
            festival = FESTIVALS.get(str(row.details.get("festival", "")))
            return "greeting", festival.name(language) if festival else row.subject
        return "follow_up", row.subject
    if row.purpose == "greeting" or row.state not in {"cancelled", "vetoed", "refused"}:
        return None, ""
    reason = row.reason if row.state == "cancelled" else row.state
    return "follow_up_cancelled", word(NOT_SENT, reason, language)


def _wishes(week: ClientWeek) -> Iterator[Happening]:
    """Who wants no more automatic mail, and whose address does not work any more."""
    addresses = {contact.addr_spec: contact for contact in week.contacts.values()}
    if not addresses:
        return
    rows = week.session.scalars(
        select(Suppression).where(
            Suppression.addr_spec.in_(addresses),
            or_(Suppression.reason == "opt-out", Suppression.reason == "bounce"),
            Suppression.scope != "lifted",
            Suppression.since >= week.period.start,
            Suppression.since < week.period.end,
        )
    )
    for row in rows:
        contact: Contact = addresses[row.addr_spec]
        yield Happening(
            at=week.around.local(row.since),
            kind="opt_out" if row.reason == "opt-out" else "bounce",
            what=row.evidence,
            who=contact.name or contact.addr_spec,
        )
