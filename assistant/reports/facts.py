"""What the mails to staff say: plain frozen facts, filled from the store and rendered without asking anything else.

Rules for whoever fills them:

- Days are local days and times are aware and already in the zone of the agency; nothing is converted here.
- Every text may come from a client and is untrusted: pass it as it is, in full; rendering cuts and escapes it.
- Names of stages are given in the language of the reader, as `rules/stages.toml` has them.
- Message-IDs come without angle brackets; "" where there is none. Then no link is drawn.
- Business days and hours are already counted, on the calendar of the side that is meant.
- Tuples come in the order in which they are to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from assistant.model.process import Stage, WaitingOn

Side = Literal["us", "client"]
HappeningKind = Literal[
    "received",  # the client wrote: who, what = summary
    "sent",  # we wrote: who, what = summary
    "meeting",  # a meeting or call was held or agreed: who, what
    "stage",  # the project moved: what = name of the new stage, before = name of the old one
    "sign_off",  # the client approved: who, what = the thing and its revision
    "change_request",  # who, what
    "problem",  # a complaint or problem was opened: who, what
    "solved",  # a problem was solved: what
    "deliverable",  # something was handed over: who, what
    "payment",  # who, what
    "follow_up",  # the assistant followed up: who = the contact, what = the subject
    "greeting",  # the assistant greeted: who = the contact, what = the festival
    "follow_up_cancelled",  # a follow-up was not sent: who = the contact, what = the reason in the reader's language
    "opt_out",  # a contact wants no more automatic mail: who
    "bounce",  # an address does not work any more: who
]
ReminderKind = Literal[
    "unanswered_question",  # the client asked and nobody answered; due = the promised time
    "escalation",  # the same, promised time over, now told to the next role
    "commitment_ours",  # we promised something; due = the day
    "commitment_theirs",  # the client promised something; due = the day
    "stage_over_target",  # a project is longer in its stage than planned
    "sign_off_missing",  # the next stage begins and the sign-off of this one is not on record
    "draft_waiting",  # a draft waits for being sent
    "approval_waiting",  # a mail waits for a yes
    "veto_waiting",  # a mail leaves soon unless stopped
    "no_contact",  # a client of the relationship stage has heard nothing for long
    "birthday",  # a contact's birthday is near
    "task",  # a cadence ends in something a person does: text = the task
    "problem_open",  # a problem is open and has an owner
]
PlannedKind = Literal["follow_up", "greeting", "reminder", "task"]
Release = Literal["now", "veto", "approval", "draft"]
OptOutScope = Literal["thread", "follow_ups", "greetings", "all"]
NoticeKind = Literal[
    "rules_broken",
    "templates_broken",
    "quarantine",
    "suspicious",
    "ledger",
    "mailbox",
    "submission",
    "sending_stopped",
    "store",
    "retention",
    "other",
]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the agency who reads the mail."""

    name: str
    address: str
    role: str = ""
    """As printed under a name, in the reader's language."""


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A message that the reader may open in their own mail program by its Message-ID."""

    message_id: str
    subject: str
    sent_on: date | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of "this week". See `HappeningKind` for which texts a kind needs."""

    at: datetime
    kind: HappeningKind
    what: str
    who: str = ""
    project: str = ""
    before: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without an answer. `asked_by` says which side asked; the other side owes the answer."""

    text: str
    asked_by: Side
    who: str
    asked_on: date
    business_days: int
    """Business days since, of the side that owes the answer."""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class DueCommitment:
    """A promise with a day. `by` says whose; `days_left` in business days, negative when overdue."""

    text: str
    by: Side
    who: str
    due: date
    days_left: int
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A complaint or problem that is not solved yet. While it is open, nothing automatic is sent to the client."""

    text: str
    opened_on: date
    business_days: int
    owner: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """Something that the rules will do next if nothing stops it."""

    at: datetime
    kind: PlannedKind
    what: str
    """The subject of the mail, the name of the festival, or the words of the task."""
    to: str
    """Name of the contact, or of the colleague who gets the task."""
    release: Release = "now"
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Median business hours until an answer in a period; None where no question was answered (count 0)."""

    us_hours: float | None = None
    us_count: int = 0
    client_hours: float | None = None
    client_count: int = 0
    promised_hours: float | None = None
    """What the agency promises for its own answers."""


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many messages one day had."""

    day: date
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One project of the client as it stands at the end of the period."""

    name: str
    stage: Stage
    stage_name: str
    business_days_in_stage: int
    target_days: int | None = None
    """Business days that the stage should take; None where the rules give none."""
    buffer_days: int = 0
    """Business days by which it may run over before anyone worries."""
    stage_since: date | None = None
    waiting_on: WaitingOn = "nobody"
    waiting_who: str = ""
    """Name of the person who is expected to act."""
    waiting_for: str = ""
    """The sentence that shows what is waited for, or a summary of it."""
    waiting_since: date | None = None
    waiting_business_days: int = 0
    waiting_message: MessageLink | None = None
    paused: bool = False
    new: bool = False
    """The project began in this period."""
    messages_received: int = 0
    messages_sent: int = 0
    open_questions: tuple[OpenQuestion, ...] = ()
    commitments: tuple[DueCommitment, ...] = ()
    problems: tuple[OpenProblem, ...] = ()
    next_steps: tuple[PlannedStep, ...] = ()
    response_times: ResponseTimes = ResponseTimes()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the things that an unsure label may be; `confidence` from 0 to 1."""

    value: str
    """The id, as a correction names it."""
    name: str
    """As people say it, in the reader's language."""
    confidence: float


