"""Phases 8 and 9 of one message: what it ends, what it begins, and what a colleague's reply decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace
    from assistant.store.tables import Record
    from parsers import Message


def after_record(workplace: Workplace, session: Session, record: Record, message: Message) -> None:
    """Phase 8 and 9 of one message: its own project is decided anew, and what follows is stored with it."""
    from assistant.outbox.drafts import settle_sent_draft
    from assistant.store.runs import open_run_projects

    if record.direction == "internal":
        _hear_reply(workplace, session, record, message)
    if record.direction == "outbound":
        settle_sent_draft(session, record, message.in_reply_to, workplace.clock.now())
    clients = _withdraw(workplace, session, record, message)
    # An answer, an absence, an opt-out or a complaint concerns everything that is under way with this client;
    # history that may start nothing can still end something.
    projects = {project for client_id in clients for project in open_run_projects(session, client_id)}
    if record.kind != "bounce" and record.project_id is not None and record.may_start:
        projects.add(record.project_id)
    for project_id in sorted(projects):
        workplace.decide_project(session, project_id)


def _withdraw(workplace: Workplace, session: Session, record: Record, message: Message) -> set[int]:
    """Cancels what waits for people who opted out or whose address bounces; returns the clients concerned."""
    from assistant.outbox.withdraw import contact_of_address, settle_bounced, withdraw_suppressed

    now = workplace.clock.now()
    clients = {record.client_id} if record.client_id is not None and record.kind != "bounce" else set()
    if record.kind == "bounce":
        if message.bounced_message_id:
            settle_bounced(session, message.bounced_message_id, now)
        for failed in message.bounced:
            contact = contact_of_address(session, failed.addr_spec) if failed.permanent else None
            if contact is not None:
                withdraw_suppressed(session, contact.id, now)
                clients.add(contact.client_id)
    elif record.direction == "inbound" and record.kind == "human" and record.contact_id is not None:
        withdraw_suppressed(session, record.contact_id, now)
    return clients


def _hear_reply(workplace: Workplace, session: Session, record: Record, message: Message) -> None:
    """A colleague's reply to a digest stops mails or lets them go."""
    from assistant.desk.replies import Deciders, hear_reply
    from assistant.outbox.decisions import approve_mail, veto_mail
    from assistant.outbox.staff_mail import queue_staff_mail

    now = workplace.clock.now()
    deciders = Deciders(
        stop=lambda *given: veto_mail(*given).done,
        approve=lambda *given: approve_mail(*given).done,
    )
    heard = hear_reply(session, record, message, workplace.directory, deciders, now)
    if heard is not None and heard.notice is not None:
        queue_staff_mail(session, heard.notice, workplace.sender, now)
