"""Who is greeted when: `decide_greetings` for one client, and what is coming, so that other mail keeps clear of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from assistant.cadence.matching import client_misses, country_of, language_of
from assistant.cadence.people import addresses_of
from assistant.cadence.restraint import Candidate, give_way
from assistant.cadence.rules import Greeting, Rulebook
from assistant.cadence.stops import UNCONFIRMED, absent_until
from assistant.cadence.timing import ONE_DAY, Timetable, add_days, timetable
from assistant.calendar.business import Calendars, roll_back
from assistant.calendar.festivals import FESTIVALS, festival_date, personal_date
from assistant.calendar.localtime import local_moment
from assistant.model.cadence import (
    ClientFacts,
    ContactFacts,
    Decision,
    PlannedMail,
    SendMail,
    StaffFacts,
    TraceEntry,
    greeting_key,
)

_TRY_AGAIN = timedelta(hours=1)
"""What forbids a greeting may pass on the same day: quiet hours, an absence, a complaint."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One greeting to one person: the festival's own date, and when the mail is due."""

    rule: Greeting
    contact: ContactFacts
    festival_date: date
    due_at: datetime
    years: int

    @property
    def ordered_at(self) -> datetime:
        """When the mail is put into the outbox: early enough for the owner to look at it."""
        release = self.rule.release
        return self.due_at - (release.wait if release.kind in ("now", "veto") else ONE_DAY)

    @property
    def key(self) -> str:
        return greeting_key(self.contact.contact_id, self.rule.festival, self.festival_date.year)


def decide_greetings(
    client: ClientFacts, rulebook: Rulebook, calendars: Calendars, now: datetime, *, staff: tuple[StaffFacts, ...] = ()
) -> Decision:
    """The greetings of one client that are due at `now`, with the reason for each that is not."""
    effects: list[SendMail] = []
    trace: list[TraceEntry] = []
    later: list[datetime] = []
    for contact in client.contacts:
        table = timetable(client, contact, calendars, rulebook.restraint, days="client")
        greeted: dict[tuple[str, int], str] = {}
        for occasion in sorted(_occasions(client, contact, rulebook, table, now), key=_order):
            rule = occasion.rule
            festival = (rule.festival, occasion.festival_date.year)
            if occasion.ordered_at > now:
                later.append(occasion.ordered_at)
                continue
            reason, detail = _refused(occasion, client, table, rulebook, now)
            if not reason and festival in greeted:
                reason, detail = "one-greeting", f"{greeted[festival]} greets {contact.name} for the same festival"
            if not reason and greeted:
                reason, detail = "restraint", f"{contact.name} gets another greeting today"
            trace.append(TraceEntry(rule.name, not reason, reason or "due", detail or contact.name, occasion.due_at))
            if reason and reason not in ("already-greeted", "already-ordered"):
                later.append(now + _TRY_AGAIN)
            if not reason:
                greeted[festival] = rule.name
                effects.append(_send(occasion, client, now, staff))
    return Decision(tuple(effects), tuple(trace), min(later, default=None))


def _order(occasion: Occasion) -> tuple[int, int, str]:
    return occasion.festival_date.toordinal(), -occasion.rule.importance, occasion.rule.name


def _occasions(
    client: ClientFacts, contact: ContactFacts, rulebook: Rulebook, table: Timetable, now: datetime
) -> Iterator[Occasion]:
    """The last occasion of each rule that may still matter, and the next one to come."""
    today = table.date_of(now)
    for rule in rulebook.greetings:
        if client_misses(rule.when, rule.unless, client, contact):
            continue
        for year in (today.year, today.year + 1):
            occasion = _occasion(rule, client, contact, table, year)
            if occasion is not None and occasion.festival_date >= today:
                yield occasion
                break


def _occasion(
    rule: Greeting, client: ClientFacts, contact: ContactFacts, table: Timetable, year: int
) -> Occasion | None:
    years = 0
    day: date | None
    if rule.festival == "birthday":
        day = personal_date(contact.birthday, year) if contact.birthday is not None else None
    elif rule.festival == "anniversary":
        since = contact.cooperation_since
        years = year - since.year if since is not None else 0
        day = personal_date(since, year) if since is not None and years > 0 else None
    else:
        country = country_of(client, contact)[0]
        kept = bool(rule.when.country) or FESTIVALS[rule.festival].is_kept_in(country)
        day = festival_date(rule.festival, year, country) if kept else None
    if day is None:
        return None
    leaves = day - timedelta(days=rule.days_before)
    if not rule.on_holiday:
        leaves = roll_back(table.client, leaves)
    return Occasion(rule, contact, day, local_moment(leaves, rule.at, table.zone), years)


