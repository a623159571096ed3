"""Composed mail: the headers that threads, people and machines need, and nothing that a name or subject could add."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.outbox.compose import Letter, Person, compose, mint_message_id
from parsers import parse

LETTER = Letter(
    originator=Person("李雷（蓝海广告）", "assistant@lanhai.example"),
    to=(Person("陈静", "chen@mingshan.example"),),
    subject="Re: 新茶上市方案",
    text="陈静您好：\n\n方案您看过了吗？\n",
    date=datetime(2026, 3, 5, 2, 0, tzinfo=UTC),
    timezone="Asia/Shanghai",
    message_id="1.cca@lanhai.example",
    reply_to=(Person("李雷", "lilei@lanhai.example"), Person("蓝海助理", "assistant@lanhai.example")),
    in_reply_to="b@lanhai.example",
    references=("a@mingshan.example",),
)
HEADERS = [
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
]  # fmt: skip


def header(raw: bytes, name: str) -> str:
    """The field as it stands on the wire, unfolded."""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ").replace("\r\n\t", " ")
    return next(line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith(name.lower() + ":"))


def test_a_letter_reads_back_as_it_was_meant() -> None:
    message = parse(compose(LETTER))
    assert message.originator is not None
    assert (message.originator.name, message.originator.addr_spec) == ("李雷（蓝海广告）", "assistant@lanhai.example")
    assert [person.addr_spec for person in message.reply_to] == ["lilei@lanhai.example", "assistant@lanhai.example"]
    assert message.subject == LETTER.subject
    assert message.text.strip() == LETTER.text.strip()
    assert message.date == LETTER.date
    assert message.references == ("a@mingshan.example", "b@lanhai.example")
    assert message.in_reply_to == "b@lanhai.example"


def test_the_date_is_told_in_the_agencys_zone() -> None:
    assert header(compose(LETTER), "Date") == "Thu, 05 Mar 2026 10:00:00 +0800"


def test_html_comes_with_the_text_and_after_it() -> None:
    message = message_from_bytes(compose(replace(LETTER, html="<p>您好</p>")), policy=default)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("length", [60, 77, 90, 200, 400])
def test_long_message_ids_keep_their_form(length: int) -> None:
    """Exchange's ids are longer than a line should be; encoded, they would belong to no thread (RFC 5322 §3.6.4)."""
    long = "SEYPR03MB" + "A" * (length - 40) + "@SEYPR03MB1.apcprd03.prod.outlook.example"
    raw = compose(replace(LETTER, in_reply_to=long, references=("a@mingshan.example", long + "x")))
    assert header(raw, "In-Reply-To").strip() == f"<{long}>"
    assert header(raw, "References").split() == ["<a@mingshan.example>", f"<{long}x>", f"<{long}>"]
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


def test_a_long_conversation_keeps_its_beginning_and_its_end() -> None:
    ids = tuple(f"{number}@mingshan.example" for number in range(300))
    kept = parse(compose(replace(LETTER, references=ids))).references
    assert len(kept) == 60
    assert (kept[0], kept[-2], kept[-1]) == ("0@mingshan.example", "299@mingshan.example", "b@lanhai.example")


def test_broken_ids_are_left_out() -> None:
    raw = compose(replace(LETTER, in_reply_to="no id", references=("a b@c", "<x@y>", "good@mingshan.example")))
    assert b"In-Reply-To" not in raw
    assert header(raw, "References") == "<good@mingshan.example>"


def test_minted_ids_are_on_our_domain_and_unique() -> None:
    minted = {mint_message_id("lanhai.example") for _ in range(1000)}
    assert len(minted) == 1000
    assert all(identifier.endswith("@lanhai.example") for identifier in minted)


def test_an_id_is_the_same_for_the_same_mail_and_nobody_without_the_secret_knows_it() -> None:
    mail = ("greeting", "spring-festival", 1, "2026-02-17", None, "chen@mingshan.example")
    minted = mint_message_id("lanhai.example", "of one installation", *mail)
    assert minted == mint_message_id("lanhai.example", "of one installation", *mail)
    assert minted != mint_message_id("lanhai.example", "of another", *mail)


ANY_TEXT = st.text(max_size=120) | st.sampled_from(
    [
        "x\r\nBcc: all@victim.example",
        "x\n\nbody",
        "a\x00b",
        "=?utf-8?q?=0D=0ABcc:_x?=",
        '"; <x@y>',
        "\u2028Bcc: x",
        "\ud800",
        "a\x85b",
        "é" * 300,
    ]
)


@given(name=ANY_TEXT, subject=ANY_TEXT, text=ANY_TEXT, identifier=ANY_TEXT)
def test_nothing_in_a_name_subject_or_id_becomes_a_header(name: str, subject: str, text: str, identifier: str) -> None:
    raw = compose(
        replace(
            LETTER,
            originator=Person(name, "assistant@lanhai.example"),
            to=(Person(name, "chen@mingshan.example"),),
            subject=subject,
            text=text,
            in_reply_to=identifier or None,
            references=(identifier, "a@mingshan.example"),
        )
    )
    message = message_from_bytes(raw, policy=default)
    assert {key.lower() for key in message} <= {key.lower() for key in HEADERS}
    assert len(message.keys()) == len(set(message.keys()))
    assert [address.addr_spec for address in message["To"].addresses] == ["chen@mingshan.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["assistant@lanhai.example"]
    assert message.get_content_type() == "text/plain"
    assert b"\n" not in raw.replace(b"\r\n", b"")
