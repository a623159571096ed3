"""Proof of the sender from Authentication-Results: every way of writing a verdict that is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.model.authentication import read_results, verdict
from parsers import parse
from tests.offices import AGENCY, CHEN, LILEI, mail

SERVER = f"mx.{AGENCY}"
BODY = mail(originator=LILEI, to=(CHEN,))
OURS = f"Received: from client.{AGENCY} by {SERVER} with ESMTPS id 1; Mon, 2 Mar 2026 10:00:00 +0800"
INTERNAL = "Received: from localhost by store1 (Dovecot) with LMTP id 2; Mon, 2 Mar 2026 10:00:01 +0800"
FOREIGN = "Received: from x.example by mail.attacker.example with SMTP id 3; Mon, 2 Mar 2026 09:59:00 +0800"
PASS = f"Authentication-Results: {SERVER}; dmarc=pass header.from={AGENCY}"
FAIL = f"Authentication-Results: {SERVER}; dmarc=fail header.from={AGENCY}"


def judged(*fields: str, body: bytes = BODY, own_hosts: tuple[str, ...] = ()) -> str:
    raw = "".join(f"{field}\r\n" for field in fields).encode("utf-8", "surrogateescape") + body
    return verdict(parse(raw), SERVER, own_hosts)


@pytest.mark.parametrize(
    "value",
    [
        f"{SERVER}; dmarc=pass",
        f"{SERVER.upper()}.; DMARC=PASS",
        f"{SERVER} 1; dmarc=pass",
        f"(gateway 3) {SERVER} (x) 1 (y); dmarc (p=reject; sp=none) = pass (ok) header.from=(c){AGENCY}",
        f'"{SERVER}"; dmarc=pass reason="aligned; by dkim"',
        f"{SERVER};\r\n\tspf=pass smtp.mailfrom=a@{AGENCY};\r\n\tdkim=fail (bad (nested) key) header.b=ab=;\r\n dmarc=pass",
        f"{SERVER}; dmarc/1=pass action=none header.from=lilei@{AGENCY}",
        f"{SERVER}; arc=none; dmarc=pass;",
    ],
)
def test_a_pass_is_read_however_it_is_written(value: str) -> None:
    assert judged(f"Authentication-Results: {value}") == "pass"


@pytest.mark.parametrize(
    "value",
    [
        f"mx.attacker.example ({SERVER}); dmarc=pass",
        f"({SERVER}); dmarc=pass",
        f"{SERVER}.attacker.example; dmarc=pass",
        f"attacker.{SERVER}; dmarc=pass",
        f"x{SERVER}; dmarc=pass",
        f"mx.attacker.example; x={SERVER}; dmarc=pass",
        f"{SERVER} 2; dmarc=pass",
        f"{SERVER} 1 dmarc=pass",
        f"{SERVER} dmarc=pass",
        f"{SERVER}; none",
        f"{SERVER}; dmarc=pass (never closed",
        f'{SERVER}; spf=pass reason="never closed; dmarc=pass',
        f'{SERVER}; spf=fail reason="; dmarc=pass"',
        f'{SERVER}; spf=pass smtp.mailfrom="a; dmarc=pass "@attacker.example',
        f"{SERVER}; spf=fail (; dmarc=pass)",
        f"{SERVER}; spf=fail (\\); dmarc=pass)",
        f"{SERVER}; spf=fail x.dmarc=pass",
        f"{SERVER}; x-dmarc=pass",
        f"{SERVER}; dmarc=passed",
        f"{SERVER}; dmarc=none",
        f"{SERVER}; dmarc=temperror",
        f"{SERVER}; dmarc=bestguesspass",
        f"{SERVER}; dmarc/2=pass",
        f"{SERVER}; dmarc=pass header.from=attacker.example",
        f"{SERVER}; dmarc=pass header.from={AGENCY}.attacker.example",
        f"{SERVER}; dmarc=pass; dmarc=none",
        f"=?utf-8?q?{SERVER}?=; dmarc=pass",
        f"{SERVER}\0; dmarc=pass",
        f"mx.\0{AGENCY}; dmarc=pass",
        f"ｍｘ.{AGENCY}; dmarc=pass",
        "; dmarc=pass",
        "",
    ],
)
def test_what_only_looks_like_a_pass_proves_nothing(value: str) -> None:
    assert judged(f"Authentication-Results: {value}") == "none"


@pytest.mark.parametrize(
    "name",
    ["ARC-Authentication-Results", "X-Authentication-Results", "Authentication-Results-Original",
     "Authentication-Results ", "Old-Authentication-Results", "Authentication_Results"],
)  # fmt: skip
def test_other_fields_are_no_results(name: str) -> None:
    arc = "i=1; " if name.startswith("ARC") else ""
    assert judged(f"{name}: {arc}{SERVER}; dmarc=pass") == "none"


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        ((PASS, OURS), "pass"),
        ((INTERNAL, OURS, PASS), "pass"),
        ((INTERNAL, PASS, OURS, FOREIGN), "pass"),
        ((FAIL, OURS, PASS), "fail"),
        ((OURS, FAIL, PASS), "fail"),
        ((f"Authentication-Results: {SERVER}; spf=pass", PASS), "none"),
        ((OURS, FOREIGN, PASS), "none"),
        ((FOREIGN, PASS), "none"),
        (("Authentication-Results: mx.attacker.example; dmarc=pass", FAIL), "fail"),
        (("Authentication-Results: mx.attacker.example; dmarc=fail", PASS), "pass"),
        ((f"Received: from by.{SERVER} by mail.attacker.example; x", PASS), "none"),
        ((f"Received: from by {SERVER} by mail.attacker.example; x", PASS), "none"),
        ((f"Received: from x (by {SERVER}) by mail.attacker.example; x", PASS), "none"),
        ((f"Received: by mail.attacker.example (by {SERVER}); by {SERVER}", PASS), "none"),
        (("Received: from x.example", PASS), "none"),
        (("Received: (qmail 17 invoked by uid 89); 2 Mar 2026 02:00:00 -0000", PASS), "pass"),
        (("Received: by 2002:a05:6602:2d0b:b0:886:d9c6:f7a7 with SMTP id x", PASS), "pass"),
        (("Received: from y by [10.1.2.3] with LMTP", PASS), "pass"),
        (("Received: from y by 93.184.216.34 with SMTP", PASS), "none"),
    ],
)
def test_where_a_verdict_stands_decides_what_it_is_worth(fields: tuple[str, ...], trust: str) -> None:
    assert judged(*fields) == trust


def test_servers_that_hold_our_mailbox_may_stand_above_the_verdict() -> None:
    hop = "Received: from a by mx7.provider.example with LMTP; Mon, 2 Mar 2026 10:00:01 +0800"
    assert judged(hop, PASS) == "none"
    assert judged(hop, PASS, own_hosts=("imap.provider.example",)) == "pass"


def test_a_verdict_below_the_header_is_text() -> None:
    assert judged(body=BODY + PASS.encode()) == "none"
    assert judged(body=b"X: y\r\n\r\n" + PASS.encode() + b"\r\n" + BODY) == "none"


@pytest.mark.parametrize(
    "more",
    ["From: boss@attacker.example", f"From: {CHEN}, {LILEI}"],
    ids=["two fields", "two addresses in one"],
)
def test_with_two_writers_nobody_is_proved(more: str) -> None:
    assert judged(PASS, more) == "none"


def test_without_a_from_there_is_nothing_to_prove() -> None:
    body = BODY.replace(b"From:", b"Sender:", 1)
    assert judged(PASS, body=body) == "none"


@given(st.text(max_size=300))
def test_reading_never_raises(value: str) -> None:
    found = read_results(value)
    assert found is None or found.authserv_id == found.authserv_id.lower()


@given(st.text(alphabet=f';=()"\\ \t/.-{SERVER}dmarcpassfail1 ', max_size=200))
def test_nobody_elses_field_becomes_ours(noise: str) -> None:
    """Whatever follows a foreign name, it stays the foreign server's."""
    found = read_results(f"mx.attacker.example; {noise}")
    assert found is None or found.authserv_id == "mx.attacker.example"
