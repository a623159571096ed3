"""When the weekly summary of a client is due, and to whom it goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from assistant.cadence.matching import client_misses
from assistant.cadence.people import addresses_of
from assistant.cadence.rules import Rulebook, Summary
from assistant.calendar.business import BusinessCalendar, Calendars, roll_back
from assistant.calendar.localtime import local_date, local_moment
from assistant.model.cadence import ClientFacts, Decision, SendSummary, StaffFacts, TraceEntry


def decide_summaries(
    clients: Iterable[ClientFacts],
    staff: tuple[StaffFacts, ...],
    rulebook: Rulebook,
    calendars: Calendars,
    now: datetime,
) -> Decision:
    """The summaries of the running week that are due at `now`. The first rule that fits a client counts.

    A summary whose day the agency does not work leaves on the last working day before it in that week, else not before
    the next: then the week is left out.
    """
    effects: list[SendSummary] = []
    trace: list[TraceEntry] = []
    later: list[datetime] = []
    today = local_date(now, calendars.agency_timezone)
    monday = today - timedelta(days=today.weekday())
    for client in clients:
        rule = next((one for one in rulebook.summaries if not client_misses(one.when, one.unless, client, None)), None)
        if rule is None:
            continue
        due = due_in_week(rule, monday, calendars.agency, calendars.agency_timezone)
        to = addresses_of(rule.to, client.owner, staff)
        if due is None or now < due or not to:
            reason = "nobody" if not to else "not-due"
            if due is not None and to:
                later.append(due)
            trace.append(TraceEntry(rule.name, False, reason, client.name, due))
            continue
        trace.append(TraceEntry(rule.name, True, "due", client.name, due))
        key = f"summary:{client.client_id}:{monday}"
        effects.append(SendSummary(client.client_id, to, monday, due, rule.name, rule.version, rule.when_empty, key))
    return Decision(tuple(effects), tuple(trace), min(later, default=None))


def due_in_week(rule: Summary, monday: date, agency: BusinessCalendar, zone: str) -> datetime | None:
    """The moment in the week of `monday`; None when the agency has that whole week off up to the day."""
    day = roll_back(agency, monday + timedelta(days=rule.weekday))
    return local_moment(day, rule.at, zone) if day >= monday else None
