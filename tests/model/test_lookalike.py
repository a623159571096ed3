"""Domains that are made to be taken for others are seen; names that merely resemble are left in peace."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.model.lookalike import KnownDomains, addresses_in, same_name, skeleton

KNOWN = KnownDomains()
KNOWN.add(
    [
        "mingshan.com",
        "lanhai-film.example",
        "harbour-lane.co.uk",
        "nova.example",
        "client7.example",
        "modern-art.example",
    ]
)


@pytest.mark.parametrize(
    ("domain", "known", "likeness"),
    [
        ("mingshаn.com", "mingshan.com", "letters"),  # Cyrillic а
        ("xn--mingshn-7fg.com", "mingshan.com", "letters"),
        ("mingshan.соm".replace("соm", "com"), None, None),
        ("ｍingshan.com", "mingshan.com", "letters"),
        ("míngshan.com", "mingshan.com", "letters"),
        ("n0va.example", "nova.example", "letters"),
        ("modem-art.example", "modern-art.example", "letters"),
        ("mail.mingshаn.com", "mingshan.com", "letters"),
        ("mingshann.com", "mingshan.com", "spelling"),
        ("mingshn.com", "mingshan.com", "spelling"),
        ("mignshan.com", "mingshan.com", "spelling"),
        ("mingshen.com", "mingshan.com", "spelling"),
        ("ming-shan.com", "mingshan.com", "spelling"),
        ("lanhaifilm.example", "lanhai-film.example", "spelling"),
        ("harbourlane.co.uk", "harbour-lane.co.uk", "spelling"),
        ("mingshan.cn", "mingshan.com", "ending"),
        ("mingshan.com.cn", "mingshan.com", "ending"),
        ("harbourlane.com", "harbour-lane.co.uk", "ending"),
        ("mingshan.com.attacker.example", "mingshan.com", "beginning"),
        ("mingshan-com.attacker.example", "mingshan.com", "spelling"),
        ("mingshan.com", None, None),
        ("MAIL.Mingshan.COM.", None, None),
        ("tianqi.com", None, None),
        ("client8.example", None, None),
        ("client17.example", None, None),
        ("novo.example", None, None),
        ("mountain.com", None, None),
        ("localhost", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_what_a_domain_is_made_to_look_like(domain: str, known: str | None, likeness: str | None) -> None:
    found = KNOWN.resembling(domain)
    assert (found and found.known, found and found.likeness) == (known, likeness)


def test_among_ten_thousand_domains_it_is_quick() -> None:
    many = KnownDomains()
    began = time.process_time()
    many.add(f"company-{number:x}-media.example" for number in range(10_000))
    assert time.process_time() - began < 5.0
    began = time.process_time()
    for number in range(1_000):
        many.resembling(f"stranger{number}-agency.example")
    assert time.process_time() - began < 1.0


@given(st.text(max_size=100))
def test_no_text_breaks_it(text: str) -> None:
    KNOWN.resembling(text)
    assert skeleton(text) is not None
    addresses_in(text)
    same_name(text, "韩梅")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("韩梅", "韩 梅", True),
        ("Han Mei", "Mei Han", True),
        ("HAN MEI", "Hаn Mei", True),
        ("Han-Mei", "Han Mei", True),
        ("Han Mei", "Han Meng", False),
        ("韩梅", "韩梅梅", False),
        ("", "", False),
    ],
)
def test_the_same_name_to_the_eye(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


def test_addresses_that_stand_in_a_name() -> None:
    assert addresses_in("Li Lei (lilei@lanhai.example)") == ("lilei@lanhai.example",)
    assert addresses_in("LiLei＠Lanhai.example via x") == ("lilei@lanhai.example",)
    assert addresses_in("Li Lei @ Lanhai") == ()
