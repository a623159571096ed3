"""Who is who and which way a mail goes; what identifies a client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.mail.providers import FREE_MAIL_DOMAINS
from assistant.model.authentication import verdict
from assistant.model.cadence import StaffFacts
from assistant.model.people import Directory, client_key, is_a_person, relate
from parsers import parse
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, WANG, mail

DIRECTORY = Directory(
    domains=("lanhai.example", "lanhai-film.example"),
    staff=(StaffFacts(LILEI, "李雷"), StaffFacts(HAN, "韩梅")),
    assistant=(ASSISTANT, "hello@lanhai.example"),
    staff_aliases=(("lilei.private@freelance.example", LILEI),),
    authserv_id="mx.lanhai.example",
)
INTERN = "intern@film.lanhai.example"
"""Not listed, but of the agency's domain."""
FORWARDED = (
    "请记录。\n\n---------- Forwarded message ---------\nFrom: 陈静 <chen@mingshan.example>\n"
    "Date: Fri, 27 Feb 2026 at 09:15\nSubject: 报价\nTo: 李雷 <lilei@lanhai.example>\n\n请给一份报价。\n"
)


@pytest.mark.parametrize(
    ("raw", "direction", "counterpart"),
    [
        (mail(originator=CHEN, to=(ASSISTANT,)), "inbound", CHEN),
        (mail(originator=CHEN, to=(LILEI,), cc=(ASSISTANT,)), "inbound", CHEN),
        (mail(originator=CHEN, to=("hello@lanhai.example",)), "inbound", CHEN),
        (mail(originator=LILEI, to=(CHEN,), cc=(ASSISTANT,)), "outbound", CHEN),
        (mail(originator=LILEI, to=(CHEN,)), "outbound", CHEN),
        (mail(originator=LILEI, to=(HAN,), cc=(CHEN, ASSISTANT)), "outbound", CHEN),
        (mail(originator=INTERN, to=(CHEN,)), "outbound", CHEN),
        (mail(originator="lilei.private@freelance.example", to=(CHEN,)), "outbound", CHEN),
        (mail(originator=LILEI.upper(), to=(CHEN,)), "outbound", CHEN),
        (mail(originator="x@lanhai-film.example", to=(CHEN,)), "outbound", CHEN),
        (mail(originator=LILEI, to=(HAN,), cc=(ASSISTANT,)), "internal", None),
        (mail(originator=LILEI, to=(ASSISTANT,)), "internal", None),
        (mail(originator=LILEI, to=("all@film.lanhai.example",)), "internal", None),
        (mail(FORWARDED, subject="Fwd: 报价", originator=LILEI, to=(ASSISTANT,)), "inbound", CHEN),
        (mail(originator=ASSISTANT, to=(CHEN,)), "outbound", CHEN),
        (mail(originator=ASSISTANT, to=(LILEI,)), "internal", None),
        (mail(originator="boss@notlanhai.example", to=(ASSISTANT,)), "inbound", "boss@notlanhai.example"),
        (mail(originator="x@lanhai.example.attacker.example", to=(ASSISTANT,)), "inbound", "x@lanhai.example.attacker.example"),
    ],
    ids=[
        "a client writes to the assistant", "a client puts it in Cc", "a client writes to the shared address",
        "staff to a client with the assistant in Cc", "with the assistant in Bcc", "to a colleague with the client in Cc",
        "an unlisted colleague of a subdomain", "from a private alias", "in capitals", "from the second domain",
        "among colleagues", "to the assistant alone", "to a list of the house", "a client's mail forwarded",
        "the assistant to a client", "the assistant to staff", "a domain that ends alike", "a domain that begins alike",
    ],
)  # fmt: skip
def test_directions(raw: bytes, direction: str, counterpart: str | None) -> None:
    relation = relate(parse(raw), DIRECTORY)
    assert relation.direction == direction
    assert (relation.counterpart.addr_spec if relation.counterpart else None) == counterpart


def test_other_people_outside_are_named_once_each() -> None:
    relation = relate(parse(mail(originator=CHEN, to=(ASSISTANT, WANG), cc=(WANG.upper(), LILEI, CHEN))), DIRECTORY)
    assert [person.addr_spec.lower() for person in relation.others] == [WANG]


