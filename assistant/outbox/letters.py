"""Turns an ordered mail (`SendMail`) into a stored outbox row: who writes to whom, in which words and thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from assistant.calendar.business import Calendars
from assistant.calendar.festivals import FESTIVALS
from assistant.model.cadence import ClientFacts, ContactFacts, ProjectFacts, SendMail, StaffFacts
from assistant.outbox.compose import Letter, Person, compose, mint_message_id
from assistant.outbox.consent import commercial_refusal
from assistant.rendering import (
    AgencyFacts,
    AssistantFacts,
    ClientMail,
    FestivalFacts,
    OwnerFacts,
    Rendered,
    StepFacts,
    Templates,
    WaitedFacts,
    salutation,
)
from assistant.rendering import ClientFacts as ClientWords
from assistant.rendering import ContactFacts as ContactWords
from assistant.rendering import ProjectFacts as ProjectWords
from assistant.store.restored import PLANNED
from assistant.store.tables import OutboxMessage


@dataclass(frozen=True)
class Sender:
    """The agency's side of every mail."""

    agency_name: str
    agency_timezone: str
    address: str
    """The assistant's own address: From of every mail, so that answers reach the shared inbox."""
    name: str
    calendars: Calendars
    stage_name: Callable[[str, str], str]
    """(stage id, language) → what people call it."""
    steps_of: Callable[[str], int]
    """How many mails a cadence has."""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def client_mail(
    send: SendMail, client: ClientFacts, project: ProjectFacts | None, sender: Sender, at: datetime
) -> ClientMail:
    """Everything that the template may name, for the moment `at` at which the mail is due."""
    contact = _contact(client, send.contact_id)
    zone = contact.timezone or client.timezone
    owner = _owner(send, client, project)
    waited = None
    if send.anchor is not None:
        calendar = sender.calendars.client(client.country, client.subdivision, client.name, client.closing_days)
        sent_on = send.anchor.sent_at.astimezone(ZoneInfo(zone)).date()
        today = at.astimezone(ZoneInfo(zone)).date()
        waited = WaitedFacts(
            subject=send.anchor.subject,
            sent_on=sent_on,
            business_days=max(0, calendar.business_days_between(sent_on, today)),
            message_id=send.anchor.message_id,
        )
    return ClientMail(
        agency=AgencyFacts(sender.agency_name, sender.address),
        owner=OwnerFacts(owner.name if owner else sender.name, owner.address if owner else sender.address),
        contact=ContactWords(
            contact.name, contact.address, salutation(contact.name, send.language), language=send.language
        ),
        client=ClientWords(client.name),
        assistant=AssistantFacts(sender.address),
        today=at.astimezone(ZoneInfo(zone)).date(),
        project=ProjectWords(project.name, project.stage, sender.stage_name(project.stage, send.language))
        if project and send.purpose == "follow-up"
        else None,
        waited=waited if send.purpose == "follow-up" else None,
        step=StepFacts(send.step, max(send.step, sender.steps_of(send.rule))) if send.purpose == "follow-up" else None,
        festival=FestivalFacts(FESTIVALS[send.festival].name(send.language), send.festival_date, send.years)
        if send.festival and send.festival_date
        else None,
    )


def outbox_row(
    send: SendMail,
    client: ClientFacts,
    project: ProjectFacts | None,
    sender: Sender,
    templates: Templates,
    now: datetime,
    run_id: int | None,
    secret: str,
) -> OutboxMessage:
    """The mail composed to its last byte, ready to be stored; a commercial one that may not be sent is stored as refused.

    `secret` of the installation keeps outsiders from knowing its Message-ID. Raises ProblemsFound when its template is broken.
    """
    due_at = max(send.not_before, now)
    facts = client_mail(send, client, project, sender, due_at)
    rendered = templates.render(send.template, send.language, facts.context())
    contact = _contact(client, send.contact_id)
    owner = _owner(send, client, project)
    letter = _letter(send, rendered, contact, owner, sender, due_at, secret)
    waits = send.release.kind in {"approval", "draft"}
    refusal = ""
    if templates.meta(send.template).commercial:
        refusal = commercial_refusal(letter.subject, (*client.tags, *contact.tags))
    return OutboxMessage(
        dedupe_key=send.dedupe_key,
        message_id=letter.message_id,
        raw=compose(letter),
        envelope_from=sender.address,
        recipients=[contact.address, *send.cc],
        subject=letter.subject,
        purpose=send.purpose,
        audience="client",
        client_id=send.client_id,
        project_id=send.project_id,
        contact_id=send.contact_id,
        thread_id=send.anchor.thread_id if send.anchor else None,
        anchor_record_id=send.anchor.record_id if send.anchor else None,
        run_id=run_id,
        rule=send.rule,
        rule_version=send.version,
        step=send.step,
        template=send.template,
        language=rendered.language,
        release=str(send.release),
        state="refused" if refusal else "waiting_approval" if waits else "queued",
        reason=refusal,
        settled_at=now if refusal else None,
        created_at=now,
        due_at=due_at,
        results=[],
        details={
            "owner": send.owner,
            "festival": send.festival,
            "text": rendered.text,
            "importance": send.importance,
            "any_day": send.any_day,
            "to_name": contact.name,
            PLANNED: (send.planned_at or due_at).isoformat(),
        },
    )


def _letter(
    send: SendMail,
    rendered: Rendered,
    contact: ContactFacts,
    owner: StaffFacts | None,
    sender: Sender,
    at: datetime,
    secret: str,
) -> Letter:
    name = f"{owner.name} ({sender.agency_name})" if owner and send.language == "en" else ""
    name = name or (f"{owner.name}（{sender.agency_name}）" if owner else sender.name)
    itself = Person(sender.name, sender.address)
    return Letter(
        originator=Person(name, sender.address),
        to=(Person(contact.name, contact.address),),
        cc=tuple(Person("", address) for address in send.cc),
        reply_to=((Person(owner.name, owner.address), itself) if owner else (itself,)),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=at,
        timezone=sender.agency_timezone,
        message_id=mint_message_id(sender.domain, secret, *_identity(send, contact)),
        in_reply_to=send.anchor.message_id if send.anchor else None,
        references=send.anchor.references if send.anchor else (),
        unsubscribe_address=sender.address if send.purpose == "greeting" else "",
        language=rendered.language,
    )


def _identity(send: SendMail, contact: ContactFacts) -> tuple[object, ...]:
    """What makes this mail itself in the world outside, whatever numbers our rows have; a rule's mail has one anchor."""
    occasion = send.anchor.message_id if send.anchor else send.festival_date
    if occasion is None:
        return ()
    return send.purpose, send.rule, send.step, occasion, send.project_id, contact.address


def _contact(client: ClientFacts, contact_id: int) -> ContactFacts:
    for contact in client.contacts:
        if contact.contact_id == contact_id:
            return contact
    raise LookupError(f"client {client.client_id} has no contact {contact_id}")


def _owner(send: SendMail, client: ClientFacts, project: ProjectFacts | None) -> StaffFacts | None:
    people = (project.owner if project else None, client.owner, *(project.staff if project else ()))
    named = next((person for person in people if person and person.address == send.owner), None)
    return named or (project.owner if project else None) or client.owner
