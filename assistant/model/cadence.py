"""What cadence rules look at, remember and order: facts in, effects out, all frozen and free of behaviour.

Facts are filled from the database for one moment (`now`); a decision turns them and the rules into effects; the effects
are stored in one transaction. Every effect carries a `dedupe_key` built only from what it is about, so that a decision
taken twice is stored once. All datetimes are aware and in UTC; zones are IANA names; dates are the client's local dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple, Protocol

from assistant.model.process import Stage, WaitingOn

OptOutScope = Literal["thread", "follow-ups", "greetings", "all"]
OPT_OUT_SCOPES: Final[tuple[OptOutScope, ...]] = ("thread", "follow-ups", "greetings", "all")

EventKind = Literal["reply", "meeting", "staff-wrote", "stage-change", "hand-over"]
EVENT_KINDS: Final[tuple[EventKind, ...]] = ("reply", "meeting", "staff-wrote", "stage-change", "hand-over")

StopReason = Literal[
    "reply",  # anyone at that client answered in that project, in any thread
    "meeting",  # a meeting was agreed
    "staff-wrote",  # staff wrote themselves after the message that was waited on
    "stage-change",  # the project has moved to another stage
    "hand-over",  # the contact or the owner handed the project over
    "bounce",  # the contact's address bounces
    "opt-out",  # the contact asked not to be reminded
    "unconfirmed",  # nobody at the agency has written to the contact
    "not-waiting",  # nothing is waited for any more, or something else is
    "no-match",  # the cadence's `when` no longer holds
    "project-closed",  # the project was closed or lost
    "rule-removed",  # the cadence is no longer in the rule files
    "by-hand",  # a person stopped it
]
PauseReason = Literal["absence", "complaint", "project-paused", "late", "by-hand"]
RunStatus = Literal["active", "paused", "stopped", "completed"]
OPEN_STATUSES: Final[tuple[RunStatus, ...]] = ("active", "paused")


# ── Facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """A colleague. `address` identifies; roles are the words used in `[[staff]]` and `rules/stages.toml`."""

    address: str
    name: str
    roles: tuple[str, ...] = ()
    language: str = "zh-Hans"
    timezone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A contact's wish to be left alone. `thread_id` is set for the scope `thread` only."""

    scope: OptOutScope
    at: datetime
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """An out-of-office of one contact. `until` is the day of return; None when the message named none."""

    since: datetime
    until: date | None
    record_id: int | None = None


@dataclass(frozen=True, slots=True)
class AutomaticMail:
    """One automatic mail that left to a contact, whatever project or rule ordered it."""

    sent_at: datetime
    rule: str
    project_id: int | None = None
    dedupe_key: str = ""


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """One automatic mail to a contact that is ordered and has not left: in the outbox, or the next step of an active run.

    `at` is `not_before` of the outbox row, or `due_at` of the run. `dedupe_key` is that of the `SendMail` it is or will
    be (`send_key`), by which a decision knows its own.
    """

    at: datetime
    rule: str
    dedupe_key: str
    project_id: int | None = None


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """A person at a client. `language` is zh-Hans, zh-Hant or en; empty means: the client's."""

    contact_id: int
    name: str
    address: str
    language: str = ""
    timezone: str = ""
    country: str = ""
    subdivision: str = ""
    tags: tuple[str, ...] = ()
    birthday: date | None = None
    """Only month and day are looked at."""
    cooperation_since: date | None = None
    bouncing: bool = False
    """A permanent delivery failure is known for the address and nothing has come from it since."""
    absence: Absence | None = None
    """The latest out-of-office that nothing from the same person has followed."""
    opt_outs: tuple[OptOut, ...] = ()
    sent: tuple[AutomaticMail, ...] = ()
    """Automatic mail of the last 30 days, over all projects and rules, and all greetings of the last 400 days."""
    planned: tuple[PlannedMail, ...] = ()
    left: bool = False
    """No longer works there: nothing is sent."""
    confirmed: bool = True
    """Somebody at the agency wrote to the person, or to the company at whose domain it has its address; or said so."""


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A client company, or a person with a free-mail address. `country` is ISO 3166-1, `subdivision` ISO 3166-2."""

    client_id: int
    name: str
    country: str = "CN"
    subdivision: str = ""
    timezone: str = "Asia/Shanghai"
    language: str = "zh-Hans"
    tags: tuple[str, ...] = ()
    owner: StaffFacts | None = None
    contacts: tuple[ContactFacts, ...] = ()
    closing_days: tuple[date, ...] = ()
    """The client's own days off, beside those of its country."""
    stages: tuple[Stage, ...] = ()
    """Stages of its projects that are not closed; `relationship` if there was one and all are over."""
    open_complaint: bool = False
    """A complaint about any of its projects is open."""
    lost_pitch_on: date | None = None
    muted: bool = False
    """Staff told the assistant to send this client nothing automatic."""


