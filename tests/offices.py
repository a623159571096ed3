"""A small installation in a folder: configuration, database, a clock that stands still, and mail to put into it."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.bootstrap import Options, Workplace
from assistant.cadence.office import CadenceOffice, Place
from assistant.clock import FrozenClock
from assistant.config import Store, load_config
from assistant.intake.keep import keep_batch
from assistant.intake.pipeline import IntakeCounts
from assistant.model.people import Directory
from assistant.model.process import INTENTS, STAGE_LABELS, STAGES
from assistant.model.reading import MailToRead, Reader, Reading, Sign, TextToRead
from assistant.rendering import Templates
from assistant.resources import shipped
from assistant.store import open_database
from assistant.store.migrate import migrate
from assistant.store.tables import Client, OutboxMessage, Record
from tests.databases import store_url

AGENCY = "lanhai.example"
ASSISTANT = "assistant@lanhai.example"
LILEI = "lilei@lanhai.example"
HAN = "han@lanhai.example"
CHEN = "chen@mingshan.example"
WANG = "wang@mingshan.example"
MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
"""Monday, 2 March 2026, 10:00 in Shanghai: an ordinary working week follows."""
NAMES = {LILEI: "李雷", HAN: "韩梅", CHEN: "陈静", WANG: "王强", ASSISTANT: "蓝海助理"}

_numbers = itertools.count(1)


def mail(
    text: str = "收到。",
    *,
    subject: str = "新茶上市",
    originator: str = CHEN,
    to: Sequence[str] = (ASSISTANT,),
    cc: Sequence[str] = (),
    at: datetime | None = MONDAY,
    message_id: str | None = "",
    answers: Sequence[str] = (),
    headers: dict[str, str] | None = None,
) -> bytes:
    """A raw message; `answers` are the References (the last one is In-Reply-To), `message_id` None leaves it out."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(originator)
    message["To"] = [_address(person) for person in to]
    if cc:
        message["Cc"] = [_address(person) for person in cc]
    message["Subject"] = subject
    if at is not None:
        message["Date"] = at
    if message_id is not None:
        domain = originator.partition("@")[2]
        message["Message-ID"] = f"<{message_id or f'{next(_numbers)}@{domain}'}>"
    if answers:
        message["In-Reply-To"] = f"<{answers[-1]}>"
        message["References"] = " ".join(f"<{identifier}>" for identifier in answers)
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def _address(person: str) -> Address:
    """An address alone, or a name with it."""
    name, addr_spec = parseaddr(person)
    return Address(name or NAMES.get(addr_spec, ""), addr_spec=addr_spec)


def id_of(raw: bytes) -> str:
    found = re.search(rb"^Message-ID:\s*<([^>]+)>", raw, re.MULTILINE | re.IGNORECASE)
    assert found, "the message has an id"
    return found[1].decode()


INQUIRY = mail("请发一份方案。#discovery", subject="新茶推广咨询", message_id="ask@mingshan.example")
"""How many a history here begins: a client asks, …"""
PROPOSAL = mail(
    "方案请见附件。#proposal",
    subject="新茶推广方案",
    originator=LILEI,
    to=(CHEN,),
    cc=(ASSISTANT,),
    at=MONDAY + timedelta(hours=1),
    message_id="proposal@lanhai.example",
    answers=("ask@mingshan.example",),
)
"""… and a colleague answers with a proposal, the assistant in Cc."""
DUE = MONDAY + timedelta(days=3, minutes=5)
"""Three business days later, five minutes after the ten o'clock that `proposal-unanswered` waits for."""


def absence(of: str, text: str = "我休假，3月16日回来。", *, at: datetime, answers: Sequence[str] = ()) -> bytes:
    """An out-of-office answer as mail programs send it (RFC 3834)."""
    return mail(
        text,
        subject="自动回复：新茶上市",
        originator=of,
        at=at,
        answers=answers,
        headers={"Auto-Submitted": "auto-replied"},
    )


