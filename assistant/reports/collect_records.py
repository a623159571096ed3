"""The records of one client up to a moment, and what follows from their order: turns, answers, open questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from assistant.calendar.business import BusinessCalendar
from assistant.reports.collect_context import Surroundings
from assistant.reports.facts import OpenQuestion, ResponseTimes, Side
from assistant.reports.period import Period
from assistant.store.tables import Client, Contact, OpenItem, Record

CERTAIN = 0.5
"""A label read with less confidence is not told as a fact."""


@dataclass(frozen=True)
class ClientWeek:
    """One client's week as it is collected: who, which days, and everything recorded until `until`.

    `records` hold this client's mail only, oldest first, written before `until`.
    """

    session: Session
    around: Surroundings
    client: Client
    language: str
    period: Period
    until: datetime
    records: tuple[Record, ...]
    contacts: dict[int, Contact]

    @property
    def calendar(self) -> BusinessCalendar:
        return self.around.client_calendar(self.client)

    @property
    def zone(self) -> str:
        return self.around.client_zone(self.client)

    @property
    def today(self) -> date:
        """The last day of what is told; a week that ends at midnight has not begun the next."""
        return self.around.day(self.until - timedelta(microseconds=1))

    @property
    def in_period(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.sent_at in self.period)

    def of_project(self, project_id: int) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.project_id == project_id)

    def contact_name(self, contact_id: int | None) -> str:
        """A contact's name or address; "" for nobody and for people of another client."""
        contact = self.contacts.get(contact_id) if contact_id is not None else None
        return (contact.name or contact.addr_spec) if contact is not None else ""

    def counterpart(self, record: Record) -> str:
        """Who at the client wrote the message or was written to."""
        named = self.contact_name(record.contact_id)
        if named or record.direction != "inbound":
            return named or self.client.name
        return record.originator_name or record.originator or self.client.name

    def writer(self, record: Record) -> str:
        """Who wrote it: the person at the client, or the colleague."""
        if record.direction == "inbound":
            return self.counterpart(record)
        return self.around.name_of(record.originator) or record.originator_name

    def waited_days(self, side: Side, since: datetime) -> int:
        """Business days since, of the side that has to act."""
        first, last = self.around.day(since), self.today
        calendar = self.around.calendars.agency if side == "us" else self.calendar
        return max(0, calendar.business_days_between(first, last))


def client_records(session: Session, client_id: int, until: datetime) -> tuple[Record, ...]:
    """This client's records written before `until`, oldest first, in the order in which state is derived."""
    return tuple(
        session.scalars(
            select(Record)
            .where(Record.client_id == client_id, Record.sent_at < until)
            .order_by(Record.sent_at, Record.id)
            # Whole texts of a long history are not needed for a week; whoever asks for one gets it then.
            .options(defer(Record.reply_text), defer(Record.text_probabilities), defer(Record.evidence))
        )
    )


def is_talk(record: Record) -> bool:
    """Whether people talked: no automatic mail of either side, nothing among colleagues."""
    return record.kind == "human" and not record.automatic and record.direction in {"inbound", "outbound"}


def intent(record: Record, label: str) -> str | None:
    """The sentence that shows an intent ("" where none is known); None when the message does not have it."""
    for found, confidence, evidence in _intents(record):
        if found == label and confidence >= CERTAIN:
            return evidence
    return None


def _intents(record: Record) -> Iterator[tuple[str, float, str]]:
    for item in record.intents:
        yield str(item[0]), float(item[1]) if len(item) > 1 else 1.0, str(item[2]) if len(item) > 2 else ""


# --- answers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """One side waited for the other from `asked_at` to `answered_at`. `by` is the side that answered."""

    by: Side
    asked_at: datetime
    answered_at: datetime
    hours: float
    """Business hours of the side that answered."""
    writer: str = ""
    """The addr-spec of whoever answered."""


def answers(week: ClientWeek, records: Iterable[Record]) -> Iterator[Answer]:
    """Every answer in these records of one project, oldest first.

    The clock starts with the first message that asks for one (`waiting_on`), and stops with the first that people of
    the other side wrote; a second question before the answer does not start it anew.
    """
    agency = week.around.calendars.agency
    asked: dict[Side, datetime] = {}
    for record in records:
        if not is_talk(record):
            continue
        side: Side = "client" if record.direction == "inbound" else "us"
        other: Side = "us" if side == "client" else "client"
        if side in asked:
            since = asked.pop(side)
            calendar, zone = (agency, week.around.timezone) if side == "us" else (week.calendar, week.zone)
            worked = calendar.business_hours_between(since, record.sent_at, zone)
            yield Answer(side, since, record.sent_at, worked.total_seconds() / 3600, record.originator)
        if record.waiting_on == other:
            asked.setdefault(other, record.sent_at)


def response_times(found: Iterable[Answer], period: Period, promised: float | None) -> ResponseTimes:
    """Medians of the answers that were given in the period."""
    within = [answer for answer in found if answer.answered_at in period]
    ours = [answer.hours for answer in within if answer.by == "us"]
    theirs = [answer.hours for answer in within if answer.by == "client"]
    return ResponseTimes(
        us_hours=round(median(ours), 1) if ours else None,
        us_count=len(ours),
        client_hours=round(median(theirs), 1) if theirs else None,
        client_count=len(theirs),
        promised_hours=promised,
    )


# --- questions ------------------------------------------------------------------------------------------------------


def open_questions(week: ClientWeek, records: Sequence[Record], items: Iterable[OpenItem]) -> tuple[OpenQuestion, ...]:
    """What one side of a project asked and the other has not answered; oldest first.

    Any message of the other side's people in the project counts as the answer, in whatever thread.
    """
    unanswered: dict[Side, list[Record]] = {"client": [], "us": []}
    for record in records:
        if not is_talk(record):
            continue
        side: Side = "client" if record.direction == "inbound" else "us"
        unanswered["us" if side == "client" else "client"].clear()
        if intent(record, "question") is not None:
            unanswered[side].append(record)
    found = [_question(week, side, record) for side in ("client", "us") for record in unanswered[side]]
    found += [_stored_question(week, item) for item in items if item.kind == "question"]
    return tuple(sorted(found, key=lambda question: question.asked_on))


def _question(week: ClientWeek, side: Side, record: Record) -> OpenQuestion:
    text = intent(record, "question") or record.summary or record.base_subject
    return OpenQuestion(
        text=text,
        asked_by=side,
        who=week.writer(record),
        asked_on=week.around.day(record.sent_at),
        business_days=week.waited_days("us" if side == "client" else "client", record.sent_at),
        message_id=message_id(record),
    )


def _stored_question(week: ClientWeek, item: OpenItem) -> OpenQuestion:
    """Logged by staff: `by` says who owes the answer."""
    record = next((record for record in week.records if record.id == item.record_id), None)
    asked_by: Side = "client" if item.by == "us" else "us"
    who = (
        week.writer(record)
        if record
        else (week.client.name if asked_by == "client" else week.around.name_of(item.owner))
    )
    return OpenQuestion(
        text=item.what,
        asked_by=asked_by,
        who=who,
        asked_on=week.around.day(item.opened_at),
        business_days=week.waited_days("us" if item.by == "us" else "client", item.opened_at),
        message_id=message_id(record) if record else "",
    )


def message_id(record: Record) -> str:
    """For a link to the message; "" for calls, meetings and other contacts that were no mail."""
    return record.message_id if record.channel == "email" else ""
