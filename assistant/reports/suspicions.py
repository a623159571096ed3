"""What the operator is told of mail that claims to be from somebody else: each sender once a day, bundled, at most one mail an hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_words import position
from assistant.reports.facts import NoticeProblem, OperatorNotice
from assistant.reports.notes import Render
from assistant.reports.told import last_told, tell_operator
from assistant.store.audit import says_something
from assistant.store.tables import AuditEntry, Record

EVENT: Final = "suspicious-mail"
"""What `assistant.intake.suspicion` writes into the audit log."""
PAUSE: Final = timedelta(hours=1)
_TOLD_WITHIN: Final = timedelta(days=7)
"""Of mail that is older, as after an import, nobody is told."""
_WINDOW: Final = timedelta(days=30)
_MOST: Final = 2_000
_WHO_IS_GENUINE: Final = (
    "先来信的 {first} 被当作真的。若其实 {second} 才是真的：assistant clients add {second}，再 assistant clients set {first} --tag muted",
    "先來信的 {first} 被當作真的。若其實 {second} 才是真的：assistant clients add {second}，再 assistant clients set {first} --tag muted",
    "{first} wrote first and counts as the real one. If {second} is: assistant clients add {second}, then assistant clients set {first} --tag muted",
)


def suspicion_notice(
    session: Session, around: Surroundings, operator: Colleague, render: Render, now: datetime
) -> StaffMail | None:
    """Senders of which the operator was not told yet; None if there are none, or the last mail was a moment ago.

    Who imitates a colleague or a client is told of once a day, who merely resembles one once a month.
    """
    last = last_told(session, "suspicious")
    if last.at is not None and now - last.at < PAUSE:
        return None
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.event == EVENT, AuditEntry.at >= now - _WINDOW)
        .order_by(AuditEntry.id.desc())
        .limit(_MOST)
    ).all()
    news = _news(session, list(reversed(entries)), last.number, around, now)
    if not news:
        return None
    problems = tuple(_problem(entry, around, operator.language) for entry in news)
    notice = OperatorNotice(
        operator.person, around.agency_name, operator.language, around.local(now), "suspicious", problems
    )
    return tell_operator(notice, f"suspicious:{news[-1].id}", render, now)


def _news(
    session: Session, entries: Iterable[AuditEntry], told: int, around: Surroundings, now: datetime
) -> Sequence[AuditEntry]:
    known: set[tuple[str, ...]] = set()
    news = []
    for entry in filter(says_something, entries):
        key: tuple[str, ...] = (str(entry.details["sender"]), str(entry.details["kind"]))
        if entry.details["apart"]:
            key = (*key, around.day(entry.at).isoformat())
        if key not in known and entry.id > told and _is_recent(session, entry, now):
            news.append(entry)
        known.add(key)
    return news


def _is_recent(session: Session, entry: AuditEntry, now: datetime) -> bool:
    record = session.get(Record, int(entry.subject.rpartition(":")[2]))
    return record is not None and record.sent_at >= now - _TOLD_WITHIN


def _problem(entry: AuditEntry, around: Surroundings, language: str) -> NoticeProblem:
    number = entry.subject.rpartition(":")[2]
    hint = f"assistant message show {number}"
    first, second = str(entry.details["imitated"]), str(entry.details["domain"])
    ours = around.directory.is_ours(f"anybody@{first}")
    if entry.details["kind"] == "look-alike" and entry.details["apart"] and not ours:
        hint += " · " + _WHO_IS_GENUINE[position(language)].format(first=first, second=second)
    return NoticeProblem(
        str(entry.details["sender"]) or "?",
        str(entry.details["imitated"]),
        hint=hint,
        warning=str(entry.details["kind"]),
        apart=bool(entry.details["apart"]),
    )
