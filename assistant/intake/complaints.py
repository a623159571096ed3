"""Complaints and what settles them: the first mail after one in which the client is content, whichever was read first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.remembering import parts_of, remembered
from assistant.store.tables import OpenItem, Record

_CONTENT = frozenset({"satisfaction", "approval"})
_BY_MAIL = "record "
"""How `OpenItem.settled_by` begins where mail settled it, and not a person."""


def settle_complaints(session: Session, record: Record, intents: Collection[str]) -> None:
    """A client who praises or approves after a complaint has been heard."""
    if record.client_id is None or record.project_id is None or not _is_content(record, intents):
        return
    for item in _complaints(session, record.project_id):
        earlier = item.settled_at is None or (_by_mail(item) and record.sent_at < item.settled_at)
        if item.opened_at < record.sent_at and earlier:
            _settle(item, record)


def note_complaints(session: Session, items: Iterable[OpenItem]) -> None:
    """Complaints that were found just now; mail that is read already may have settled them."""
    known = remembered(session, _Complaints)
    for item in items:
        if item.kind != "complaint":
            continue
        settle_anew(session, item)
        if known is not None:
            known.noted.append(item)
            if item.project_id in known.by_project:
                known.by_project[item.project_id].append(item)


def settle_anew(session: Session, item: OpenItem) -> None:
    """By the mail that is read already in its project; what a person settled stays."""
    if item.kind != "complaint" or (item.settled_at is not None and not _by_mail(item)):
        return
    item.settled_at, item.settled_by = None, ""
    if item.project_id is None:
        return
    session.flush()
    later = select(Record).where(Record.project_id == item.project_id, Record.sent_at > item.opened_at)
    for record in session.scalars(later.order_by(Record.sent_at, Record.message_id)):
        if _is_content(record, {intent[0] for intent in record.intents}):
            _settle(item, record)
            return


def _is_content(record: Record, intents: Collection[str]) -> bool:
    from_client = record.kind == "human" and not record.automatic and record.direction == "inbound"
    return from_client and "complaint" not in intents and not _CONTENT.isdisjoint(intents)


def _settle(item: OpenItem, record: Record) -> None:
    item.settled_at, item.settled_by = record.sent_at, f"{_BY_MAIL}{record.id}"


def _by_mail(item: OpenItem) -> bool:
    return item.settled_by.startswith(_BY_MAIL)


# --- what is known of them ------------------------------------------------------------------------------------------


class _Complaints:
    """The complaints of projects that were asked for, and those that the transaction made."""

    def __init__(self) -> None:
        self.by_project: dict[int, list[OpenItem]] = {}
        self.noted: list[OpenItem] = []


def expect_complaints(session: Session, project_ids: Iterable[int]) -> None:
    """Asks at once for the complaints of these projects."""
    known = remembered(session, _Complaints)
    if known is None:
        return
    for part in parts_of(sorted(set(project_ids) - known.by_project.keys())):
        known.by_project.update((number, []) for number in part)
        with session.no_autoflush:
            stored = _stored(session, part)
        for item in stored:
            known.by_project[item.project_id or 0].append(item)
        for item in known.noted:
            ours = known.by_project.get(item.project_id or 0)
            if item.project_id in part and ours is not None and item not in ours:
                ours.append(item)


def expect_no_complaints(session: Session, project_id: int) -> None:
    """A project that was opened just now has none."""
    known = remembered(session, _Complaints)
    if known is not None:
        known.by_project.setdefault(project_id, [])


def _complaints(session: Session, project_id: int) -> Sequence[OpenItem]:
    known = remembered(session, _Complaints)
    if known is None:
        return _stored(session, [project_id])
    expect_complaints(session, [project_id])
    return known.by_project[project_id]


def _stored(session: Session, project_ids: Sequence[int]) -> Sequence[OpenItem]:
    """Those that are open, and those that mail settled: mail before that may have settled them sooner."""
    # By their project alone: of one kind there are far more than in some projects.
    items = session.scalars(select(OpenItem).where(OpenItem.project_id.in_(project_ids)))
    return [item for item in items if item.kind == "complaint" and (item.settled_at is None or _by_mail(item))]