def _refused(
    occasion: Occasion, client: ClientFacts, table: Timetable, rulebook: Rulebook, now: datetime
) -> tuple[str, str]:
    contact, rule = occasion.contact, occasion.rule
    if any(mail.dedupe_key == occasion.key for mail in contact.sent):
        return "already-greeted", contact.name
    if any(mail.dedupe_key == occasion.key for mail in contact.planned):
        return "already-ordered", contact.name
    reason, detail = greeting_refused(client, contact, table, now)
    if reason:
        return reason, detail
    if table.date_of(now) > occasion.festival_date:
        return "too-late", f"{rule.festival} was on {occasion.festival_date}"
    leaves = _leaves(occasion, now)
    closed = table.why_not(leaves)
    if closed and not (rule.on_holiday and closed in ("holiday", "day-off")):
        return closed, f"nothing leaves at {leaves:%Y-%m-%d %H:%M} UTC"
    candidate = Candidate(occasion.key, rule.importance, leaves, rule.name)
    yielding = give_way(candidate, contact, table, rulebook)
    return ("restraint", yielding.detail) if yielding is not None else ("", "")


def greeting_refused(client: ClientFacts, contact: ContactFacts, table: Timetable, now: datetime) -> tuple[str, str]:
    """What forbids any greeting to a person at this moment, as (reason, detail); ("", "") when nothing does."""
    if client.muted or contact.left:
        return "by-hand", "nothing automatic is sent"
    if contact.bouncing:
        return "bounce", f"{contact.address} cannot be delivered to"
    if not contact.confirmed:
        return "unconfirmed", UNCONFIRMED.format(name=contact.name or contact.address)
    if any(wish.scope in ("all", "greetings") for wish in contact.opt_outs):
        return "opt-out", f"{contact.name} asked for none"
    if client.open_complaint:
        return "complaint", "a complaint is open"
    if client.lost_pitch_on is not None:
        until = add_days(table.client, client.lost_pitch_on, table.restraint.after_lost_pitch)
        if table.date_of(now) < until:
            return "lost-pitch", f"a pitch was lost on {client.lost_pitch_on}"
    away = absent_until(contact, table)
    if away is not None and now < away:
        return "absence", f"{contact.name} is away"
    return "", ""


def _leaves(occasion: Occasion, now: datetime) -> datetime:
    """As planned, or as soon as the owner has had the time to stop it."""
    return max(occasion.due_at, now + occasion.rule.release.wait)


def _send(occasion: Occasion, client: ClientFacts, now: datetime, staff: tuple[StaffFacts, ...]) -> SendMail:
    rule, contact = occasion.rule, occasion.contact
    owner = client.owner
    return SendMail(
        purpose="greeting",
        rule=rule.name,
        version=rule.version,
        step=0,
        template=rule.send,
        language=language_of(client, contact),
        client_id=client.client_id,
        contact_id=contact.contact_id,
        release=rule.release,
        not_before=_leaves(occasion, now) if rule.release.kind == "veto" else occasion.due_at,
        dedupe_key=occasion.key,
        cc=addresses_of(rule.cc, owner, staff),
        owner=owner.address if owner is not None else "",
        festival=rule.festival,
        festival_date=occasion.festival_date,
        years=occasion.years,
        importance=rule.importance,
        any_day=rule.on_holiday,
        planned_at=occasion.due_at,
    )


def coming(
    client: ClientFacts,
    contact: ContactFacts,
    rulebook: Rulebook,
    table: Timetable,
    now: datetime,
    within: timedelta = timedelta(days=10),
) -> tuple[PlannedMail, ...]:
    """The greetings to a person that are due soon and nothing forbids, as mail that others may have to wait for."""
    if greeting_refused(client, contact, table, now)[0]:
        return ()
    done = {mail.dedupe_key for mail in contact.sent} | {mail.dedupe_key for mail in contact.planned}
    return tuple(
        PlannedMail(occasion.due_at, occasion.rule.name, occasion.key)
        for occasion in _occasions(client, contact, rulebook, table, now)
        if occasion.key not in done and now - ONE_DAY <= occasion.due_at <= now + within
    )
