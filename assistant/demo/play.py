"""Plays the sample mailbox: mail is delivered, the clock is moved, and the daemon's own passes do the rest."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from assistant.bootstrap import Options, Workplace
from assistant.clock import FrozenClock
from assistant.config import Agency, Assistant, Config, Daemon, Mailbox, Staff, Store, Submission
from assistant.daemon import Passes
from assistant.demo.scenario import Scenario, ScenarioMessage
from assistant.demo.servers import HOST, SentMail, running
from assistant.privately import write_privately
from assistant.store.tables import AuditEntry, OutboxMessage, Record, StageChange

_PASSWORD_VARIABLE = "ASSISTANT_DEMO_PASSWORD"  # noqa: S105  # the name of a variable, not a secret
_PASSWORD = "demonstration"  # noqa: S105  # of a server that lives in this process on loopback for a minute
_LOOKS = (time(8, 30), time(9, 30), time(10, 0), time(11, 0), time(14, 0), time(16, 0), time(17, 30))
"""Local times at which the assistant looks at what is due even if no mail came."""


@dataclass(slots=True)
class Tally:
    """What has happened so far, for the display."""

    now: datetime
    logged: int = 0
    stages_moved: int = 0
    followups: int = 0
    cancelled: int = 0
    greetings: int = 0
    reminders: int = 0
    summaries: int = 0
    other: int = 0
    events: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Played:
    """Where everything lies after the play."""

    folder: Path
    config: Path
    tally: Tally
    sent: tuple[SentMail, ...]
    summaries: tuple[Path, ...]


def play(scenario: Scenario, folder: Path, show: Callable[[Tally, float], None]) -> Played:
    """Runs the whole scenario; `show` is called after each step with the tally and the share done (0 to 1)."""
    _empty(folder)
    os.environ[_PASSWORD_VARIABLE] = _PASSWORD
    clock = FrozenClock(scenario.start)
    with running(scenario.agency.assistant, _PASSWORD, folder / "sent") as (mailbox, sink):
        config = _config(scenario, mailbox.port, sink.port)
        config_path = _write_config(folder, config)
        workplace = Workplace(config, folder, Options(pace=False), clock)
        stop = threading.Event()
        reader = workplace.mailbox_reader()
        thread = threading.Thread(target=reader.run, args=(stop,), name="mailbox-reader", daemon=True)
        thread.start()
        passes = Passes(workplace, reader, workplace.delivery())
        tally = Tally(scenario.start)
        teller = _Teller(workplace, tally)
        try:
            length = scenario.end - scenario.start
            for moment, messages in _steps(scenario):
                clock.move_to(moment)
                for message in messages:
                    mailbox.deliver(message.raw, message.at)
                passes.whole()
                teller.tell(moment)
                show(tally, min(1.0, (moment - scenario.start) / length))
        finally:
            stop.set()
            thread.join(timeout=5)
            passes.close()
            workplace.database.close()
        sent = tuple(sink.mails)
    return Played(folder, config_path, tally, sent, _write_summaries(folder, sent))


def _steps(scenario: Scenario) -> Iterator[tuple[datetime, tuple[ScenarioMessage, ...]]]:
    """Every moment at which something is done, in order: mail arrives, or it is time to look."""
    zone = ZoneInfo(scenario.agency.timezone)
    moments: dict[datetime, list[ScenarioMessage]] = {}
    for message in scenario.messages:
        moments.setdefault(message.at, []).append(message)
    day = scenario.start.astimezone(zone).date()
    while day <= scenario.end.astimezone(zone).date():
        for look in _LOOKS:
            moment = datetime.combine(day, look, zone)
            if scenario.start <= moment <= scenario.end:
                moments.setdefault(moment, [])
        day += timedelta(days=1)
    for moment in sorted(moments):
        yield moment, tuple(moments[moment])


def _empty(folder: Path) -> None:
    """Only what an earlier demonstration wrote is removed."""
    for name in ("sent", "summaries"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("assistant.db", "assistant.db-wal", "assistant.db-shm", "config.toml"):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def _config(scenario: Scenario, imap_port: int, smtp_port: int) -> Config:
    agency = scenario.agency
    return Config(
        agency=Agency(
            name=agency.name,
            domains=agency.domains,
            language="en" if agency.language == "en" else "zh",
            timezone=agency.timezone,
            country=agency.country,
        ),
        assistant=Assistant(address=agency.assistant),
        store=Store(url="sqlite:///assistant.db"),
        staff=tuple(
            Staff(
                name=person.name,
                address=person.address,
                roles=person.roles,
                language="en" if person.language == "en" else "zh",
            )
            for person in scenario.staff
        ),
        mailbox=(
            Mailbox(
                host=HOST,
                port=imap_port,
                tls="none",
                user=agency.assistant,
                password=f"env:{_PASSWORD_VARIABLE}",
                authserv_id=agency.authserv_id,
            ),
        ),
        submission=Submission(host=HOST, port=smtp_port, tls="none"),
        daemon=Daemon(),
    )


def _write_config(folder: Path, config: Config) -> Path:
    """A configuration with which every listing can be looked at afterwards; its servers are gone by then."""
    staff = "".join(
        f'\n[[staff]]\nname = "{person.name}"\naddress = "{person.address}"\n'
        f"roles = [{', '.join(repr(role).replace(chr(39), chr(34)) for role in person.roles)}]\n"
        f'language = "{person.language}"\n'
        for person in config.staff
    )
    domains = ", ".join(f'"{domain}"' for domain in config.agency.domains)
    text = (
        "# Written by `assistant demo`: for looking at what happened. Its mail servers ended with the demonstration.\n"
        f'[agency]\nname = "{config.agency.name}"\ndomains = [{domains}]\nlanguage = "{config.agency.language}"\n'
        f'timezone = "{config.agency.timezone}"\ncountry = "{config.agency.country}"\n\n'
        f'[assistant]\naddress = "{config.assistant.address}"\n\n[store]\nurl = "sqlite:///assistant.db"\n{staff}'
    )
    path = folder / "config.toml"
    write_privately(path, text)
    return path


def _write_summaries(folder: Path, sent: tuple[SentMail, ...]) -> tuple[Path, ...]:
    """The HTML part of every weekly summary, ready for a browser; mails get names that say what they are."""
    target = folder / "summaries"
    target.mkdir(exist_ok=True)
    written = []
    for mail in sent:
        html = mail.message.get_body(("html",)) if hasattr(mail.message, "get_body") else None
        subject = str(mail.message["Subject"])
        if html is None or not mail.message.get("List-Unsubscribe") or mail.message.get("In-Reply-To"):
            continue
        if mail.recipients[0].rpartition("@")[2] != mail.sender.rpartition("@")[2]:
            continue
        name = "".join(character if character.isalnum() else "-" for character in subject)[:60].strip("-")
        path = target / f"{mail.file.stem}-{name}.html"
        write_privately(path, html.get_content())
        written.append(path)
    return tuple(written)


class _Teller:
    """Turns what the database says into counts and short sentences."""

    def __init__(self, workplace: Workplace, tally: Tally) -> None:
        self._workplace = workplace
        self._tally = tally
        self._zone = ZoneInfo(workplace.config.agency.timezone)
        self._last_audit = 0

    def tell(self, moment: datetime) -> None:
        tally = self._tally
        tally.now = moment
        with self._workplace.database.session() as session:
            tally.logged = session.scalar(select(func.count()).select_from(Record)) or 0
            tally.stages_moved = (
                session.scalar(select(func.count()).select_from(StageChange).where(StageChange.from_stage != "")) or 0
            )
            counts: dict[tuple[str, str], int] = {
                (purpose, state): count
                for purpose, state, count in session.execute(
                    select(OutboxMessage.purpose, OutboxMessage.state, func.count()).group_by(
                        OutboxMessage.purpose, OutboxMessage.state
                    )
                )
            }
            tally.followups = counts.get(("follow-up", "sent"), 0)
            tally.greetings = counts.get(("greeting", "sent"), 0)
            tally.reminders = counts.get(("reminder", "sent"), 0)
            tally.summaries = counts.get(("summary", "sent"), 0)
            tally.other = counts.get(("digest", "sent"), 0) + counts.get(("notice", "sent"), 0)
            tally.cancelled = (
                session.scalar(
                    select(func.count()).select_from(AuditEntry).where(AuditEntry.event == "cadence-stopped")
                )
                or 0
            )
            entries = session.scalars(
                select(AuditEntry).where(AuditEntry.id > self._last_audit).order_by(AuditEntry.id)
            ).all()
            for entry in entries:
                self._last_audit = entry.id
                if sentence := self._sentence(session, entry):
                    tally.events.append(f"{moment.astimezone(self._zone):%m-%d %H:%M}  {sentence}")

    def _sentence(self, session: object, entry: AuditEntry) -> str:
        if entry.event == "mail-sent":
            row = session.get(OutboxMessage, int(entry.subject.partition(":")[2]))  # type: ignore[attr-defined]  # a Session
            return f"sent {row.purpose} to {row.recipients[0]}: {row.subject}" if row else ""
        if entry.event == "cadence-stopped":
            return f"follow-ups of {entry.who.removeprefix('rule ')} stopped: {entry.details.get('reason', '')}"
        if entry.event == "cadence-paused":
            return f"follow-ups of {entry.who.removeprefix('rule ')} wait: {entry.details.get('reason', '')}"
        if entry.event == "suppressed":
            return f"no more automatic mail to {entry.subject}: {entry.details.get('reason', '')}"
        return ""