def bounce(
    failed: str,
    *,
    at: datetime,
    original: str = "",
    subject: str = "x",
    reporter: str = f"MAILER-DAEMON@mx.{AGENCY}",
    trace: str = "",
) -> bytes:
    """A delivery status notification (RFC 3464) that says the address does not exist.

    `original` and `subject` are of the mail that it returns; `trace` are the fields that servers put above it.
    """
    quoted = f"Message-ID: <{original}>\r\nFrom: {ASSISTANT}\r\nTo: {failed}\r\n" if original else ""
    date = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"{trace}From: {reporter}\r\nTo: {ASSISTANT}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Date: {date}\r\nMessage-ID: <bounce{next(_numbers)}@mx.{AGENCY}>\r\nAuto-Submitted: auto-replied\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.lanhai.example\r\n\r\n"
        f"Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{quoted}Subject: {subject}\r\n\r\n--b--\r\n"
    ).encode()


class TaggedReader:
    """Reads what the text says in tags, `#proposal`, `#complaint`; without one the stage of the mail before.

    Whoever wrote last waits for the other side, unless `#nobody` says otherwise; `#broken` breaks it.
    """

    def __init__(self) -> None:
        self.broken = True
        """Whether `#broken` breaks."""

    def prepare(self, texts: Sequence[TextToRead]) -> Sequence[object]:
        return [None for _ in texts]

    def words(self, text: TextToRead, prepared: object | None = None) -> tuple[tuple[str, float], ...]:
        return _shares(next((label for label in STAGE_LABELS if label in self._tags(text.text)), "discovery"))

    def _tags(self, text: str) -> set[str]:
        tags = set(re.findall(r"#(\w+)", text))
        if "broken" in tags and self.broken:
            raise RuntimeError("a text that breaks the reader")
        return tags

    def read(self, mail: MailToRead, prepared: object | None = None) -> Reading:
        tags = self._tags(mail.text)
        before = next((item.stage for item in reversed(mail.history) if item.stage), "discovery")
        stage = next((label for label in STAGE_LABELS if label in tags), before)
        if mail.automatic and mail.direction == "inbound":
            stage = "unrelated"
        waiting = {"outbound": "client", "inbound": "us"}.get(mail.direction, "nobody")
        approval = "proposal" if "approval" in tags else ""
        return Reading(
            stage=stage,
            stage_confidence=0.9,
            stage_evidence=mail.text[:40],
            stage_probabilities=_shares(stage),
            intents=tuple(Sign(intent, 0.9, mail.text[:40]) for intent in INTENTS if intent in tags),
            approval=approval,
            approval_evidence=mail.text[:40] if approval else "",
            waiting_on="nobody" if "nobody" in tags or stage not in STAGES else waiting,
            waiting_evidence=mail.text[:40],
            commitments=(),
            amounts=(),
            summary=mail.text[:60].strip(),
            model="tags",
        )


def _shares(stage: str) -> tuple[tuple[str, float], ...]:
    """This stage at nine tenths, the rest alike."""
    rest = 0.1 / (len(STAGE_LABELS) - 1)
    return tuple(
        sorted(((label, 0.9 if label == stage else rest) for label in STAGE_LABELS), key=lambda pair: -pair[1])
    )


@dataclass(frozen=True)
class Kept:
    """A message as a mailbox yields it."""

    uid: int
    internal_date: datetime
    raw: bytes
    truncated: bool = False
    problem: str = ""
    again: bool = False


@dataclass
class Office:
    """An installation with everything at hand; `hear` takes mail in, `sent` is what left."""

    config_file: Path
    clock: FrozenClock
    workplace: Workplace
    _uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def keep(self, *mails: bytes, folder: str = "INBOX", mailbox: str = "shared") -> None:
        """Keeps mail as the mailbox reader does, received now."""
        now = self.clock.now()
        with self.session() as session:
            batch = [Kept(next(self._uids), now, raw) for raw in mails]
            keep_batch(session, self.workplace.archive, mailbox, folder, 1, batch, now)

    def hear(self, *mails: bytes, folder: str = "INBOX") -> IntakeCounts:
        """Keeps mail and takes it through all phases."""
        self.keep(*mails, folder=folder)
        return self.workplace.interpret()

    def log(self, raw: bytes, *, folder: str = "INBOX") -> Record:
        """One message in, its record out."""
        counts = self.hear(raw, folder=folder)
        assert counts.logged == 1, counts
        with self.session() as session:
            record = session.scalar(select(Record).order_by(Record.id.desc()).limit(1))
            assert record is not None
            return record

    def session(self) -> contextlib.AbstractContextManager[Session]:
        return self.workplace.database.session()

    def records(self) -> list[Record]:
        with self.session() as session:
            return list(session.scalars(select(Record).order_by(Record.sent_at, Record.id)))

    def clients(self) -> list[Client]:
        with self.session() as session:
            return list(session.scalars(select(Client).order_by(Client.id)))

    def outbox(self) -> list[OutboxMessage]:
        """Mail to clients, in the order it was stored."""
        with self.session() as session:
            rows = select(OutboxMessage).where(OutboxMessage.audience == "client").order_by(OutboxMessage.id)
            return list(session.scalars(rows))

    def move(self, **by: float) -> datetime:
        self.clock.advance(timedelta(**by))
        return self.clock.now()


