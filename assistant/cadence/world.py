"""A small world in memory that the rules are run in: for test files, previews and rehearsals.

It keeps what the database keeps, asks the same `decide`, `decide_greetings` and `recheck` as the daemon, and moves its
clock from one due moment to the next. What would leave, and what did not and why, is in `log`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from assistant.cadence.decide import decide
from assistant.cadence.greetings import decide_greetings
from assistant.cadence.guards import recheck, recheck_greeting
from assistant.cadence.happenings import apply_to_client, apply_to_project
from assistant.cadence.load import cadence_from
from assistant.cadence.reminders import decide_reminders
from assistant.cadence.rules import Cadence, Rulebook
from assistant.calendar.business import Calendars
from assistant.model import cadence as facts_of
from assistant.model.cadence import (
    AutomaticMail,
    CadenceRun,
    ClientFacts,
    Decision,
    Effect,
    Happening,
    PlannedMail,
    ProjectFacts,
    Refusal,
    ReminderFacts,
    RunKey,
    SendMail,
    StaffFacts,
    send_key,
)

A_MINUTE: Final = timedelta(minutes=1)
LEAVING: Final = ("now", "veto")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that came of the rules, at the true time. `kind`: send, approval, draft, task, ask, remind, refuse, put-off, stop, pause,
    skip, start, complete. `what` is the template or the words; `reason` why not, for those that did not happen.
    """

    at: datetime
    kind: str
    what: str
    rule: str = ""
    step: int = 0
    reason: str = ""
    client_id: int | None = None
    project_id: int | None = None
    contact_id: int | None = None
    to: str = ""
    key: str = ""
    release: str = ""


