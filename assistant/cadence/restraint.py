"""One automatic mail per person in a while, over all projects and rules; of two that compete, the more important wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from assistant.cadence.rules import Rulebook
from assistant.cadence.timing import ONE_DAY, Timetable, add_days
from assistant.model.cadence import AutomaticMail, ContactFacts, PlannedMail


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mail that would like to leave."""

    dedupe_key: str
    importance: int
    moment: datetime
    rule: str

    @property
    def run_prefix(self) -> str:
        """The part of its key that all steps of its run share."""
        return self.dedupe_key.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Yield:
    """Give way until the local date `day`; `detail` says to what."""

    day: date
    detail: str


def give_way(
    candidate: Candidate, contact: ContactFacts, table: Timetable, rulebook: Rulebook, *, to_planned: bool = True
) -> Yield | None:
    """Whether a mail must wait for its turn with this person, because of what was sent or what matters more."""
    return _after_sent(candidate, contact, table) or (
        _after_planned(candidate, contact, table, rulebook) if to_planned else None
    )


def _after_sent(candidate: Candidate, contact: ContactFacts, table: Timetable) -> Yield | None:
    today = table.date_of(candidate.moment)
    others = [mail for mail in contact.sent if mail.dedupe_key != candidate.dedupe_key or not mail.dedupe_key]
    if not others:
        return None
    last: AutomaticMail = max(others, key=lambda mail: mail.sent_at)
    free = add_days(table.client, table.date_of(last.sent_at), table.restraint.per_contact)
    if free <= today:
        return None
    return Yield(free, f"{contact.name} got a mail by {last.rule} on {table.date_of(last.sent_at)}")


def _after_planned(candidate: Candidate, contact: ContactFacts, table: Timetable, rulebook: Rulebook) -> Yield | None:
    latest: Yield | None = None
    for planned in contact.planned:
        if planned.dedupe_key == candidate.dedupe_key or not _is_mail(planned, rulebook):
            continue
        if _is_earlier_step(planned, candidate):
            tomorrow = table.date_of(candidate.moment) + ONE_DAY
            return Yield(tomorrow, "the mail of an earlier step has not left yet")
        if not _goes_first(planned, candidate, rulebook):
            continue
        free = _free_after(planned.at, candidate.moment, table)
        if free is not None and (latest is None or free > latest.day):
            latest = Yield(free, f"{planned.rule} goes first on {table.date_of(planned.at)}")
    return latest


def _free_after(other: datetime, moment: datetime, table: Timetable) -> date | None:
    """The first day after `other` that is far enough from it, if `moment` is too near on either side."""
    theirs, ours = table.date_of(other), table.date_of(moment)
    early, late = (theirs, ours) if theirs <= ours else (ours, theirs)
    if add_days(table.client, early, table.restraint.per_contact) <= late:
        return None
    return add_days(table.client, theirs, table.restraint.per_contact)


def _is_mail(planned: PlannedMail, rulebook: Rulebook) -> bool:
    """The next step of a run may be a task, which disturbs nobody at the client."""
    cadence = rulebook.cadence(planned.rule)
    head, _, step = planned.dedupe_key.rpartition(":")
    if cadence is None or not head.startswith("send:") or not step.isdigit():
        return True
    number = int(step) - 1
    return number >= len(cadence.steps) or bool(cadence.steps[number].send)


def _is_earlier_step(planned: PlannedMail, candidate: Candidate) -> bool:
    run, _, step = planned.dedupe_key.rpartition(":")
    own = candidate.dedupe_key.rpartition(":")[2]
    return run == candidate.run_prefix and step.isdigit() and own.isdigit() and int(step) < int(own)


def _goes_first(planned: PlannedMail, candidate: Candidate, rulebook: Rulebook) -> bool:
    """The more important, then the earlier, then the one named first."""
    theirs = rulebook.importance(planned.rule)
    if theirs != candidate.importance:
        return theirs > candidate.importance
    return (planned.at, planned.dedupe_key) < (candidate.moment, candidate.dedupe_key)
