"""What a message or an edited rule ends and begins (phases 8 and 9), and what a colleague's reply decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.clock import monotonic

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace
    from assistant.cadence.by_hand import Order
    from assistant.store.tables import Record
    from parsers import Message

_log = structlog.get_logger("assistant")
_DECIDED_WITH = "rules decided with"
_PROJECTS_AT_ONCE = 100
_DECIDING_SECONDS = 1.0
"""How long a turn of the daemon decides everything before mail is looked after again."""


@dataclass(slots=True)
class AllDecided:
    """How far all open projects are decided with the rules as they are and for the day that it is. One per process."""

    wanted: Stand | None = None
    stood: Stand | None = None
    """With what everything was decided last; None until that was looked up."""
    decided_up_to: int = 0
    behind: bool = False
    """Whether projects are left for the next turn."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A set of rules, and a day in the agency's time zone. `day` is empty where only the set is known."""

    version: str
    day: str


def decide_all(workplace: Workplace, *, in_turns: bool = False) -> int:
    """Once a day and after an edit of the rules every open project is decided anew; returns how many had effects.

    Messages and steps that fall due make all other decisions. This look finds what neither of them shows: a client
    confirmed or let go on by hand, mail that was thought over, a clock that was wrong. Runs under way keep the version of
    their rule unless that says `apply = "running"`; runs of rules that are gone end; new cadences begin where they fit.
    With `in_turns` the rest waits for the next turn after a second. An edit made while the daemon stood still is noticed
    by the version of the set.
    """
    done = workplace.all_decided
    wanted = Stand(workplace.cadence.rules.version, _today(workplace))
    done.behind = False
    if done.stood == wanted:
        return 0
    if done.wanted != wanted:
        done.wanted, done.stood, done.decided_up_to = wanted, _stood(workplace), 0
        if done.stood == wanted:
            return 0
    began, changed = monotonic(), 0
    if not done.decided_up_to:
        _forgive_wrong_clock(workplace)
    while ids := _next_projects(workplace, done.decided_up_to):
        if in_turns and monotonic() - began > _DECIDING_SECONDS:
            done.behind = True
            return changed
        changed += _decide_part(workplace, ids)
        done.decided_up_to = ids[-1]
    _note_stand(workplace, wanted)
    done.stood = wanted
    _log.info("all_decided", version=wanted.version, day=wanted.day, projects=changed)
    return changed


def _forgive_wrong_clock(workplace: Workplace) -> None:
    from assistant.intake.wrong_clock import forgive_wrong_clock

    with workplace.database.alone() as session:
        count = forgive_wrong_clock(session, workplace.clock.now(), workplace.config.intake.cutoff)
    if count:
        _log.warning("clock_was_ahead", records=count)


def _today(workplace: Workplace) -> str:
    return workplace.clock.now().astimezone(ZoneInfo(workplace.config.agency.timezone)).date().isoformat()


def _stood(workplace: Workplace) -> Stand:
    """With what everything was decided last, by this process or another."""
    from assistant.store.settings import get_setting

    with workplace.database.reading() as session:
        kept = get_setting(session, _DECIDED_WITH) or {}
    return Stand(kept.get("version", ""), kept.get("day", ""))


def _note_stand(workplace: Workplace, stand: Stand) -> None:
    from assistant.store.settings import put_setting

    with workplace.database.alone() as session:
        put_setting(session, _DECIDED_WITH, {"version": stand.version, "day": stand.day})


def _next_projects(workplace: Workplace, after: int) -> list[int]:
    from assistant.store.tables import Project

    query = select(Project.id).where(Project.id > after, Project.state != "over").order_by(Project.id)
    with workplace.database.reading() as session:
        return list(session.scalars(query.limit(_PROJECTS_AT_ONCE)))


def _decide_part(workplace: Workplace, ids: list[int]) -> int:
    """Reads some projects together, and begins a transaction that writes for those that something follows for."""
    from assistant.cadence.decide import decide
    from assistant.store.facts import DatabaseFacts

    now = workplace.clock.now()
    with workplace.database.reading() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        projects, runs = facts.projects_by_id(ids), facts.runs_of(ids)
        rulebook, calendars = workplace.cadence.rules_of(session, ids), workplace.cadence.calendars
        changing = [
            project.project_id
            for project in projects
            if decide(project, runs.get(project.project_id, ()), rulebook, calendars, now).effects
        ]
    for project_id in changing:
        with workplace.database.alone() as session:
            workplace.decide_project(session, project_id)
    return len(changing)