def test_a_mail_from_nobody_is_inbound_from_nobody() -> None:
    relation = relate(parse(b"Subject: x\r\n\r\nhello"), DIRECTORY)
    assert (relation.direction, relation.writer, relation.counterpart) == ("inbound", None, None)


@pytest.mark.parametrize(
    ("results", "trust"),
    [
        (["mx.lanhai.example; dmarc=pass header.from=lanhai.example"], "pass"),
        (["mx.lanhai.example 1; spf=pass; dmarc=pass"], "pass"),
        (["mx.lanhai.example; dmarc=fail"], "fail"),
        (["mx.lanhai.example; spf=pass; dkim=pass"], "none"),
        (["mx.lanhai.example; dmarc=temperror"], "none"),
        (["mx.attacker.example; dmarc=pass"], "none"),
        (["mx.lanhai.example.attacker.example; dmarc=pass"], "none"),
        (["mx.attacker.example; dmarc=pass", "mx.lanhai.example; dmarc=fail"], "fail"),
        (["mx.lanhai.example; dmarc=fail", "mx.lanhai.example; dmarc=pass"], "fail"),
        ([], "none"),
    ],
)
def test_only_the_verdict_of_our_own_server_counts_and_of_several_the_topmost(results: list[str], trust: str) -> None:
    raw = b"".join(f"Authentication-Results: {result}\r\n".encode() for result in results)
    message = parse(raw + mail(originator=LILEI, to=(CHEN,)))
    assert verdict(message, "mx.lanhai.example") == trust
    assert verdict(message, "") == "none", "without a configured server nothing is believed"


def test_a_failed_verdict_on_our_address_is_a_spoof() -> None:
    headers = {"Authentication-Results": "mx.lanhai.example; dmarc=fail"}
    relation = relate(parse(mail(originator=LILEI, to=(CHEN,), headers=headers)), DIRECTORY)
    assert (relation.direction, relation.counterpart, relation.spoofed) == ("inbound", None, True)
    stranger = relate(parse(mail(originator=CHEN, headers=headers)), DIRECTORY)
    assert (stranger.direction, stranger.spoofed, stranger.trust) == ("inbound", False, "fail")


def test_without_staff_listed_the_domain_is_enough() -> None:
    relation = relate(parse(mail(originator=HAN, to=(CHEN,))), replace(DIRECTORY, staff=()))
    assert relation.direction == "outbound"


# --- clients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("chen@mingshan.com", "mingshan.com"),
        ("chen@mail.mingshan.com.cn", "mingshan.com.cn"),
        ("chen@mingshan.com.cn", "mingshan.com.cn"),
        ("chen@shop.mingshan.co.uk", "mingshan.co.uk"),
        ("Chen@MingShan.Com", "mingshan.com"),
        ("someone@qq.com", "someone@qq.com"),
        ("Some.One@Gmail.com", "some.one@gmail.com"),
        ("someone@vip.163.com", "someone@vip.163.com"),
        ("chen@mingshan.example", "mingshan.example"),
        ("chen@com.cn", "com.cn"),
    ],
)
def test_a_client_is_a_registered_domain_or_a_person_of_a_free_mail_provider(address: str, key: str) -> None:
    assert client_key(address, FREE_MAIL_DOMAINS) == key


@pytest.mark.parametrize(
    ("address", "person"),
    [
        ("chen@mingshan.example", True),
        ("newsome@mingshan.example", True),
        ("abuseva@mingshan.example", True),
        ("bouncer.bob@mingshan.example", True),
        ("no-reply@mingshan.example", False),
        ("noreply+invoice@mingshan.example", False),
        ("do_not_reply@mingshan.example", False),
        ("MAILER-DAEMON@mingshan.example", False),
        ("notifications@mingshan.example", False),
        ("bounces+123@mingshan.example", False),
        ("newsletter@mingshan.example", False),
    ],
)
def test_behind_some_addresses_there_is_nobody(address: str, person: bool) -> None:
    assert is_a_person(address) is person
