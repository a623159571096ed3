"""What a mail to a client may name: `{{ contact.name }}`, `{{ waited.sent_on | day }}` and the rest.

The field names are what people write in templates, so they never change. Every text is "" and never None where
nothing is known, so that a template may ask `{% if contact.title %}`. A root that does not apply to a mail
(`waited` in a greeting, `festival` in a follow-up) is left out, and naming it is an error that
`Templates.check` finds before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from assistant.model.process import Stage


@dataclass(frozen=True, slots=True)
class AgencyFacts:
    """The agency in whose name the mail goes."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """The colleague who signs. `role` as printed under a name, in the mail's language."""

    name: str
    address: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """The person who reads. `salutation` as `rendering.salutation` makes it: 林总, 林女士, 林晓芸, Grace."""

    name: str
    address: str
    salutation: str = ""
    given_name: str = ""
    title: str = ""
    language: str = "zh-Hans"


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """The company of the contact, or the person where there is no company."""

    name: str


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """The project that the mail is about. `stage_name` in the mail's language."""

    name: str
    stage: Stage
    stage_name: str


@dataclass(frozen=True, slots=True)
class WaitedFacts:
    """The message of ours that has no answer yet.

    `subject` without reply prefixes; `what` a short noun phrase in the mail's language ("方案初稿的反馈") or "";
    `business_days` since `sent_on` on the contact's calendar.
    """

    subject: str
    sent_on: date
    business_days: int
    what: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class StepFacts:
    """Which step of how many mails the cadence has, from 1."""

    number: int
    of: int


@dataclass(frozen=True, slots=True)
class FestivalFacts:
    """The occasion of a greeting. `name` in the mail's language; `years` for anniversaries, 0 where it does not apply."""

    name: str
    date: date
    years: int = 0


@dataclass(frozen=True, slots=True)
class AssistantFacts:
    """The assistant itself: where an answer such as 停止提醒 goes."""

    address: str


@dataclass(frozen=True, slots=True)
class ClientMail:
    """Everything that a mail to a client may name."""

    agency: AgencyFacts
    owner: OwnerFacts
    contact: ContactFacts
    client: ClientFacts
    assistant: AssistantFacts
    today: date
    project: ProjectFacts | None = None
    waited: WaitedFacts | None = None
    step: StepFacts | None = None
    festival: FestivalFacts | None = None

    def context(self) -> Mapping[str, object]:
        """The roots that apply, for `Templates.render`."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


ROOTS: Final[Mapping[str, type | None]] = {
    "agency": AgencyFacts,
    "owner": OwnerFacts,
    "contact": ContactFacts,
    "client": ClientFacts,
    "assistant": AssistantFacts,
    "project": ProjectFacts,
    "waited": WaitedFacts,
    "step": StepFacts,
    "festival": FestivalFacts,
    "today": None,
}
"""Root names of mails to clients and what they hold; None is a plain day."""

GROUP_ROOTS: Final[Mapping[str, frozenset[str]]] = {
    "followups": frozenset(ROOTS) - {"festival"},
    "greetings": frozenset(ROOTS) - {"project", "waited", "step"},
}
"""Which roots the mails of a folder of templates are given. Other folders are mail to staff."""