def decide_due(workplace: Workplace) -> int:
    """Decides every project in which a step is due or a person changed something; returns how many."""
    from assistant.store.runs import due_projects, looked_again

    with workplace.database.reading() as session:
        projects = list(due_projects(session, workplace.clock.now()))
    for project_id in projects:
        with workplace.database.alone() as session:
            looked_again(session, project_id)
            workplace.decide_project(session, project_id)
    return len(projects)


def decide_by_hand(workplace: Workplace, run_id: int, order: Order, who: str) -> str:
    """A colleague's decision about a run, stored and decided on at once; returns what became of it, in words.

    Raises LookupError when there is no such run.
    """
    from assistant.cadence.by_hand import by_hand
    from assistant.model.cadence import Decision
    from assistant.outbox.effects import EffectContext, store_decision
    from assistant.store.facts import DatabaseFacts
    from assistant.store.runs import run_facts
    from assistant.store.tables import AuditEntry, CadenceRunRow

    now = workplace.clock.now()
    with workplace.database.alone() as session:
        row = session.get(CadenceRunRow, run_id)
        if row is None:
            raise LookupError(f"there is no run {run_id}")
        facts = DatabaseFacts(session, workplace.directory, now)
        project = facts.project(row.project_id)
        assert project is not None, "a run belongs to a project"
        rulebook = workplace.cadence.rules_of(session, (row.project_id,))
        effects, why = by_hand(order, who, project, run_facts(row), rulebook, workplace.cadence.calendars, now)
        if why:
            return why
        store_decision(
            session, Decision(effects), EffectContext(workplace.sender, workplace.cadence.templates, facts, now)
        )
        session.add(AuditEntry(at=now, who=who, event=f"run-{order}", subject=f"run:{run_id}", details={}))
        session.flush()
        workplace.decide_project(session, row.project_id)
        session.refresh(row)
        if row.status == "active":
            return f"step {row.step_index + 1} is due {row.due_at:%Y-%m-%d %H:%M} UTC"
        return f"{row.status}{f': {row.reason}' if row.reason else ''}"


def after_record(workplace: Workplace, session: Session, record: Record, message: Message) -> None:
    """Phase 8 and 9 of one message: its own project is decided anew, and what follows is stored with it."""
    from assistant.outbox.drafts import settle_sent_draft
    from assistant.store.runs import open_run_projects

    if record.direction == "internal":
        _hear_reply(workplace, session, record, message)
    if record.direction == "outbound":
        settle_sent_draft(session, record, message.in_reply_to, workplace.clock.now())
    clients = _withdraw(workplace, session, record, message)
    # An answer, an absence, an opt-out or a complaint concerns everything that is under way with this client;
    # history that may start nothing can still end something.
    projects = {project for client_id in clients for project in open_run_projects(session, client_id)}
    if record.kind != "bounce" and record.project_id is not None and record.may_start:
        projects.add(record.project_id)
    for project_id in sorted(projects):
        workplace.decide_project(session, project_id)


def _withdraw(workplace: Workplace, session: Session, record: Record, message: Message) -> set[int]:
    """Cancels what waits for people who opted out or whose address bounces; returns the clients concerned."""
    from assistant.outbox.withdraw import contact_of_address, withdraw_suppressed

    now = workplace.clock.now()
    clients = {record.client_id} if record.client_id is not None and record.kind != "bounce" else set()
    if record.kind == "bounce":
        for failed in message.bounced:
            contact = contact_of_address(session, failed.addr_spec) if failed.permanent else None
            if contact is not None:
                withdraw_suppressed(session, contact.id, now)
                clients.add(contact.client_id)
    elif record.direction == "inbound" and record.kind == "human" and record.contact_id is not None:
        withdraw_suppressed(session, record.contact_id, now)
    return clients


def _hear_reply(workplace: Workplace, session: Session, record: Record, message: Message) -> None:
    """A colleague's reply to a digest stops mails or lets them go."""
    from assistant.desk.replies import Deciders, hear_reply
    from assistant.outbox.decisions import approve_mail, veto_mail
    from assistant.outbox.staff_mail import queue_staff_mail

    now = workplace.clock.now()
    deciders = Deciders(
        stop=lambda *given: veto_mail(*given).done,
        approve=lambda *given: approve_mail(*given).done,
    )
    heard = hear_reply(session, record, message, workplace.directory, deciders, now)
    if heard is not None and heard.notice is not None:
        queue_staff_mail(session, heard.notice, workplace.sender, now)