@dataclass
class World:
    """Mutable on purpose; everything that goes in and out of it is frozen."""

    rulebook: Rulebook
    calendars: Calendars
    now: datetime
    clients: dict[int, ClientFacts] = field(default_factory=dict)
    projects: dict[int, ProjectFacts] = field(default_factory=dict)
    staff: tuple[StaffFacts, ...] = ()
    runs: dict[RunKey, CadenceRun] = field(default_factory=dict)
    outbox: dict[str, SendMail] = field(default_factory=dict)
    log: list[Outcome] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    reminders: bool = False
    assume_approved: bool = False
    skew: timedelta = timedelta(0)
    """What the machine's clock shows more than the true time."""
    versions: dict[tuple[str, str], Cadence] = field(default_factory=dict)
    looks: dict[int, datetime] = field(default_factory=dict)

    # ── What the rules see ───────────────────────────────────────────────────────────────────────────────────────────

    def client(self, client_id: int) -> ClientFacts:
        """The client with what is planned for each contact and whether any project's complaint is open."""
        client = self.clients[client_id]
        own = [project for project in self.projects.values() if project.client.client_id == client_id]
        planned = self._planned()
        contacts = tuple(replace(contact, planned=planned.get(contact.contact_id, ())) for contact in client.contacts)
        stages = tuple(dict.fromkeys(project.stage for project in own if not project.closed)) or client.stages
        complaint = client.open_complaint or any(project.open_complaint for project in own)
        return replace(client, contacts=contacts, stages=stages, open_complaint=complaint)

    def facts(self, project_id: int) -> ProjectFacts:
        project = self.projects[project_id]
        return replace(project, client=self.client(project.client.client_id), staff=self.staff or project.staff)

    def _planned(self) -> dict[int, tuple[PlannedMail, ...]]:
        found: dict[int, list[PlannedMail]] = {}
        for mail in self.outbox.values():
            item = PlannedMail(mail.not_before, mail.rule, mail.dedupe_key, mail.project_id)
            found.setdefault(mail.contact_id, []).append(item)
        for run in self.runs.values():
            if run.status == "active":
                key = send_key(run.project_id, run.cadence, run.anchor_record_id, run.step_index + 1)
                found.setdefault(run.contact_id, []).append(PlannedMail(run.due_at, run.cadence, key, run.project_id))
        return {contact_id: tuple(items) for contact_id, items in found.items()}

    # ── What happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def happen(self, item: Happening) -> None:
        """Something happened in a project; the rules are not asked yet."""
        project = self.projects.get(item.project_id)
        if project is None:
            return
        self.projects[item.project_id] = apply_to_project(project, item)
        client_id = project.client.client_id
        self.clients[client_id] = apply_to_client(self.clients[client_id], item)

    def edit(self, rulebook: Rulebook) -> None:
        """The rule files were changed while runs are open; the old versions stay known, as in the database."""
        self.rulebook = replace(rulebook, versions={**rulebook.versions, **self.versions})
        self.looks.clear()

    # ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: datetime) -> None:
        """One pass at true time `now`: decide for every project and client, then send what is due."""
        self.now = now
        shown = now + self.skew
        for project_id in sorted(self.projects):
            facts = self.facts(project_id)
            runs = tuple(run for run in self.runs.values() if run.project_id == project_id)
            self._store(decide(facts, runs, self.rulebook, self.calendars, shown), shown)
        for client_id in sorted(self.clients):
            self._greet(client_id, shown)
        if self.reminders:
            known = ReminderFacts(
                tuple(self.facts(one) for one in sorted(self.projects)),
                tuple(self.client(one) for one in sorted(self.clients)),
                self.staff,
            )
            self._store(decide_reminders(known, self.rulebook, self.calendars, shown), shown)
        self._send_due(shown)

    def advance(self, until: datetime) -> None:
        """Tick at every moment up to `until` at which something is due."""
        while True:
            following = self._next_moment()
            if following is None or following > until:
                self.now = max(self.now, until)
                return
            self.tick(max(following, self.now))

    def _next_moment(self) -> datetime | None:
        """Never earlier than a minute from now, so that nothing can turn in circles."""
        moments = [run.due_at for run in self.runs.values() if run.is_open]
        moments += [mail.not_before for mail in self.outbox.values() if self._leaves(mail)]
        moments += self.looks.values()
        if self.reminders:
            moments.append(self.now + self.skew + timedelta(hours=1))
        if not moments:
            return None
        return max(min(moments) - self.skew, self.now + A_MINUTE)

    def _greet(self, client_id: int, now: datetime) -> None:
        look = self.looks.get(client_id)
        if look is not None and look > now and look - now < timedelta(days=370):
            return
        decision = decide_greetings(self.client(client_id), self.rulebook, self.calendars, now, staff=self.staff)
        self._store(decision, now)
        self.looks[client_id] = min(decision.look_again_at or now + timedelta(days=30), now + timedelta(days=30))

    # ── What is stored ───────────────────────────────────────────────────────────────────────────────────────────────

    def _store(self, decision: Decision, now: datetime) -> None:
        for effect in decision.effects:
            self._apply(effect, now)

    def _apply(self, effect: Effect, now: datetime) -> None:
        match effect:
            case facts_of.StartRun(run=run, definition=definition):
                self._start(run, definition, now)
            case facts_of.SendMail():
                self._order(effect, now)
            case facts_of.CreateTask() | facts_of.AskOwner() | facts_of.RemindStaff() | facts_of.SkipStep():
                self._note(effect, now)
            case facts_of.SendSummary():
                pass
            case _:
                self._move(effect, now)

    def _start(self, run: CadenceRun, definition: str, now: datetime) -> None:
        if run.key not in self.runs:
            self.runs[run.key] = run
            cadence = cadence_from(definition)
            if cadence is not None:
                self.versions[(run.cadence, run.version)] = cadence
            self._say(now, "start", run.cadence, rule=run.cadence, project_id=run.project_id)

    def _move(
        self, effect: facts_of.MoveStep | facts_of.PauseRun | facts_of.StopRun | facts_of.CompleteRun, now: datetime
    ) -> None:
        run = self.runs[effect.run]
        match effect:
            case facts_of.MoveStep():
                self.runs[effect.run] = replace(
                    run,
                    status="active",
                    paused_until=None,
                    step_index=effect.step_index,
                    due_at=effect.due_at,
                    version=effect.version,
                    sent_count=effect.sent_count,
                    delayed_business_days=effect.delayed_business_days,
                    reason=effect.reason,
                )
                return
            case facts_of.PauseRun():
                news = (run.status, run.reason) != ("paused", effect.reason)
                self.runs[effect.run] = replace(
                    run,
                    status="paused",
                    reason=effect.reason,
                    paused_until=effect.paused_until,
                    due_at=effect.due_at,
                )
                kind, reason = ("pause" if news else ""), str(effect.reason)
            case facts_of.StopRun():
                self.runs[effect.run] = replace(run, status="stopped", reason=effect.reason)
                kind, reason = "stop", str(effect.reason)
                self._withdraw(effect.run, reason, now)
            case facts_of.CompleteRun():
                self.runs[effect.run] = replace(run, status="completed", reason="")
                kind, reason = "complete", ""
        if kind:
            self._say(now, kind, reason, rule=run.cadence, reason=reason, project_id=run.project_id)

    def _withdraw(self, run: RunKey, reason: str, now: datetime) -> None:
        for key in [key for key, mail in self.outbox.items() if mail.run == run]:
            self._refuse(self.outbox.pop(key), Refusal(reason, ""), now)

    def _order(self, mail: SendMail, now: datetime) -> None:
        if mail.dedupe_key in self.done:
            return
        self.done.add(mail.dedupe_key)
        self.outbox[mail.dedupe_key] = mail
        if mail.release.kind not in LEAVING:
            self._about(mail.release.kind, mail, now, "")

    def _note(
        self, effect: facts_of.CreateTask | facts_of.AskOwner | facts_of.RemindStaff | facts_of.SkipStep, now: datetime
    ) -> None:
        if effect.dedupe_key in self.done:
            return
        self.done.add(effect.dedupe_key)
        match effect:
            case facts_of.CreateTask():
                self._say(now, "task", effect.text, rule=effect.rule, step=effect.step, project_id=effect.project_id, to=effect.assignee, key=effect.dedupe_key)  # fmt: skip
            case facts_of.AskOwner():
                self._say(now, "ask", effect.question, rule=effect.rule, step=effect.step, reason="late", project_id=effect.project_id, to=effect.to, key=effect.dedupe_key)  # fmt: skip
            case facts_of.RemindStaff():
                self._say(effect.not_before, "remind", effect.kind, rule=effect.rule, project_id=effect.project_id, to=effect.to, key=effect.dedupe_key)  # fmt: skip
            case facts_of.SkipStep():
                self._say(now, "skip", effect.reason, rule=effect.rule, step=effect.step, reason=effect.reason, project_id=effect.run.project_id, key=effect.dedupe_key)  # fmt: skip

    # ── What leaves ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _leaves(self, mail: SendMail) -> bool:
        return self.assume_approved or mail.release.kind in LEAVING

    def _send_due(self, now: datetime) -> None:
        for key in sorted(self.outbox, key=lambda key: (self.outbox[key].not_before, key)):
            mail = self.outbox[key]
            if mail.not_before > now or not self._leaves(mail):
                continue
            refusal = self._recheck(mail, now)
            if refusal is None:
                del self.outbox[key]
                self._sent(mail, now)
            elif refusal.retry_at is None:
                del self.outbox[key]
                self._refuse(mail, refusal, now)
            else:
                self.outbox[key] = replace(mail, not_before=max(refusal.retry_at, now + A_MINUTE))
                self._about("put-off", mail, now, refusal.reason)

    def _recheck(self, mail: SendMail, now: datetime) -> Refusal | None:
        if mail.project_id is None:
            return recheck_greeting(mail, self.client(mail.client_id), now, self.rulebook, self.calendars)
        return recheck(mail, self.facts(mail.project_id), now, self.rulebook, self.calendars)

    def _sent(self, mail: SendMail, now: datetime) -> None:
        client = self.clients[mail.client_id]
        left = AutomaticMail(now, mail.rule, mail.project_id, mail.dedupe_key)
        contacts: Iterable[facts_of.ContactFacts] = (
            replace(contact, sent=(*contact.sent, left)) if contact.contact_id == mail.contact_id else contact
            for contact in client.contacts
        )
        self.clients[mail.client_id] = replace(client, contacts=tuple(contacts))
        self._about("send", mail, now, "")

    def _refuse(self, mail: SendMail, refusal: Refusal, now: datetime) -> None:
        self._about("refuse", mail, now, refusal.reason)

    def _about(self, kind: str, mail: SendMail, now: datetime, reason: str) -> None:
        contact = next(
            (one for one in self.clients[mail.client_id].contacts if one.contact_id == mail.contact_id), None
        )
        self.log.append(
            Outcome(
                now - self.skew,
                kind,
                mail.template,
                mail.rule,
                mail.step,
                reason,
                mail.client_id,
                mail.project_id,
                mail.contact_id,
                contact.address if contact is not None else "",
                mail.dedupe_key,
                str(mail.release),
            )
        )

    def _say(
        self,
        at: datetime,
        kind: str,
        what: str,
        *,
        rule: str,
        step: int = 0,
        reason: str = "",
        project_id: int | None = None,
        to: str = "",
        key: str = "",
    ) -> None:
        self.log.append(Outcome(at - self.skew, kind, what, rule, step, reason, project_id=project_id, to=to, key=key))
