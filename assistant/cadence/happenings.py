"""What a happening changes in the facts of its project and client, for worlds in memory."""

from __future__ import annotations

from dataclasses import replace

from assistant.model.cadence import (
    Absence,
    ClientFacts,
    ContactFacts,
    EventKind,
    Happening,
    OpenQuestion,
    OptOut,
    ProjectEvent,
    ProjectFacts,
    WaitedMessage,
)


def apply_to_project(project: ProjectFacts, item: Happening) -> ProjectFacts:
    """The project after it."""
    if item.stage is not None and item.stage != project.stage:
        project = replace(project, stage=item.stage, stage_since=item.at)
        if item.kind == "stage":
            return _with_event(project, item, "stage-change")
    match item.kind:
        case "sent":
            return _sent(project, item)
        case "received":
            return _received(project, item)
        case "meeting":
            return _with_event(project, item, "meeting")
        case "hand-over":
            return _with_event(project, item, "hand-over")
        case "complaint":
            return replace(project, open_complaint=True)
        case "complaint-resolved":
            return replace(project, open_complaint=False, complaint_resolved_at=item.at)
        case "project-paused":
            return replace(project, paused=True)
        case "project-resumed":
            return replace(project, paused=False, resumed_at=item.at)
    return project


def _with_event(project: ProjectFacts, item: Happening, kind: EventKind) -> ProjectFacts:
    event = ProjectEvent(kind, item.at, item.record_id, item.contact_id, item.in_answer_to)
    return replace(project, events=(*project.events, event))


def _message(project: ProjectFacts, item: Happening) -> WaitedMessage:
    known = project.waited or project.last_contact
    contact_id = item.contact_id if item.contact_id is not None else (known.contact_id if known is not None else 0)
    return WaitedMessage(
        record_id=item.record_id or 0,
        message_id=item.message_id,
        thread_id=item.thread_id or 0,
        subject=item.subject,
        sent_at=item.at,
        contact_id=contact_id,
        sender=item.staff,
        intents=item.intents,
    )


def _sent(project: ProjectFacts, item: Happening) -> ProjectFacts:
    """Staff wrote. What the client had asked is answered; from now the client is waited for, unless it says otherwise."""
    message = _message(project, item)
    waiting_on = item.waiting_on or "client"
    changed = replace(
        project,
        waiting_on=waiting_on,
        waited=message if waiting_on == "client" else None,
        last_contact=message,
        questions=(),
    )
    return _with_event(changed, item, "staff-wrote")


def _received(project: ProjectFacts, item: Happening) -> ProjectFacts:
    waiting_on = item.waiting_on or "us"
    question = OpenQuestion(item.record_id or 0, item.at, item.contact_id, item.subject, item.subject)
    changed = replace(
        project,
        waiting_on=waiting_on,
        waited=project.waited if waiting_on == "client" else None,
        last_contact=_message(project, item),
        questions=(*project.questions, question) if waiting_on == "us" else project.questions,
    )
    return _with_event(changed, item, "reply")


def apply_to_client(client: ClientFacts, item: Happening) -> ClientFacts:
    """The client after it: absences, bounces and wishes belong to a contact, not to a project."""
    contacts = tuple(
        _apply_to_contact(contact, item) if contact.contact_id == item.contact_id else contact
        for contact in client.contacts
    )
    return replace(client, contacts=contacts)


def _apply_to_contact(contact: ContactFacts, item: Happening) -> ContactFacts:
    match item.kind:
        case "absence":
            return replace(contact, absence=Absence(item.at, item.until, item.record_id))
        case "bounce":
            return replace(contact, bouncing=True)
        case "opt-out":
            scope = item.scope or "all"
            thread = item.thread_id if scope == "thread" else None
            return replace(contact, opt_outs=(*contact.opt_outs, OptOut(scope, item.at, thread)))
        case "received":
            return replace(contact, absence=None, bouncing=False)
    return contact
