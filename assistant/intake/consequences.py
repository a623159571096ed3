"""What follows from a record's labels, brought into line after a person set them right: sign-off, change request, complaint."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.intake.record import open_item
from assistant.store.tables import Client, OpenItem, Project, Record, SignOff

_ITEM_KINDS = ("change_request", "complaint")


def renew_consequences(session: Session, record: Record) -> None:
    """The record's sign-off and items as its labels are now. What somebody settled already stays settled."""
    session.execute(delete(SignOff).where(SignOff.record_id == record.id))
    if record.kind != "human" or record.automatic or record.client_id is None:
        return
    confidence = {item[0]: float(item[1]) for item in record.intents}
    evidence = {item[0]: str(item[2]) for item in record.intents if len(item) > 2}
    if record.approval and record.direction == "inbound":
        session.add(
            SignOff(
                project_id=record.project_id,
                record_id=record.id,
                what=record.approval,
                by=record.originator,
                at=record.sent_at,
                evidence=evidence.get("approval") or record.summary,
                confidence=confidence.get("approval", 1.0),
            )
        )
    known = {
        item.kind: item
        for item in session.scalars(
            select(OpenItem).where(OpenItem.record_id == record.id, OpenItem.kind.in_(_ITEM_KINDS))
        )
    }
    wanted = [kind for kind in _ITEM_KINDS if kind in confidence and record.direction == "inbound"]
    for kind, item in known.items():
        if kind not in wanted and item.settled_at is None:
            session.delete(item)
    owner = _owner(session, record)
    session.add_all(
        open_item(record, kind, "us", evidence.get(kind) or record.summary, owner)
        for kind in wanted
        if kind not in known
    )
    session.flush()


def _owner(session: Session, record: Record) -> str:
    project = session.get(Project, record.project_id) if record.project_id is not None else None
    if project is not None and project.owner:
        return project.owner
    client = session.get(Client, record.client_id) if record.client_id is not None else None
    return client.owner if client is not None else ""