@dataclass(frozen=True, slots=True)
class UnsureLabel:
    """A message that could not be placed with enough confidence, and what it may be, best first."""

    message: MessageLink
    who: str
    about: Literal["stage", "project", "client"]
    candidates: tuple[Candidate, ...]
    correct_with: str = ""
    """The command that corrects it, up to the value: `assistant message correct 123 --stage`."""


@dataclass(frozen=True, slots=True)
class FestivalAhead:
    """A festival or a closing of the client's country that comes up. `closed_to` is the last day off."""

    name: str
    day: date
    greeting_at: datetime | None = None
    greeted: tuple[str, ...] = ()
    """Names of the contacts who will get a greeting."""
    closed_from: date | None = None
    closed_to: date | None = None
    provisional: bool = False
    """The official days off of that year are not published yet."""


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """One client's week for one reader. `period_from` and `period_to` are both part of the week."""

    client: str
    agency: str
    owner: Person
    language: str
    """Of the reader: zh-Hans, zh-Hant or en."""
    period_from: date
    period_to: date
    generated_at: datetime
    happened: tuple[Happening, ...] = ()
    projects: tuple[ProjectSummary, ...] = ()
    unsure: tuple[UnsureLabel, ...] = ()
    festivals_next: tuple[FestivalAhead, ...] = ()
    response_times: ResponseTimes = ResponseTimes()
    response_times_before: ResponseTimes = ResponseTimes()
    """The same for the period before, to compare with."""
    messages_by_day: tuple[DayCount, ...] = ()
    """One for each day of the period, or empty: then no chart is drawn."""
    greetings_next: tuple[PlannedStep, ...] = ()
    """Planned mail that belongs to no project."""


@dataclass(frozen=True, slots=True)
class ReminderItem:
    """One thing that a colleague should know or do. See `ReminderKind`."""

    kind: ReminderKind
    client: str
    project: str = ""
    text: str = ""
    """The question, the promise, the task, or what is missing; untrusted."""
    who: str = ""
    """The person on the client's side, or the colleague who promised."""
    since: date | None = None
    due: datetime | date | None = None
    business_days: int = 0
    """Since then; or over the target for `stage_over_target`; or weeks without contact for `no_contact`."""
    stage_name: str = ""
    message: MessageLink | None = None
    command: str = ""
    """What may be typed to deal with it, if there is such a command."""


@dataclass(frozen=True, slots=True)
class MorningReminder:
    """The one mail of a morning to one colleague. Without items nothing is sent."""

    person: Person
    agency: str
    language: str
    day: date
    items: tuple[ReminderItem, ...]


@dataclass(frozen=True, slots=True)
class UrgentReminder:
    """One thing that cannot wait for the morning."""

    person: Person
    agency: str
    language: str
    at: datetime
    item: ReminderItem
    escalated_from: str = ""
    """Name of the colleague who was told before."""


@dataclass(frozen=True, slots=True)
class PendingMail:
    """A mail to a client that waits for its time, a veto or a yes."""

    number: int
    """How it is named in an answer or a command: `stop 17`, `assistant outbox veto 17`."""
    leaves_at: datetime | None
    """None for one that waits for approval without a time."""
    to_name: str
    to_address: str
    client: str
    subject: str
    text: str
    """The text part as it will be sent."""
    project: str = ""
    rule: str = ""
    step: int = 0
    why: str = ""
    """The rule's own `why`."""
    message: MessageLink | None = None
    """The message that is waited on."""


@dataclass(frozen=True, slots=True)
class VetoDigest:
    """What goes out soon in the name of `person`, who may stop any of it. Without mails nothing is sent."""

    person: Person
    agency: str
    language: str
    generated_at: datetime
    mails: tuple[PendingMail, ...]
    answers_obeyed: bool = False
    """Whether an answer such as `stop 17` is understood and obeyed; else only the command is named."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """Mails that leave only after `person` has said yes."""

    person: Person
    agency: str
    language: str
    generated_at: datetime
    mails: tuple[PendingMail, ...]
    answers_obeyed: bool = False
    """Whether an answer such as `stop 17` is understood and obeyed; else only the command is named."""


@dataclass(frozen=True, slots=True)
class OptOutNotice:
    """A contact wants no more automatic mail; told once to staff."""

    person: Person
    agency: str
    language: str
    at: datetime
    contact_name: str
    contact_address: str
    client: str
    scope: OptOutScope
    said: str
    """Their own words."""
    cancelled: int = 0
    """How many planned mails were cancelled by it."""
    project: str = ""
    message: MessageLink | None = None


@dataclass(frozen=True, slots=True)
class BounceNotice:
    """A mail came back."""

    person: Person
    agency: str
    language: str
    at: datetime
    contact_name: str
    address: str
    client: str
    permanent: bool
    status: str
    """Enhanced status code of RFC 3463 such as 5.1.1, or ""."""
    reason: str
    """What the server said."""
    subject: str
    project: str = ""
    message: MessageLink | None = None
    suppressed_until: date | None = None
    command: str = ""
    """What to run if it is true: nothing proves the report, and nothing was done. "" for one that is believed."""


@dataclass(frozen=True, slots=True)
class NoticeProblem:
    """One problem in a file, one message in quarantine, or one suspicion. `place` is file:line:column, a number, or who."""

    place: str
    message: str
    code: str = ""
    hint: str = ""
    warning: str = ""
    """What is suspicious (`assistant.intake.suspicion`); the template has the words. `message` is then what is imitated."""
    apart: bool = False
    """Whether the mail was kept apart from all clients."""


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """Something that the person who runs the assistant must act on."""

    person: Person
    agency: str
    language: str
    at: datetime
    kind: NoticeKind
    problems: tuple[NoticeProblem, ...] = ()
    text: str = ""
    """A sentence that says what happened and what to do; for kinds without problems."""
    last_good: bool = False
    """Whether the assistant goes on with the last good set of files."""
