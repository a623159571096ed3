"""The mails that colleagues get: weekly summaries, reminders, digests and notices, finished and each with its key.

Everything may be asked again at any time: what was queued before is recognised by its key and costs one look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from assistant.calendar.business import Calendars
from assistant.calendar.localtime import local_date
from assistant.errors import Problem, ProblemsFound
from assistant.model.cadence import SendSummary
from assistant.model.people import Directory
from assistant.rendering import Rendered, Templates
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect import collect_weekly, is_empty
from assistant.reports.collect_context import StageName, StageTarget, Surroundings
from assistant.reports.digests import digest_mails
from assistant.reports.facts import NoticeKind, NoticeProblem, OperatorNotice, WeeklySummary
from assistant.reports.notes import note_mails
from assistant.reports.notices import bounce_notices, opt_out_notices, quarantine_notice
from assistant.reports.outbox_notices import breaker_notices, uncertain_notices
from assistant.reports.period import Period, week_before
from assistant.reports.retirements import retirement_notice
from assistant.reports.staff import render_operator_notice
from assistant.reports.suspicions import suspicion_notice
from assistant.reports.weekly import render_weekly
from assistant.store.facts import DatabaseFacts
from assistant.store.tables import Client, OutboxMessage, Record

_log = structlog.get_logger("assistant.reports")

LONGEST_GAP: Final = timedelta(days=14)
"""A summary tells what happened since the one before if that was at most this much longer ago than a week."""


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """The agency as its reports name it. `operator` is told when the assistant itself needs help; "" for nobody."""

    agency_name: str
    timezone: str
    operator: str = ""
    summary_recipients: tuple[str, ...] = ()
    """Who gets every weekly summary beside those whom the rules name."""
    promised_hours: float | None = None
    """Business hours within which the agency promises to answer; shown beside the response times."""


class ReportOffice:
    """Makes mails to colleagues from what is stored. `templates` is asked each time, so that edits are seen."""

    def __init__(
        self,
        place: ReportPlace,
        directory: Directory,
        templates: Callable[[], Templates],
        calendars: Calendars,
        stage_name: StageName,
        stage_target: StageTarget,
    ) -> None:
        self._place = place
        self._directory = directory
        self._templates = templates
        self._calendars = calendars
        self._stage_name = stage_name
        self._stage_target = stage_target
        self._left_out: set[str] = set()

    @property
    def surroundings(self) -> Surroundings:
        """What collectors need, for whoever collects without sending."""
        return Surroundings(
            self._place.agency_name,
            self._place.timezone,
            self._directory,
            self._calendars,
            self._stage_name,
            self._stage_target,
            self._templates().agency_language,
            self._place.promised_hours,
        )

    # --- summaries --------------------------------------------------------------------------------------------------

    def summaries(
        self, session: Session, facts: DatabaseFacts, wanted: Sequence[SendSummary], now: datetime
    ) -> list[StaffMail]:
        """One mail for each client and reader that was not made before; none for a week left out as empty."""
        del facts  # weeks are read from the records themselves
        missing = [
            (summary, address, key)
            for summary in wanted
            for address in dict.fromkeys((*summary.to, *self._place.summary_recipients))
            if (key := f"{summary.dedupe_key}:{address}") not in self._left_out
        ]
        known = self._known(session, [key for _, _, key in missing])
        mails = (self._summary(session, *one, now) for one in missing if one[2] not in known)
        return [mail for mail in mails if mail is not None]

    def _summary(
        self, session: Session, wanted: SendSummary, address: str, key: str, now: datetime
    ) -> StaffMail | None:
        around = self.surroundings
        reader = around.colleague(address)
        period = self.period(session, wanted.client_id, wanted.not_before)
        summary = collect_weekly(session, around, wanted.client_id, reader, period, now)
        if wanted.when_empty == "skip" and is_empty(summary):
            self._left_out.add(key)
            return None
        rendered = self.render(lambda templates: render_weekly(summary, templates))
        if rendered is None:
            return None
        return StaffMail(
            to_name=reader.person.name,
            to_address=address,
            purpose="summary",
            dedupe_key=key,
            due_at=wanted.not_before,
            rendered=rendered,
            client_id=wanted.client_id,
            rule=wanted.rule,
            rule_version=wanted.version,
        )

    def week_of(
        self, session: Session, client_id: int, period: Period, now: datetime, language: str = ""
    ) -> WeeklySummary:
        """A client's week as its owner would be told it, for looking at it at any time; `language` "" is the owner's.

        Raises LookupError when there is no such client.
        """
        around = self.surroundings
        client = session.get(Client, client_id)
        owner = around.colleague(around.owner_of(client.owner if client else ""))
        reader = replace(owner, language=language or owner.language)
        return collect_weekly(session, around, client_id, reader, period, now)

    def rendered_week(self, summary: WeeklySummary) -> Rendered:
        """The summary as its mail. Raises ProblemsFound where the agency's own template is broken."""
        return render_weekly(summary, self._templates())

    def period(self, session: Session, client_id: int, due_at: datetime) -> Period:
        """The week before `due_at`; longer where the summary before came early or not at all and mail fell between."""
        week = week_before(due_at, self._place.timezone)
        previous = session.execute(
            select(OutboxMessage.due_at, OutboxMessage.created_at)
            .where(
                OutboxMessage.purpose == "summary",
                OutboxMessage.client_id == client_id,
                OutboxMessage.created_at < due_at,
            )
            .order_by(OutboxMessage.created_at.desc())
            .limit(1)
        ).first()
        if previous is None:
            return week
        end: datetime = week_before(min(previous), self._place.timezone).end
        if not week.start - LONGEST_GAP <= end < week.start:
            return week
        between = exists().where(Record.client_id == client_id, Record.sent_at >= end, Record.sent_at < week.start)
        if not session.scalar(select(between)):
            return week
        return Period(end, week.end, local_date(end, self._place.timezone), week.last_day)

    # --- reminders, digests, notices --------------------------------------------------------------------------------

    def notes(self, session: Session, facts: DatabaseFacts, now: datetime) -> list[StaffMail]:
        """Urgent notes each at once, the others one mail a morning per person; they carry the ids of their notes."""
        del facts  # each note is looked at again by its own rows
        return note_mails(session, self.surroundings, self.render, now)

    def digests(self, session: Session, now: datetime) -> list[StaffMail]:
        """To each owner: what leaves soon unless stopped, and what waits for a yes. Each mail to a client once."""
        return digest_mails(session, self.surroundings, self.render, now)

    def operator_notice(self, problems: Sequence[Problem], now: datetime) -> StaffMail | None:
        """That edited rules or templates were not taken; None without problems or without an operator."""
        if not problems or not self._place.operator:
            return None
        around = self.surroundings
        operator = around.colleague(self._place.operator)
        templates_only = all(problem.code.startswith("T") for problem in problems)
        notice = OperatorNotice(
            operator.person,
            around.agency_name,
            operator.language,
            around.local(now),
            "templates_broken" if templates_only else "rules_broken",
            tuple(_notice_problem(problem) for problem in problems),
            last_good=True,
        )
        rendered = self.render(lambda templates: render_operator_notice(notice, templates))
        if rendered is None:
            return None
        return self._to_operator(f"notice:rules:{_digest(problems)}:{now:%Y%m%d%H%M}", rendered, now)

    def outbox_notices(self, session: Session, now: datetime) -> list[StaffMail]:
        """That sending was stopped, to the operator; that nobody knows whether a mail left, to its owner."""
        around = self.surroundings
        mails = uncertain_notices(session, around, now)
        if self._place.operator:
            mails += breaker_notices(session, around, around.colleague(self._place.operator), self.render, now)
        return mails

    def quarantine_notice(self, session: Session, now: datetime) -> StaffMail | None:
        """Messages that could not be read and of which the operator was not told yet; at most one mail an hour."""
        if not self._place.operator:
            return None
        operator = self.surroundings.colleague(self._place.operator)
        return quarantine_notice(session, self.surroundings, operator, self.render, now)

    def suspicion_notice(self, session: Session, now: datetime) -> StaffMail | None:
        """Senders who claim to be somebody else and of whom the operator was not told yet; at most one mail an hour."""
        if not self._place.operator:
            return None
        operator = self.surroundings.colleague(self._place.operator)
        return suspicion_notice(session, self.surroundings, operator, self.render, now)

    def retirement_notice(self, session: Session, now: datetime) -> StaffMail | None:
        """What the retention periods took away and of which the operator was not told yet; at most one mail a day."""
        if not self._place.operator:
            return None
        operator = self.surroundings.colleague(self._place.operator)
        return retirement_notice(session, self.surroundings, operator, self.render, now)

    def opt_out_notices(self, session: Session, now: datetime) -> list[StaffMail]:
        """To each owner, once: a contact wants no more automatic mail."""
        return opt_out_notices(session, self.surroundings, self.render, now)

    def bounce_notices(self, session: Session, now: datetime) -> list[StaffMail]:
        """To each owner, once: an address does not work any more."""
        return bounce_notices(session, self.surroundings, self.render, now)

    def ledger_notice(self, at: str, problems: Sequence[NoticeProblem], now: datetime) -> StaffMail | None:
        """That the comparison of `at` found mail which had been passed over, or could not be made."""
        return self._about("ledger", f"notice:ledger:{at}", problems, "", now)

    def part_notice(self, key: str, problems: Sequence[NoticeProblem], now: datetime) -> StaffMail | None:
        """That of some messages only a part could be had, however often they were asked for."""
        return self._about("quarantine", f"notice:part:{key}", problems, "", now)

    def mailbox_notice(self, key: str, text: str, now: datetime) -> StaffMail | None:
        """That no mail seems to come in: `text` says since when and what to look at."""
        return self._about("mailbox", f"notice:mailbox:{key}", (), text, now)

    def _about(
        self, kind: NoticeKind, key: str, problems: Sequence[NoticeProblem], text: str, now: datetime
    ) -> StaffMail | None:
        if not self._place.operator:
            return None
        around = self.surroundings
        operator = around.colleague(self._place.operator)
        notice = OperatorNotice(
            operator.person, around.agency_name, operator.language, around.local(now), kind, tuple(problems), text
        )
        rendered = self.render(lambda templates: render_operator_notice(notice, templates))
        return self._to_operator(key, rendered, now) if rendered is not None else None

    def _to_operator(self, key: str, rendered: Rendered, now: datetime) -> StaffMail:
        operator = self.surroundings.colleague(self._place.operator)
        return StaffMail(operator.person.name, self._place.operator, "notice", key, now, rendered)

    # --- shared -----------------------------------------------------------------------------------------------------

    def render(self, make: Callable[[Templates], Rendered]) -> Rendered | None:
        """With the agency's templates; where they are broken with the shipped ones, so that nobody waits for a mail."""
        templates = self._templates()
        try:
            return make(templates)
        except ProblemsFound as error:
            _log.error("template_broken", problems=[str(problem) for problem in error.problems[:5]])
        folders = templates.library.folders
        if len(folders) < 2:
            return None
        try:
            return make(Templates(folders[-1], None, templates.agency_language))
        except ProblemsFound as error:
            _log.error("shipped_template_broken", problems=[str(problem) for problem in error.problems[:5]])
            return None

    @staticmethod
    def _known(session: Session, keys: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            found.update(session.scalars(select(OutboxMessage.dedupe_key).where(OutboxMessage.dedupe_key.in_(part))))
        return found


def _notice_problem(problem: Problem) -> NoticeProblem:
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    return NoticeProblem(place, problem.message, problem.code, problem.hint)


def _digest(problems: Sequence[Problem]) -> str:
    return hashlib.sha256("\n".join(str(problem) for problem in problems).encode()).hexdigest()[:24]