@dataclass(frozen=True, slots=True)
class WaitedMessage:
    """The message a cadence is anchored on: the last one that *staff* wrote to the client and an answer is due to.

    Automatic mail of the assistant itself is never an anchor. `references` are the ids of the whole thread so far,
    oldest first, without the message's own; all ids are without angle brackets.
    """

    record_id: int
    message_id: str
    thread_id: int
    subject: str
    sent_at: datetime
    contact_id: int
    """Who is waited on: the first recipient in To that belongs to the client."""
    sender: str = ""
    references: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    may_start: bool = True
    """False for mail that was older than the cut-off when it was first read or imported: no cadence ever starts."""


@dataclass(frozen=True, slots=True)
class ProjectEvent:
    """Something that happened in a project and ends waiting. `in_answer_to` is the record it answers, where known."""

    kind: EventKind
    at: datetime
    record_id: int | None = None
    contact_id: int | None = None
    in_answer_to: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A client's message that waits for our answer. `promised_at` is the answer time we promised, if one was."""

    record_id: int
    asked_at: datetime
    contact_id: int | None
    summary: str
    subject: str = ""
    promised_at: datetime | None = None
    complaint: bool = False


@dataclass(frozen=True, slots=True)
class Commitment:
    """Somebody promised something by a day."""

    commitment_id: int
    by: Literal["us", "client"]
    what: str
    due_on: date
    record_id: int | None = None
    staff: str = ""
    """Address of the colleague who promised, where known."""


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """Everything the rules may look at for one project, at one moment."""

    project_id: int
    name: str
    client: ClientFacts
    stage: Stage
    stage_since: datetime
    """The time of the message (or of the colleague's entry) that moved it there, not of when that was read."""
    waiting_on: WaitingOn = "nobody"
    waited: WaitedMessage | None = None
    """Set when `waiting_on` is `client`."""
    last_contact: WaitedMessage | None = None
    """The last message with this client in either direction, automatic mail apart; anchors check-ins."""
    owner: StaffFacts | None = None
    """The colleague responsible for the project; None: the client's owner."""
    staff: tuple[StaffFacts, ...] = ()
    """Everybody of the agency, for roles and escalation."""
    tags: tuple[str, ...] = ()
    value: float | None = None
    """Worth of the project in the agency's currency."""
    events: tuple[ProjectEvent, ...] = ()
    """Since `waited` (or the anchor of the oldest open run, whichever is earlier), in any order."""
    open_complaint: bool = False
    complaint_resolved_at: datetime | None = None
    paused: bool = False
    resumed_at: datetime | None = None
    closed: bool = False
    lost: bool = False
    questions: tuple[OpenQuestion, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    signed_off: tuple[str, ...] = ()
    """What the client approved in this project: values of `assistant.model.process.APPROVALS`."""


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """Something in the outbox that waits for a colleague: an approval, a veto or a draft nobody sent."""

    outbox_id: int
    kind: Literal["approval", "veto", "draft"]
    to: str
    subject: str
    since: datetime
    project_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """What reminders to staff are decided from: all open projects, all clients, and what waits in the outbox."""

    projects: tuple[ProjectFacts, ...]
    clients: tuple[ClientFacts, ...] = ()
    staff: tuple[StaffFacts, ...] = ()
    waiting: tuple[WaitingItem, ...] = ()
    operator: str = ""
    """Address of the colleague to whom an escalation goes for which there is nobody else."""


# ── State ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class RunKey(NamedTuple):
    """What identifies a run before and after it is stored; unique in the database."""

    project_id: int
    cadence: str
    anchor_record_id: int


@dataclass(frozen=True, slots=True)
class CadenceRun:
    """One cadence at work on one waited-on message. `step_index` counts from 0 and names the *next* step."""

    project_id: int
    cadence: str
    version: str
    anchor_record_id: int
    anchor_sent_at: datetime
    contact_id: int
    thread_id: int
    started_at: datetime
    due_at: datetime
    """When the next step is due; a database index on open runs' `due_at` is all that a tick has to read."""
    step_index: int = 0
    status: RunStatus = "active"
    paused_until: datetime | None = None
    """With status `paused`: None means until the reason is gone or a person says so."""
    reason: str = ""
    """Why it is paused or was stopped: a PauseReason or StopReason."""
    sent_count: int = 0
    delayed_business_days: int = 0
    """By how much the run is behind its rule; later steps keep their distance to the one before."""
    last_sent_at: datetime | None = None
    run_id: int | None = None

    @property
    def key(self) -> RunKey:
        return RunKey(self.project_id, self.cadence, self.anchor_record_id)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


# ── Effects ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ReleaseKind = Literal["now", "veto", "approval", "draft"]


@dataclass(frozen=True, slots=True)
class Release:
    """Who lets a mail go: nobody has to, silence of the owner for `wait`, the owner, or whoever sends the draft."""

    kind: ReleaseKind = "now"
    wait: timedelta = timedelta(0)

    def __str__(self) -> str:
        if self.kind != "veto":
            return self.kind
        minutes = int(self.wait.total_seconds()) // 60
        return f"veto {minutes // 60}h" if minutes % 60 == 0 else f"veto {minutes}m"


def run_key(project_id: int, cadence: str, anchor_record_id: int) -> str:
    return f"run:{project_id}:{cadence}:{anchor_record_id}"


def send_key(project_id: int, cadence: str, anchor_record_id: int, step: int) -> str:
    """`step` counts from 1, as people do."""
    return f"send:{project_id}:{cadence}:{anchor_record_id}:{step}"


def greeting_key(contact_id: int, festival: str, year: int) -> str:
    return f"greeting:{contact_id}:{festival}:{year}"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Store this run. `definition` is the canonical text of the rule version, kept so that edits leave runs alone."""

    run: CadenceRun
    definition: str
    dedupe_key: str


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Set these fields of the open run: it goes on (status `active`) with the step at `step_index`, due at `due_at`."""

    run: RunKey
    step_index: int
    due_at: datetime
    version: str
    sent_count: int
    delayed_business_days: int
    reason: str = ""
    """Why the step was put off, empty when it was done."""
    definition: str = ""
    """Set when the run goes on with another version of its rule: the canonical text of that."""


@dataclass(frozen=True, slots=True)
class PauseRun:
    run: RunKey
    reason: PauseReason
    paused_until: datetime | None
    due_at: datetime
    """When to look again: `paused_until`, or a day on for an open-ended pause."""


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the run; every mail of it that has not left (`run` of its outbox row) is refused with the same reason."""

    run: RunKey
    reason: StopReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CompleteRun:
    run: RunKey


@dataclass(frozen=True, slots=True)
class SendMail:
    """Put one mail to a client's contact into the outbox. `step` counts from 1; greetings have step 0 and no run."""

    purpose: Literal["follow-up", "greeting"]
    rule: str
    version: str
    step: int
    template: str
    language: str
    client_id: int
    contact_id: int
    release: Release
    not_before: datetime
    dedupe_key: str
    project_id: int | None = None
    run: RunKey | None = None
    anchor: WaitedMessage | None = None
    """The message to answer in-thread: In-Reply-To its id, References its references and id."""
    cc: tuple[str, ...] = ()
    """Addresses, already resolved."""
    owner: str = ""
    """Address of the colleague in whose name it is sent, who may veto or approve."""
    festival: str = ""
    festival_date: date | None = None
    years: int = 0
    """For anniversaries: how many."""
    importance: int = 50
    any_day: bool = False
    """The rule allows holidays, too."""
    planned_at: datetime | None = None
    """When it was due by the rule alone, whatever put it off since."""


@dataclass(frozen=True, slots=True)
class CreateTask:
    """Something a person has to do. `text` is already rendered."""

    text: str
    assignee: str
    due_at: datetime
    rule: str
    version: str
    step: int
    dedupe_key: str
    project_id: int | None = None
    client_id: int | None = None
    contact_id: int | None = None
    run: RunKey | None = None


@dataclass(frozen=True, slots=True)
class SkipStep:
    """A step was left out for good. Stored so that it can be explained."""

    run: RunKey
    rule: str
    version: str
    step: int
    reason: str
    detail: str
    dedupe_key: str


ReminderKind = Literal[
    "question", "escalation", "commitment", "stage-over-target", "sign-off-missing", "waiting", "no-contact", "birthday"
]


@dataclass(frozen=True, slots=True)
class RemindStaff:
    """Tell a colleague. `urgent` ones leave at once, the others with the person's next morning mail at `not_before`.

    `text` holds the matter itself, and whoever writes the mail makes a sentence of it: the question; the promise; business
    days spent and allowed (`8 / 5`); the approval that is missing; the subject that waits; the date of the last contact;
    name and date of a birthday.
    """

    kind: ReminderKind
    to: str
    urgent: bool
    not_before: datetime
    text: str
    rule: str
    version: str
    dedupe_key: str
    project_id: int | None = None
    client_id: int | None = None
    contact_id: int | None = None
    record_id: int | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskOwner:
    """A step is too late to be sent unasked, for example after downtime. The run is paused until the owner decides."""

    run: RunKey
    to: str
    rule: str
    version: str
    step: int
    question: str
    """The template of the mail that would be sent."""
    due_at: datetime
    dedupe_key: str
    project_id: int


@dataclass(frozen=True, slots=True)
class SendSummary:
    """Send the weekly summary of one client to these colleagues. `week` is its first day."""

    client_id: int
    to: tuple[str, ...]
    week: date
    not_before: datetime
    rule: str
    version: str
    when_empty: Literal["skip", "short"]
    dedupe_key: str


Effect = (
    StartRun
    | MoveStep
    | PauseRun
    | StopRun
    | CompleteRun
    | SendMail
    | CreateTask
    | SkipStep
    | RemindStaff
    | AskOwner
    | SendSummary
)


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One rule that was looked at: did it hit, why or why not (`reason` is stable and kebab-case), and what is next."""

    rule: str
    hit: bool
    reason: str
    detail: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to store, in this order, and why."""

    effects: tuple[Effect, ...] = ()
    trace: tuple[TraceEntry, ...] = ()
    look_again_at: datetime | None = None
    """Nothing can become due before this moment unless something new happens; None: not by time alone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mail may not leave now. With `retry_at` it is put off until then, without it is refused for good."""

    reason: str
    detail: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """Where a rule uses the template: its name, the step, and for greetings the festival."""

    rule: str = ""
    step: int = 1
    festival: str = ""


# ── History, for rehearsals ──────────────────────────────────────────────────────────────────────────────────────────

HappeningKind = Literal[
    "sent",  # staff wrote to the client
    "received",  # somebody at the client wrote
    "absence",  # an out-of-office arrived
    "bounce",
    "meeting",  # a meeting was agreed
    "stage",  # the project moved to `stage`
    "complaint",
    "complaint-resolved",
    "opt-out",
    "hand-over",
    "project-paused",
    "project-resumed",
    "automatic",  # the assistant's own mail left
]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened in a project's past, in the words of the test files."""

    at: datetime
    kind: HappeningKind
    project_id: int
    record_id: int | None = None
    message_id: str = ""
    thread_id: int | None = None
    contact_id: int | None = None
    staff: str = ""
    subject: str = ""
    stage: Stage | None = None
    waiting_on: WaitingOn | None = None
    intents: tuple[str, ...] = ()
    until: date | None = None
    scope: OptOutScope | None = None
    rule: str = ""
    in_answer_to: int | None = None


class FactsSource(Protocol):
    """Where explaining, previewing and rehearsing take their facts from; the database implements it."""

    def projects(self) -> Iterable[ProjectFacts]:
        """Every project that is not closed."""
        ...

    def project(self, project_id: int) -> ProjectFacts | None: ...

    def project_of_thread(self, thread_id: int) -> int | None: ...

    def runs(self, project_id: int) -> Sequence[CadenceRun]:
        """All open runs, and the ended ones whose anchor is the project's current one."""
        ...

    def clients(self) -> Iterable[ClientFacts]: ...

    def history(self, since: datetime, until: datetime) -> Iterable[Happening]:
        """What happened in [since, until), oldest first, in projects that `project` knows."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Facts held in memory as a `FactsSource`: for tests, and for looking at an exported state."""

    facts: tuple[ProjectFacts, ...] = ()
    open_runs: tuple[CadenceRun, ...] = ()
    known_clients: tuple[ClientFacts, ...] = ()
    happenings: tuple[Happening, ...] = field(default=())

    def projects(self) -> Iterable[ProjectFacts]:
        return self.facts

    def project(self, project_id: int) -> ProjectFacts | None:
        return next((facts for facts in self.facts if facts.project_id == project_id), None)

    def project_of_thread(self, thread_id: int) -> int | None:
        for facts in self.facts:
            if facts.waited is not None and facts.waited.thread_id == thread_id:
                return facts.project_id
        return None

    def runs(self, project_id: int) -> Sequence[CadenceRun]:
        return tuple(run for run in self.open_runs if run.project_id == project_id)

    def clients(self) -> Iterable[ClientFacts]:
        return self.known_clients

    def history(self, since: datetime, until: datetime) -> Iterable[Happening]:
        return tuple(item for item in self.happenings if since <= item.at < until)
