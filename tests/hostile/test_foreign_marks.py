"""One client's data never reaches another: every mail carries its client's mark everywhere, and no mail of ours a foreign one."""

from __future__ import annotations

import email
import email.policy
import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.header import Header, decode_header, make_header
from email.message import EmailMessage, Message
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.bootstrap import Workplace
from assistant.demo.play import play
from assistant.demo.scenario import Scenario, ScenarioMessage, load_scenario
from assistant.store.tables import Contact, OutboxMessage
from tests.offices import ASSISTANT, HAN, LILEI, MONDAY, Office, open_office, write_config


def mark_of(number: int) -> str:
    return f"zqx{number:03d}mark"


ANY_MARK = re.compile(r"zqx\d{3}mark")


def everything_said(raw: bytes) -> str:
    """All that a mail of ours says: headers decoded, every text part decoded, and its bare bytes."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    said = [raw.decode("latin-1")]
    for name, value in message.items():
        said.append(f"{name}: {make_header(decode_header(re.sub(chr(13) + '?' + chr(10), '', str(value))))}")
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            said.append(payload.decode("utf-8", "replace"))
        said.append(str(part.get_filename()))
    return "\n".join(said).lower()


def foreign_marks(session: Session, own: dict[str, str]) -> Iterator[str]:
    """Sentences about mails that carry a mark which is not their client's. `own`: address → mark."""
    contacts: dict[int, set[str]] = defaultdict(set)
    for contact in session.scalars(select(Contact)):
        if contact.addr_spec in own:
            contacts[contact.client_id].add(own[contact.addr_spec])
    for row in session.scalars(select(OutboxMessage)):
        allowed = {own[address] for address in row.recipients if address in own}
        if row.audience == "staff":
            if row.client_id is None:
                continue  # what a colleague is told of several clients
            allowed = contacts[row.client_id]
        for mark in set(ANY_MARK.findall(everything_said(row.raw))) - allowed:
            yield f"{row.purpose} {row.template} to {row.recipients} carries {mark}"


# --- the sample mailbox -----------------------------------------------------------------------------------------------


