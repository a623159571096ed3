"""Domains and names that are made to be taken for others: the same letters to the eye, one letter off, another ending."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from assistant.model.authentication import host_name, organisational_domain

Likeness = Literal["letters", "spelling", "ending", "beginning"]
"""letters: the eye cannot tell them apart; spelling: one letter or a hyphen off; ending: the same name below another
suffix; beginning: the known domain stands in front of a foreign one."""

_SHORTEST_FOR_SPELLING = 7
_SHORTEST_FOR_ENDING = 4
_PAIRS = (("rn", "m"), ("vv", "w"))
_FIGURES = str.maketrans({"0": "o", "1": "l"})
_ADDRESS_IN_NAME = re.compile(r"[^\s<>\"'()@,;:]{1,64}@[^\s<>\"'()@,;:]{1,255}")


@dataclass(frozen=True, slots=True)
class Resemblance:
    """`domain` looks like `known`, and is another."""

    domain: str
    known: str
    likeness: Likeness


@lru_cache(maxsize=2_000)
def _latin(character: str) -> str:
    """The plain letter that a character looks like (Unicode confusables), or itself."""
    if character.isascii():
        return character
    from confusable_homoglyphs import confusables

    for found in confusables.is_confusable(character, greedy=True, preferred_aliases=["latin"]) or ():
        for homoglyph in found["homoglyphs"]:
            if len(homoglyph["c"]) == 1 and homoglyph["c"].isascii() and homoglyph["c"].isalnum():
                return str(homoglyph["c"]).lower()
    return character


def skeleton(text: str) -> str:
    """The text as the eye takes it: punycode decoded, accents taken off, foreign letters and figures as what they look like."""
    return _letters_of(text).translate(_FIGURES)


@lru_cache(maxsize=2_000)
def _letters_of(text: str) -> str:
    """The same with figures as they are."""
    shown = ".".join(_decoded(label) for label in text.casefold().split("."))
    plain = unicodedata.normalize("NFKD", shown).casefold()
    letters = "".join(_latin(character) for character in plain if not unicodedata.combining(character))
    for pair, letter in _PAIRS:
        letters = letters.replace(pair, letter)
    return letters


def _decoded(label: str) -> str:
    """An A-label as its letters (RFC 5890); what is none stays."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


@dataclass(slots=True)
class KnownDomains:
    """Domains that others may pretend to be; looking one up costs microseconds, however many there are."""

    domains: set[str] = field(default_factory=set)
    _letters: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _shorter: dict[str, list[str]] = field(default_factory=dict)

    def add(self, domains: Iterable[str]) -> None:
        for domain in domains:
            domain = organisational_domain(host_name(domain))
            if domain in self.domains or "." not in domain:
                continue
            self.domains.add(domain)
            name, suffix = _split(domain)
            seen = skeleton(name)
            self._letters.setdefault(f"{seen}.{suffix}", domain)
            plain = _plain(name)
            self._names.setdefault(plain, domain)
            if len(plain) >= _SHORTEST_FOR_SPELLING:
                for shorter in _one_less(plain):
                    self._shorter.setdefault(f"{shorter}.{suffix}", []).append(domain)

    def resembling(self, domain: str) -> Resemblance | None:
        """What an unknown domain looks like; None for one that is known or like no other."""
        host = host_name(domain)
        domain = organisational_domain(host)
        if domain in self.domains or not host:
            return None
        name, suffix = _split(domain)
        seen = skeleton(name)
        plain = _plain(name)
        if known := self._letters.get(f"{seen}.{suffix}"):
            return Resemblance(domain, known, "letters")
        known = self._names.get(plain) if len(plain) >= _SHORTEST_FOR_ENDING else None
        if known:
            return Resemblance(domain, known, "spelling" if _split(known)[1] == suffix else "ending")
        if known := self._leading(host):
            return Resemblance(domain, known, "beginning")
        # bright-media.test beside bright.media may be honest: no more than a likeness.
        known = self._leading(host.replace("-", ".")) or self._misspelt(plain, suffix)
        return Resemblance(domain, known, "spelling") if known else None

    def _leading(self, host: str) -> str | None:
        """mingshan.example.attacker.example"""
        labels = host.split(".")
        for length in range(2, len(labels)):
            if (beginning := ".".join(labels[:length])) in self.domains:
                return beginning
        return None

    def _misspelt(self, plain: str, suffix: str) -> str | None:
        if len(plain) < _SHORTEST_FOR_SPELLING:
            return None
        for shorter in _one_less(plain):
            for known in self._shorter.get(f"{shorter}.{suffix}", ()):
                if _one_letter_apart(plain, _plain(_split(known)[0])):
                    return known
        return None


def _split(domain: str) -> tuple[str, str]:
    name, _, suffix = domain.partition(".")
    return name, suffix


def _plain(name: str) -> str:
    return _letters_of(name).replace("-", "")


def _one_less(name: str) -> set[str]:
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


def _one_letter_apart(one: str, other: str) -> bool:
    """One letter changed, added, left out, or two beside each other swapped. Numbered names are meant to differ by figures."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    middle, opposite = one[start : len(one) - end], other[start : len(other) - end]
    if any(character.isdigit() for character in middle + opposite):
        return False
    swapped = len(middle) == 2 and middle == opposite[::-1]
    return swapped or (len(middle) <= 1 and len(opposite) <= 1 and middle != opposite)


def addresses_in(name: str) -> tuple[str, ...]:
    """Mail addresses that stand in a display name, in lower case, as the eye reads them."""
    shown = unicodedata.normalize("NFKC", name[:500])
    return tuple(found.lower().strip(".") for found in _ADDRESS_IN_NAME.findall(shown))


def same_name(one: str, other: str) -> bool:
    """Whether two people's names are the same to the eye, however they are spaced, cased or written."""
    return bool(one) and _name_skeleton(one) == _name_skeleton(other)


@lru_cache(maxsize=1_000)
def _name_skeleton(name: str) -> tuple[str, ...] | str:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name[:200]))
    letters = [skeleton(word) for word in words]
    # Han Mei and Mei Han are one; Chinese names have no spaces that mean anything.
    return tuple(sorted(letters)) if all(word.isascii() for word in letters) else "".join(letters)