def write_config(
    folder: Path,
    *,
    imap_port: int = 0,
    smtp_port: int = 0,
    user: str = ASSISTANT,
    password: str = "",
    store: str | None = None,
    more: str = "",
) -> Path:
    """An agency of two in Shanghai, on the database of these tests; `more` is added at the end of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    store = store or store_url(folder)
    text = f"""
[agency]
name = "蓝海广告"
domains = ["{AGENCY}"]
[assistant]
address = "{ASSISTANT}"
name = "蓝海助理"
[store]
url = "{store}"
[[staff]]
name = "李雷"
address = "{LILEI}"
roles = ["account"]
[[staff]]
name = "韩梅"
address = "{HAN}"
roles = ["project"]
"""
    if imap_port:
        secret = folder / "password"
        secret.write_text(password, encoding="utf-8")
        secret.chmod(0o600)
        text += f"""
[mailbox]
host = "127.0.0.1"
port = {imap_port}
tls = "none"
user = "{user}"
password = "file:password"
timeout = "5s"
"""
    if smtp_port:
        text += f'[submission]\nhost = "127.0.0.1"\nport = {smtp_port}\ntls = "none"\nmin_interval = 0\n'
    path = folder / "config.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def open_office(config_file: Path, reader: Reader | None = None, now: datetime = MONDAY) -> Office:
    """The installation of `config_file` in this process, its clock standing at `now`."""
    clock = FrozenClock(now)
    workplace = Workplace(load_config(config_file), config_file.parent, Options(pace=False), clock)
    workplace.__dict__["reader"] = reader or TaggedReader()
    if not (config_file.parent / "rules").exists():
        # The shipped rules are the same for every test: they are read and checked once.
        workplace.__dict__["cadence"] = _shipped_rules(workplace.directory)
    database = config_file.parent / "assistant.db"
    if workplace.config.store.url == Store().url and not database.exists():
        database.touch(0o600)
        database.write_bytes(_empty_database())
    return Office(config_file, clock, workplace)


@functools.cache
def _shipped_rules(directory: Directory) -> CadenceOffice:
    templates = Templates(shipped("templates"), shipped("templates"), "zh-Hans")
    office = CadenceOffice(shipped("rules"), lambda: templates, directory, Place("CN", "Asia/Shanghai"))
    assert office.load() == []
    return office


@functools.cache
def _empty_database() -> bytes:
    """A database with all tables, made by the migrations once."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database("sqlite:///empty.db", Path(folder))
        migrate(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        database.close()
        return (Path(folder) / "empty.db").read_bytes()


@dataclass(frozen=True)
class CommandOutcome:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str


def command(config_file: Path | None, *arguments: str, reader: Callable[..., Any] | None = None) -> CommandOutcome:
    """Runs `assistant …` in this process; `reader` takes the place of loading the model, shipped rules are read once."""
    from assistant.cli import main

    out, err, status = io.StringIO(), io.StringIO(), 0
    line = ["assistant", *(("--config", str(config_file)) if config_file else ()), *arguments]
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(sys, "argv", line))
        if reader is not None:
            stack.enter_context(patch("assistant.understanding.load_reader", reader))
            if config_file is not None and not (config_file.parent / "rules").exists():
                shipped_rules = property(lambda workplace: _shipped_rules(workplace.directory))
                stack.enter_context(patch.object(Workplace, "cadence", shipped_rules))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return CommandOutcome(status, out.getvalue(), err.getvalue())