def _marked(raw: bytes, mark: str) -> bytes:
    """The mail with a mark in its subject, its writer's name, each of its texts, and the names of its attachments."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    subject = str(make_header(decode_header(str(message["Subject"] or ""))))
    if "Subject" in message:
        message.replace_header("Subject", Header(f"{subject} {mark}", "utf-8").encode())
    for part in message.walk():
        if part.get_filename():
            _rename(part, mark)
        elif part.get_content_maintype() == "text" and not part.is_multipart():
            _write(part, mark)
    return message.as_bytes()


def _rename(part: Message, mark: str) -> None:
    disposition = part.get_content_disposition() or "attachment"
    del part["Content-Disposition"]
    part["Content-Disposition"] = f'{disposition}; filename="{mark}.pdf"'


def _write(part: Message, mark: str) -> None:
    charset = part.get_content_charset("utf-8")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    text = payload.decode(charset, "replace")
    if part.get_content_subtype() == "html":
        body = re.search(r"<body[^>]*>", text, re.IGNORECASE)
        place = body.end() if body else 0
        text = f"{text[:place]}{mark} {text[place:]}"
    else:
        text = f"{mark} {text}"
    del part["Content-Transfer-Encoding"]
    part.set_payload(text, "utf-8")


def _with_marks(scenario: Scenario) -> tuple[Scenario, dict[str, str]]:
    clients = sorted({message.client for message in scenario.messages if message.client})
    marks = {client: mark_of(number) for number, client in enumerate(clients)}
    staff = {person.address for person in scenario.staff} | {scenario.agency.assistant}
    own: dict[str, str] = {}
    messages: list[ScenarioMessage] = []
    for message in scenario.messages:
        if not message.client:
            messages.append(message)
            continue
        mark = marks[message.client]
        messages.append(replace(message, raw=_marked(message.raw, mark)))
        header = email.message_from_bytes(message.raw.partition(b"\n\n")[0])
        people = email.utils.getaddresses([str(header[name] or "") for name in ("From", "To", "Cc")])
        own.update({address.lower(): mark for _, address in people if address and address.lower() not in staff})
    return replace(scenario, messages=tuple(messages)), own


@pytest.mark.timeout(300)
def test_no_mail_of_the_sample_mailbox_reaches_another_client(tmp_path: Path) -> None:
    scenario, own = _with_marks(load_scenario(quick=True))
    assert len(set(own.values())) > 1
    played = play(scenario, tmp_path, lambda _tally, _share: None)
    workplace = Workplace.open(played.config)
    with workplace.database.session() as session:
        rows = session.scalars(select(OutboxMessage)).all()
        assert len({row.client_id for row in rows if row.audience == "client"}) > 1
        assert any(ANY_MARK.search(everything_said(row.raw)) for row in rows), "marks do get into mail"
        assert list(foreign_marks(session, own)) == []
    workplace.database.close()


# --- random histories -------------------------------------------------------------------------------------------------

SUBJECTS = ("报价", "方案", "Contract", "Re: 合同", "Weekly report", "")
"""Clients share subjects: the same words at two clients must not join them."""
TAGS = ("#discovery", "#proposal", "#agreement", "#execution", "#closing", "#complaint", "#question", "#approval")


def _letter(
    originator: str, to: list[str], subject: str, text: str, at: object, name: str, answers: list[str]
) -> bytes:
    message = EmailMessage()
    message["From"] = email.headerregistry.Address(name, addr_spec=originator)
    message["To"], message["Cc"], message["Subject"], message["Date"] = ", ".join(to), ASSISTANT, subject, at
    message["Message-ID"] = f"<{next(_numbers)}.{random.randrange(10**9)}@{originator.partition('@')[2]}>"
    if answers:
        message["In-Reply-To"], message["References"] = answers[-1], " ".join(answers)
    message.set_content(text)
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename=f"{name}.pdf")
    return message.as_bytes()


_numbers = itertools.count(1)


def _live(office: Office, seed: int) -> dict[str, str]:
    """Some weeks of several clients with the same subjects, forwards, answers, and thanks to the wrong people."""
    chance = random.Random(seed)
    own: dict[str, str] = {}
    clients = []
    for number in range(4):
        domain = "qq.com" if number == 3 else f"{chance.choice(['tea', 'boat', 'lamp'])}house{number}.example"
        people = [f"{word}{number}@{domain}" for word in (("chen",) if number == 3 else ("chen", "wang"))]
        clients.append((mark_of(number), people))
        own.update(dict.fromkeys(people, mark_of(number)))
    threads: dict[str, list[str]] = defaultdict(list)
    for _ in range(25):
        office.move(hours=chance.choice([1, 5, 20, 30, 80]))
        mark, people = chance.choice(clients)
        inbound = chance.random() < 0.5
        writer = chance.choice(people) if inbound else chance.choice([LILEI, HAN])
        to = [chance.choice([LILEI, HAN]) if inbound else chance.choice(people)]
        text = f"{mark} {chance.choice(TAGS)} 请看 {mark}。"
        known = threads[mark]
        answers = known[-3:] if known and chance.random() < 0.6 else []
        subject = f"{chance.choice(SUBJECTS)} {mark if chance.random() < 0.8 else ''}".strip()
        raw = _letter(writer, to, subject, text, office.clock.now(), mark if inbound else "李雷", answers)
        known.append(str(email.message_from_bytes(raw)["Message-ID"]))
        office.hear(raw)
        office.workplace.decide_due()
        office.workplace.plan()
    for _ in range(12):
        office.move(days=1)
        office.workplace.decide_due()
        office.workplace.plan()
    return own


@pytest.mark.parametrize("seed", [0, 2])
def test_no_random_history_carries_a_mark_to_another_client(tmp_path: Path, seed: int) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    own = _live(office, seed)
    with office.session() as session:
        assert any(ANY_MARK.search(everything_said(row.raw)) for row in session.scalars(select(OutboxMessage)))
        assert list(foreign_marks(session, own)) == []


def test_a_foreign_mark_would_be_found(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    own = _live(office, 1)
    addresses = sorted(own)
    swapped = dict(zip(addresses, [own[address] for address in reversed(addresses)], strict=True))
    with office.session() as session:
        assert list(foreign_marks(session, swapped)) != []
