"""Proof by DKIM: verified against a real DNS server, refused in every case of doubt, and never waited for long."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from assistant.errors import AssistantError
from assistant.mail import signatures
from assistant.mail.signatures import DnsKeys, SignatureProof
from parsers import parse
from tests.offices import AGENCY, ASSISTANT, CHEN, HAN, LILEI, MONDAY, mail, open_office, write_config
from tests.servers.dns_server import DnsServer, running_dns

SELECTOR = "s1"
KEY_NAME = f"{SELECTOR}._domainkey.{AGENCY}"
SIGNED = [b"From", b"To", b"Subject", b"Date", b"Message-ID"]


@cache
def key_pair() -> tuple[bytes, str]:
    """(private key as PEM, text of its TXT record)"""
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(raw: bytes, *, domain: str = AGENCY, length: bool = False) -> bytes:
    made = dkim.sign(
        raw,
        SELECTOR.encode(),
        domain.encode(),
        key_pair()[0],
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=SIGNED,
        length=length,
    )
    assert isinstance(made, bytes)
    return made + raw


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with running_dns() as server:
        server.texts[KEY_NAME] = key_pair()[1]
        yield server


@pytest.fixture
def proof(dns: DnsServer) -> SignatureProof:
    return SignatureProof(DnsKeys(dns.resolver()))


def judged(proof: SignatureProof, raw: bytes) -> str:
    return proof(raw, parse(raw))


ORDER = mail("停止 17", originator=LILEI, to=(ASSISTANT,))


def test_a_signature_of_the_writers_domain_is_proof(proof: SignatureProof) -> None:
    assert judged(proof, signed(ORDER)) == "pass"
    assert judged(proof, b"Received: from a by b; x\r\n" + signed(ORDER)) == "pass"


def test_a_signature_of_a_domain_beside_the_writers_is_aligned(dns: DnsServer, proof: SignatureProof) -> None:
    dns.texts[f"{SELECTOR}._domainkey.mail.{AGENCY}"] = key_pair()[1]
    assert judged(proof, signed(ORDER, domain=f"mail.{AGENCY}")) == "pass"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda raw: raw.replace("停止".encode(), "同意".encode()) if "停止".encode() in raw else raw[:-4] + b"QQ\r\n",
        lambda raw: re.sub(rb"(?m)^Subject:[^\r]*", b"Subject: other", raw),
        lambda raw: raw + b"one line more\r\n",
        lambda raw: b"From: Boss <boss@attacker.example>\r\n" + raw,
        lambda raw: b"Subject: another\r\n" + raw,
        lambda raw: b"Content-Type: text/html\r\n" + raw,
        lambda raw: re.sub(rb"(?m)^DKIM-Signature: v=1", b"DKIM-Signature: v=2", raw),
        lambda raw: raw.replace(b" b=", b" b=BBBB", 1),
        lambda raw: raw.replace(b"a=rsa-sha256", b"a=rsa-sha1", 1),
        lambda raw: raw.replace(f"d={AGENCY}".encode(), b"d=example", 1),
        lambda raw: raw.replace(b"v=1;", b"v=1; x=1000000000;", 1),
        lambda raw: re.sub(rb"DKIM-Signature:", b"X-DKIM-Signature:", raw),
        lambda raw: raw.replace(b"\r\n\r\n", b"\r\n\r\n" + b" \t" * 500_000, 1),
        lambda raw: b"X-Long: " + b"a\r\n b" * 100_000 + b"\r\n" + raw,
    ],
    ids=["text", "subject", "a line more", "second From", "second Subject", "second type", "version", "signature", "sha1",
         "public suffix", "expired", "other field", "blanks", "long header"],
)  # fmt: skip
def test_what_was_changed_proves_nothing_and_takes_no_time(proof: SignatureProof, tamper: object) -> None:
    changed = tamper(signed(ORDER))  # type: ignore[operator]  # one of the functions above
    began = time.process_time()
    assert judged(proof, changed) == "none"
    assert time.process_time() - began < 2.0


def test_a_signature_over_a_part_of_the_body_or_without_from_is_refused(proof: SignatureProof) -> None:
    assert judged(proof, signed(ORDER, length=True)) == "none"
    whole = signed(ORDER)
    assert judged(proof, re.sub(rb"h=from : ", b"h=", whole, flags=re.IGNORECASE)) == "none"


def test_somebody_elses_signature_proves_nothing_about_our_writer(dns: DnsServer, proof: SignatureProof) -> None:
    for domain in ("attacker.example", f"{AGENCY}.attacker.example", f"not{AGENCY}", "example"):
        dns.texts[f"{SELECTOR}._domainkey.{domain}"] = key_pair()[1]
        assert judged(proof, signed(ORDER, domain=domain)) == "none"


def test_beside_a_foreign_signature_the_own_one_is_found(dns: DnsServer, proof: SignatureProof) -> None:
    dns.texts[f"{SELECTOR}._domainkey.list.example"] = key_pair()[1]
    assert judged(proof, signed(signed(ORDER), domain="list.example")) == "pass"


@pytest.mark.parametrize(
    "record",
    ["", "v=DKIM1; p=", "v=DKIM1; k=rsa; p=rubbish", "v=DKIM9; p=AAAA", "no record at all", "v=DKIM1; k=x; p=AAAA"],
)
def test_a_key_that_is_none_proves_nothing(dns: DnsServer, proof: SignatureProof, record: str) -> None:
    dns.texts[KEY_NAME] = record
    assert judged(proof, signed(ORDER)) == "none"


def test_a_withdrawn_or_tested_key_proves_nothing(dns: DnsServer) -> None:
    raw = signed(ORDER)
    del dns.texts[KEY_NAME]
    assert judged(SignatureProof(DnsKeys(dns.resolver())), raw) == "none"
    dns.texts[KEY_NAME] = key_pair()[1] + "; t=y"
    assert judged(SignatureProof(DnsKeys(dns.resolver())), raw) == "none"


def test_a_key_is_asked_for_once(dns: DnsServer, proof: SignatureProof) -> None:
    for _ in range(5):
        assert judged(proof, signed(ORDER)) == "pass"
    assert dns.asked == [KEY_NAME]


def test_a_dns_server_that_is_silent_is_waited_for_once(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "LOOKUP_SECONDS", 0.3)
    dns.silent = True
    proof = SignatureProof(DnsKeys(dns.resolver()))
    began = time.monotonic()
    assert [judged(proof, signed(ORDER)) for _ in range(5)] == ["none"] * 5
    assert time.monotonic() - began < 2.0


def test_without_the_libraries_the_way_to_get_them_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dkim", None)
    with pytest.raises(AssistantError, match=r"cc-assistant\[dkim\]"):
        SignatureProof()


MAILBOX = '[mailbox]\nhost = "127.0.0.1"\nport = 143\ntls = "none"\nuser = "box"\nverify_dkim = true\n'


def test_the_record_of_a_signed_colleague_is_proved_and_of_others_not(tmp_path: Path, dns: DnsServer) -> None:
    office = open_office(write_config(tmp_path, more=MAILBOX), now=MONDAY + timedelta(hours=1))
    office.workplace.__dict__["signature_proof"] = SignatureProof(DnsKeys(dns.resolver()))
    assert office.log(signed(mail("方案附上。", originator=LILEI, to=(CHEN,)))).trust == "pass"
    unsigned = office.log(mail("方案再附上。", originator=HAN, to=(CHEN,)))
    assert (unsigned.trust, unsigned.direction) == ("none", "outbound")
    asked = len(dns.asked)
    assert office.log(mail("好的。", originator=CHEN)).trust == "none"
    office.move(days=60)
    old = office.log(signed(mail("旧方案。", originator=LILEI, to=(CHEN,), at=MONDAY)))
    assert len(dns.asked) == asked, "clients are not asked about"
    assert old.direction == "outbound"


def test_a_verdict_of_fail_is_not_outweighed_by_a_signature(tmp_path: Path, dns: DnsServer) -> None:
    more = MAILBOX + f'authserv_id = "mx.{AGENCY}"\n'
    office = open_office(write_config(tmp_path, more=more), now=MONDAY + timedelta(hours=1))
    office.workplace.__dict__["signature_proof"] = SignatureProof(DnsKeys(dns.resolver()))
    failed = f"Authentication-Results: mx.{AGENCY}; dmarc=fail\r\n".encode()
    record = office.log(failed + signed(mail("方案附上。", originator=LILEI, to=(CHEN,))))
    assert (record.trust, record.direction) == ("fail", "inbound")
