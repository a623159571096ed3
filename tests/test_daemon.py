"""From the inbox of a real server to records, and from rules to a real submission server: once, in time, or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assistant.daemon import Daemon, Passes, PassReport
from assistant.model.reading import Reader
from assistant.outbox.decisions import approve_mail
from tests.offices import (
    ASSISTANT,
    CHEN,
    DUE,
    HAN,
    INQUIRY,
    LILEI,
    MONDAY,
    PROPOSAL,
    WANG,
    CommandOutcome,
    Office,
    TaggedReader,
    absence,
    bounce,
    command,
    id_of,
    mail,
    open_office,
    write_config,
)
from tests.servers.dovecot import Mailbox
from tests.servers.postfix import Postfix
from tests.servers.processes import free_port, wait_until
from tests.servers.smtp_sink import Received, SmtpSink

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEFORE_DUE = MONDAY + timedelta(hours=2)


@dataclass
class Agency:
    """One inbox, one submission server, one configuration."""

    config: Path
    inbox: Mailbox
    sink: SmtpSink
    reader: Reader = field(default_factory=TaggedReader)
    _office: Office | None = None

    def run_at(self, now: datetime) -> PassReport:
        """The pass that `assistant run --once --now …` makes, without starting a command for each."""
        if self._office is None:
            self._office = open_office(self.config, self.reader, now)
        self._office.clock.move_to(now)
        workplace = self._office.workplace
        passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
        try:
            return passes.whole()
        finally:
            passes.close()

    def command_at(self, now: datetime) -> CommandOutcome:
        """`assistant run --once --now …` itself."""
        outcome = command(self.config, "run", "--once", "--now", now.isoformat(), reader=lambda *_: self.reader)
        assert outcome.status == 0, outcome.err
        return outcome

    def listing(self, *noun: str) -> list[dict[str, object]]:
        outcome = command(self.config, *noun, "--json")
        assert outcome.status == 0, outcome.err
        return [json.loads(line) for line in outcome.out.splitlines()]

    def to_clients(self) -> list[Received]:
        """What left for anybody outside the agency."""
        return [
            item for item in self.sink.received if not all(to.endswith("@lanhai.example") for to in item.recipients)
        ]

    def to_staff(self) -> list[Received]:
        return [item for item in self.sink.received if all(to.endswith("@lanhai.example") for to in item.recipients)]


@pytest.fixture
def agency(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> Agency:
    config = write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=smtp_sink.port,
        user=mailbox.user,
        password=mailbox.password,
    )
    return Agency(config, mailbox, smtp_sink)


@pytest.fixture
def proposed(agency: Agency) -> Agency:
    """A client has asked, a colleague has answered with a proposal on Monday, and the assistant has read both."""
    agency.inbox.deliver(INQUIRY)
    agency.inbox.deliver(PROPOSAL)
    agency.run_at(BEFORE_DUE)
    assert not agency.sink.received
    return agency


def read(received: Received) -> EmailMessage:
    return message_from_bytes(received.content, policy=default)


@contextmanager
def daemon(config: Path) -> Iterator[subprocess.Popen[str]]:
    """`assistant run` in a process of its own, warm: it watches the mailbox and has loaded its model."""
    program = Path(sys.executable).parent / "assistant"
    with (config.parent / "daemon.log").open("w+") as log:
        process = subprocess.Popen([program, "--config", str(config), "run"], stderr=log, text=True, cwd=config.parent)
        try:
            health = config.parent / "assistant-health.json"

            def watching() -> bool:
                said = (config.parent / "daemon.log").read_text()
                assert process.poll() is None, said
                return health.exists() and "watching" in said

            wait_until(watching, "the daemon is up", 30)
            yield process
        finally:
            process.kill()
            process.wait()


# --- mail in ---------------------------------------------------------------------------------------------------------


def test_mail_becomes_a_record_at_once_and_a_stop_is_clean(agency: Agency) -> None:
    waited = []
    with daemon(agency.config) as process:
        for number in range(3):
            delivered = time.monotonic()
            agency.inbox.deliver(
                mail(f"第{number}封：请发一份报价。", message_id=f"n{number}@mingshan.example", at=None)
            )
            wait_until(lambda: len(agency.listing("records")) > number, "the mail is a record", 10)  # noqa: B023  # called at once
            waited.append(time.monotonic() - delivered)
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        assert process.wait(10) == 0, (agency.config.parent / "daemon.log").read_text()
        assert time.monotonic() - told < 5
    # The quickest of three: another process of a busy test machine may hold up one of them, but not each.
    assert min(waited) < 1.5, waited
    assert json.loads((agency.config.parent / "assistant-health.json").read_text())["state"] == "stopped"
    records = agency.listing("records")
    assert [record["message_id"] for record in records] == [f"n{number}@mingshan.example" for number in range(3)]
    assert {record["direction"] for record in records} == {"inbound"}


def test_reading_leaves_the_mailbox_as_it_was(proposed: Agency) -> None:
    assert len(proposed.inbox.files()) == 2
    assert proposed.inbox.seen() == []


def test_a_daemon_without_its_server_keeps_trying(agency: Agency) -> None:
    """Submission is down: nothing is lost, the mail waits, and the next pass sends it."""
    agency.inbox.deliver(INQUIRY)
    agency.inbox.deliver(PROPOSAL)
    agency.run_at(BEFORE_DUE)
    agency.sink.faults.replies["mail"] = "451 4.3.0 come back later"
    agency.run_at(DUE)
    assert agency.to_clients() == []
    waiting = agency.listing("outbox", "list")
    assert [(row["state"], row["answer_code"]) for row in waiting if row["audience"] == "client"] == [("deferred", 451)]
    agency.sink.faults.replies.clear()
    agency.run_at(DUE + timedelta(minutes=3))
    assert len(agency.to_clients()) == 1


# --- follow-ups out --------------------------------------------------------------------------------------------------


def test_an_unanswered_proposal_is_followed_up_once_and_in_its_thread(proposed: Agency) -> None:
    proposed.run_at(DUE - timedelta(minutes=10))
    assert proposed.to_clients() == []
    proposed.run_at(DUE)
    (left,) = proposed.to_clients()
    sent = read(left)
    assert left.sender == ASSISTANT
    assert left.recipients == (CHEN,)
    assert sent["Subject"] == "Re: 新茶推广方案" or sent["Subject"] == "回复：新茶推广方案"
    assert sent["In-Reply-To"] == "<proposal@lanhai.example>"
    assert str(sent["References"]).split() == ["<ask@mingshan.example>", "<proposal@lanhai.example>"]
    assert sent["Auto-Submitted"] == "auto-generated"
    (originator,) = sent["From"].addresses
    assert originator.addr_spec == ASSISTANT
    assert "李雷" in originator.display_name
    assert [address.addr_spec for address in sent["Reply-To"].addresses] == [LILEI, ASSISTANT]
    assert sent["Date"].datetime == DUE
    text = sent.get_body(("plain",))
    assert text is not None
    assert "陈" in text.get_content()


def test_the_same_pass_twice_sends_nothing_more(proposed: Agency) -> None:
    said = [proposed.command_at(DUE).err for _ in range(2)]
    assert "sent 0" not in said[0]
    assert "sent 0" in said[1]
    proposed.run_at(DUE + timedelta(hours=5))
    assert len(proposed.to_clients()) == 1


def test_what_was_sent_is_a_record_of_the_same_thread(proposed: Agency) -> None:
    proposed.run_at(DUE)
    proposed.run_at(DUE)
    asked, offered, followed = proposed.listing("records")
    assert (followed["direction"], followed["automatic"]) == ("outbound", True)
    assert followed["thread"] == offered["thread"] == asked["thread"]
    assert followed["project_id"] == offered["project_id"]


def test_two_follow_ups_at_most_and_then_a_person_is_asked_to_call(proposed: Agency) -> None:
    for day in range(3, 40):
        proposed.run_at(MONDAY + timedelta(days=day, hours=1))
    sent = [read(item) for item in proposed.to_clients()]
    assert len(sent) == 2
    assert sent[1]["In-Reply-To"] == "<proposal@lanhai.example>"
    assert {sent[0]["Message-ID"], sent[1]["Message-ID"]} == {item["Message-ID"] for item in sent}
    assert any("致电" in str(read(item).get_body(("plain",))) or "致电" in _text(item) for item in proposed.to_staff())


def _text(received: Received) -> str:
    body = read(received).get_body(("plain",))
    return body.get_content() if body is not None else ""


@pytest.mark.parametrize(
    "answer",
    [
        mail(
            "方案我们看了，周五回复您。",
            subject="回复：新茶推广方案",
            at=BEFORE_DUE,
            answers=("proposal@lanhai.example",),
        ),
        mail("我是陈静的同事，方案收到。", subject="新茶推广方案", originator=WANG, at=BEFORE_DUE),
    ],
    ids=["in the same thread", "by a colleague in a thread of its own"],
)
def test_an_answer_before_it_is_due_stops_the_follow_up(proposed: Agency, answer: bytes) -> None:
    proposed.inbox.deliver(answer)
    proposed.run_at(DUE)
    assert proposed.to_clients() == []


def test_an_answer_that_came_at_the_last_moment_stops_it_too(proposed: Agency) -> None:
    """The mail is ordered already; the mailbox is read once more right before it leaves."""
    proposed.run_at(DUE - timedelta(minutes=10))
    proposed.inbox.deliver(mail("收到，谢谢。", at=DUE - timedelta(minutes=1), answers=("proposal@lanhai.example",)))
    proposed.run_at(DUE)
    assert proposed.to_clients() == []


def test_a_colleague_who_writes_again_moves_the_follow_up(proposed: Agency) -> None:
    again = MONDAY + timedelta(days=2)
    proposed.inbox.deliver(
        mail(
            "补充一页预算。#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=again,
            answers=("proposal@lanhai.example",),
        )
    )
    proposed.run_at(DUE)
    assert proposed.to_clients() == []
    proposed.run_at(again + timedelta(days=5, hours=1))
    assert len(proposed.to_clients()) == 1


def test_an_out_of_office_answer_pauses_until_the_return(proposed: Agency) -> None:
    proposed.inbox.deliver(
        absence(CHEN, "您好，我正在休假，3月12日返回办公室。", at=BEFORE_DUE, answers=("proposal@lanhai.example",))
    )
    proposed.run_at(DUE)
    proposed.run_at(datetime(2026, 3, 11, 12, 0, tzinfo=SHANGHAI))
    assert proposed.to_clients() == []
    for day in range(12, 20):
        proposed.run_at(datetime(2026, 3, day, 12, 0, tzinfo=SHANGHAI))
    assert len(proposed.to_clients()) >= 1


def test_an_address_that_bounces_gets_nothing_more(proposed: Agency) -> None:
    proposed.run_at(DUE)
    (left,) = proposed.to_clients()
    own = read(left)["Message-ID"].strip("<>")
    proposed.inbox.deliver(bounce(CHEN, at=DUE + timedelta(minutes=1), original=own))
    for day in range(4, 20):
        proposed.run_at(MONDAY + timedelta(days=day, hours=1))
    assert len(proposed.to_clients()) == 1
    (contact,) = proposed.listing("contacts")
    assert contact["suppressed"] == ["delivery"]


def test_somebody_who_asks_to_be_left_alone_is(proposed: Agency) -> None:
    proposed.inbox.deliver(mail("不用再提醒了", at=BEFORE_DUE, answers=("proposal@lanhai.example",)))
    proposed.inbox.deliver(
        mail(
            "好的。再发一版。#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=BEFORE_DUE,
            answers=("proposal@lanhai.example",),
        )
    )
    for day in range(3, 20):
        proposed.run_at(MONDAY + timedelta(days=day, hours=1))
    assert proposed.to_clients() == []


# --- people decide ---------------------------------------------------------------------------------------------------


@pytest.fixture
def careful(agency: Agency) -> Agency:
    """The same agency with rules of its own: each follow-up on a proposal may be vetoed for four hours."""
    folder = agency.config.parent
    rules = folder / "rules"
    rules.mkdir()
    shipped = Path(__file__).parent.parent / "rules"
    for file in shipped.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        if file.name == "followups.toml":
            text = text.replace(
                'send  = "followups/proposal-nudge-1"', 'send = "followups/proposal-nudge-1"\n  release = "veto 4h"'
            )
        (rules / file.name).write_text(text, encoding="utf-8")
    agency.inbox.deliver(INQUIRY)
    agency.inbox.deliver(PROPOSAL)
    agency.run_at(BEFORE_DUE)
    return agency


def _waiting(agency: Agency) -> int:
    (row,) = [row for row in agency.listing("outbox", "list") if row["audience"] == "client"]
    assert isinstance(row["id"], int)
    return row["id"]


def test_with_a_veto_period_the_owner_is_told_first(careful: Agency) -> None:
    careful.run_at(DUE)
    assert careful.to_clients() == []
    told = [item for item in careful.to_staff() if item.recipients == (LILEI,)]
    assert any("新茶推广方案" in _text(item) for item in told)
    for hours in range(1, 28, 3):
        careful.run_at(DUE + timedelta(hours=hours))
    assert len(careful.to_clients()) == 1


def test_a_veto_stops_the_mail_for_good(careful: Agency) -> None:
    careful.run_at(DUE)
    vetoed = command(careful.config, "outbox", "veto", str(_waiting(careful)))
    assert (vetoed.status, vetoed.out) == (0, "")
    for hours in range(1, 28, 3):
        careful.run_at(DUE + timedelta(hours=hours))
    assert careful.to_clients() == []
    assert command(careful.config, "outbox", "veto", "1").status == 2


def test_a_yes_lets_it_leave_at_the_next_turn(careful: Agency) -> None:
    careful.run_at(DUE)
    with open_office(careful.config).session() as session:
        assert approve_mail(session, _waiting(careful), LILEI, DUE).done
    careful.run_at(DUE + timedelta(minutes=1))
    assert len(careful.to_clients()) == 1


# --- with the shipped model, and a real mail server in front ---------------------------------------------------------


@pytest.fixture(scope="session")
def shipped_reader() -> Reader:
    from assistant.understanding import load_reader

    return load_reader("auto", None)


def test_with_the_shipped_reader_an_english_proposal_is_followed_up(agency: Agency, shipped_reader: Reader) -> None:
    agency.reader = shipped_reader
    asked = mail(
        "Hello, we are a small tea company and would like to know whether you could plan the launch of our spring tea. "
        "Our budget is about 200,000 CNY. Could you tell us how you would go about it?\n\nBest regards,\nMegan Hart",
        subject="Launch of our spring tea",
        originator="megan@hartleaf.example",
        message_id="ask@hartleaf.example",
    )
    proposal = mail(
        "Dear Megan,\n\nplease find attached our proposal for the launch of your spring tea: the concept, the strategy, the "
        "timeline and the estimate. Could you let us know what you think of it?\n\nBest regards,\nLi Lei",
        subject="Re: Launch of our spring tea",
        originator=LILEI,
        to=("megan@hartleaf.example",),
        cc=(ASSISTANT,),
        at=MONDAY + timedelta(hours=1),
        answers=("ask@hartleaf.example",),
    )
    agency.inbox.deliver(asked)
    agency.inbox.deliver(proposal)
    agency.run_at(BEFORE_DUE)
    records = agency.listing("records")
    assert records[1]["waiting_on"] == "client", records[1]
    for day in range(1, 15):
        agency.run_at(MONDAY + timedelta(days=day, hours=2))
    sent = [read(item) for item in agency.to_clients()]
    assert sent
    assert str(sent[0]["Subject"]) == "Re: Launch of our spring tea"
    assert sent[0]["In-Reply-To"] == f"<{id_of(proposal)}>"
    assert len({str(item["Message-ID"]) for item in sent}) == len(sent) <= 2


def test_through_postfix_the_follow_up_comes_back_to_the_inbox_once(
    tmp_path: Path, mailbox: Mailbox, postfix: Postfix
) -> None:
    """The client's address is a mailbox of the same server: what it gets is what left."""
    client = mailbox.server.new_mailbox()
    config = write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=postfix.port,
        user=mailbox.user,
        password=mailbox.password,
    )
    agency = Agency(config, mailbox, SmtpSink(0))
    mailbox.deliver(mail("请报价。#discovery", originator=client.user, message_id="first@agency.example"))
    mailbox.deliver(
        mail(
            "方案请见附件。#proposal",
            originator=LILEI,
            to=(client.user,),
            cc=(ASSISTANT, HAN),
            at=MONDAY + timedelta(hours=1),
            message_id="second@lanhai.example",
            answers=("first@agency.example",),
        )
    )
    agency.run_at(BEFORE_DUE)
    agency.run_at(DUE)
    agency.run_at(DUE)
    wait_until(lambda: bool(client.files()), "the follow-up is delivered")
    time.sleep(0.2)
    (arrived,) = client.files()
    sent = message_from_bytes(arrived.read_bytes(), policy=default)
    assert sent["In-Reply-To"] == "<second@lanhai.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Return-Path"] == f"<{ASSISTANT}>"


def test_a_daemon_started_before_its_servers_waits_for_them(tmp_path: Path) -> None:
    """Nobody listens: it says so in the health file, keeps trying, and still stops at once."""
    config = write_config(tmp_path, imap_port=free_port(), smtp_port=free_port(), user="box", password="x")
    office = open_office(config)
    reader = office.workplace.mailbox_reader()
    passes = Passes(office.workplace, reader, office.workplace.delivery())
    health = tmp_path / "health.json"
    running = Daemon(office.workplace, passes, health)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        wait_until(lambda: bool(office.workplace.sink.states.get("box", ("", ""))[1]), "the reader says what is wrong")
        running.wake()
        wait_until(lambda: health.exists() and "127.0.0.1" in health.read_text(), "the health file says so")
        assert thread.is_alive()
    finally:
        running.stop()
        thread.join(5)
    assert not thread.is_alive()
    assert json.loads(health.read_text())["state"] == "stopped"
