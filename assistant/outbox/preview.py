"""A template as one real client would get it now, whether or not a rule would send it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from assistant.calendar.festivals import FESTIVALS, PERSONAL, festival_date
from assistant.calendar.localtime import local_date
from assistant.errors import WrongUse
from assistant.model.cadence import ClientFacts, ContactFacts, ProjectFacts, Release, SendMail, TemplateUse
from assistant.outbox.letters import Sender, client_mail
from assistant.rendering import Rendered, Templates


@dataclass(frozen=True, slots=True)
class Preview:
    """The mail, and to whom it would go about what."""

    rendered: Rendered
    contact: ContactFacts
    project: ProjectFacts | None


def preview_for(
    name: str,
    client: ClientFacts,
    projects: Sequence[ProjectFacts],
    use: TemplateUse,
    sender: Sender,
    templates: Templates,
    language_of: Callable[[ClientFacts, ContactFacts], str],
    now: datetime,
    language: str = "",
) -> Preview:
    """`language` "" is the contact's. Raises WrongUse where the template is not for clients or they lack what it names."""
    group = name.split("/", maxsplit=1)[0]
    if group not in ("followups", "greetings"):
        raise WrongUse(f"{name} is no mail to a client: leave --client out to see it with its sample data.")
    if not templates.exists(name):
        raise WrongUse(f"there is no template {name}; `assistant templates list` shows what there is.")
    people = [contact for contact in client.contacts if not contact.left]
    if not people:
        raise WrongUse(f"{client.name} has no contact to write to.")
    project = _project(projects) if group == "followups" else None
    anchor = (project.waited or project.last_contact) if project is not None else None
    if group == "followups" and anchor is None:
        raise WrongUse(f"nothing was written to {client.name} yet that could be followed up: leave --client out.")
    contact = next((one for one in people if anchor is not None and one.contact_id == anchor.contact_id), people[0])
    festival = use.festival or name.rpartition("/")[2]
    send = SendMail(
        purpose="follow-up" if group == "followups" else "greeting",
        rule=use.rule,
        version="",
        step=use.step,
        template=name,
        language=language or language_of(client, contact),
        client_id=client.client_id,
        contact_id=contact.contact_id,
        release=Release(),
        not_before=now,
        dedupe_key="preview",
        project_id=project.project_id if project is not None else None,
        anchor=anchor,
        festival=festival if group == "greetings" and festival in FESTIVALS else "",
        festival_date=_next(festival, client, contact, now) if group == "greetings" else None,
        years=1 if festival == "anniversary" else 0,
    )
    facts = client_mail(send, client, project, sender, now)
    return Preview(templates.render(name, send.language, facts.context()), contact, project)


def _project(projects: Sequence[ProjectFacts]) -> ProjectFacts | None:
    """The one that waits for the client, else the one with the latest contact."""
    known = [project for project in projects if project.waited or project.last_contact]
    return next((project for project in known if project.waited), known[-1] if known else None)


def _next(festival: str, client: ClientFacts, contact: ContactFacts, now: datetime) -> date:
    """The next day of the festival; today for one that has no day here."""
    today = local_date(now, contact.timezone or client.timezone)
    if festival not in FESTIVALS or festival in PERSONAL:
        return today
    days = (festival_date(festival, year, contact.country or client.country) for year in (today.year, today.year + 1))
    return next((day for day in days if day is not None and day >= today), today)
