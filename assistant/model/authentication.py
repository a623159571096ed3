"""What the agency's own mail server says about a sender: reading Authentication-Results (RFC 8601) without being fooled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from parsers import Message
from parsers.types import TraceField

ProveSender = Callable[[], str]
"""Asked only where no server gave a verdict on mail that claims to be ours: pass, fail or none."""

_AROUND_EQUALS = re.compile(r"\s*=\s*")
_LOCAL_NAMES = ("localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa", ".corp")
_INTERNAL = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""Addresses that no stranger sends from (RFC 1918, 6598, 4193, 3927); not those reserved for documentation."""
_HIDDEN = "\x00"
"""Stands for a character of a quoted string that has a meaning outside of one."""


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One `method=result` with its properties (`header.from`, `smtp.mailfrom` …), in lower case."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One field: who says it, and what was found."""

    authserv_id: str
    results: tuple[MethodResult, ...]


def read_results(value: str) -> AuthenticationResults | None:
    """One Authentication-Results value (RFC 8601 §2.2), or None where it is malformed or of another version."""
    plain = _without_comments(value)
    if plain is None:
        return None
    head, *statements = plain.split(";")
    names = head.split()
    if not names or len(names) > 2 or (len(names) == 2 and names[1] != "1"):
        return None
    results = (_method_result(statement) for statement in statements)
    return AuthenticationResults(host_name(names[0]), tuple(found for found in results if found is not None))


def _method_result(statement: str) -> MethodResult | None:
    tokens = _AROUND_EQUALS.sub("=", statement).split()
    method, equals, result = tokens[0].lower().partition("=") if tokens else ("", "", "")
    method, _, version = method.replace(" ", "").partition("/")
    if not equals or version not in {"", "1"}:
        return None
    pairs = (token.partition("=") for token in tokens[1:])
    return MethodResult(method, result, tuple((name.lower(), text.lower()) for name, found, text in pairs if found))


def _without_comments(value: str) -> str | None:
    """The value without comments (nested ones too) and quotes; None where either is left open.

    What has a meaning of its own (`;`, `=`, white space) loses it inside quotes: `"x; dmarc=pass"` is one word.
    """
    if not any(special in value for special in '("\\'):
        return value
    pieces: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in value:
        if escaped:
            escaped = False
            if quoted:
                pieces.append(_HIDDEN)
        elif character == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            if character == '"':
                quoted = False
            else:
                pieces.append(_HIDDEN if character in ";=() \t/" else character)
        elif character == "(":
            depth += 1
            pieces.append(" ")
        elif character == ")" and depth:
            depth -= 1
        elif not depth:
            if character == '"':
                quoted = True
            else:
                pieces.append(character)
    return None if depth or quoted or escaped else "".join(pieces)


def host_name(name: str) -> str:
    """A host or domain name for comparing: lower case, without the dot at its end."""
    return name.strip().lower().rstrip(".")


def verdict(message: Message, authserv_id: str, own_hosts: Iterable[str] = ()) -> str:
    """The DMARC verdict of the configured server on the writer of this message: pass | fail | none.

    A pass counts for the domain it names (`header.from`), and for mail that has exactly one From.
    """
    found = trusted_results(message, authserv_id, own_hosts)
    return _dmarc(found, message) if found is not None else "none"


def trusted_results(message: Message, authserv_id: str, own_hosts: Iterable[str] = ()) -> AuthenticationResults | None:
    """What the configured server found out about this message; None where it said nothing that can be believed.

    Only the topmost field of that name counts (every server adds its own on top), and only as long as every Received
    field above it is of a server of ours: `own_hosts`, the server of that name, hosts beside it and internal ones.
    """
    wanted = host_name(authserv_id)
    if not wanted:
        return None
    ours = own_organisations((wanted, *own_hosts))
    for entry in message.trace:
        if entry.name == "received":
            if not received_by(entry, ours):
                return None
            continue
        found = read_results(entry.value)
        if found is not None and found.authserv_id == wanted:
            return found
    return None


def own_organisations(hosts: Iterable[str]) -> tuple[str, ...]:
    """The registered domains of servers of ours, each once."""
    return tuple(dict.fromkeys(organisational_domain(host_name(host)) for host in hosts if host))


def _dmarc(found: AuthenticationResults, message: Message) -> str:
    results = [result for result in found.results if result.method == "dmarc"]
    if any(result.result == "fail" for result in results):
        return "fail"
    if not results or any(result.result != "pass" for result in results) or not has_one_writer(message):
        return "none"
    assert message.originator is not None, "one writer is a writer"
    domain = host_name(message.originator.addr_spec.rpartition("@")[2])
    named = [text for result in results for name, text in result.properties if name == "header.from"]
    return "pass" if all(host_name(text.rpartition("@")[2]) == domain for text in named) else "none"


def has_one_writer(message: Message) -> bool:
    """Whether there is one From with one address: of several nobody knows which one a verdict is about (RFC 7489 §6.6.1)."""
    doubtful = {("several-originators", "from"), ("duplicate-header", "from"), ("originator-from-sender", "from")}
    return message.originator is not None and not any((item.code, item.where) in doubtful for item in message.defects)


def received_by(entry: TraceField, ours: tuple[str, ...]) -> bool:
    """Whether the `by` of a Received field (RFC 5321 §4.4) is of ours, or no public host at all."""
    words = (_without_comments(entry.value) or "").partition(";")[0].split()
    # The name after `from` is whatever the other side said, so that it is no keyword even where it looks like one.
    begin = 2 if words[:1] and words[0].lower() == "from" else 0
    keywords = [word.lower() for word in words[begin:]]
    if "by" not in keywords:
        return begin == 0
    place = keywords.index("by") + 1
    return place < len(keywords) and is_own_host(host_name(keywords[place]), ours)


def is_own_host(host: str, ours: tuple[str, ...]) -> bool:
    """Whether a host by its name, or by its address, is of ours or internal."""
    try:
        address = ip_address(host.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES) or organisational_domain(host) in ours
    if isinstance(address, IPv6Address) and address.sixtofour is not None:
        address = address.sixtofour
    return any(address in network for network in _INTERNAL if network.version == address.version)


@lru_cache(maxsize=2)
def _suffixes(*, only_public: bool) -> Any:
    """The Public Suffix List, with or without the names under which companies let others have their own."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=only_public)


@lru_cache(maxsize=2_000)
def organisational_domain(domain: str) -> str:
    """`mail.shop.com.cn` and `shop.com.cn` are one company's, `com.cn` is nobody's (Public Suffix List); else the name itself."""
    return str(_suffixes(only_public=True).privatesuffix(domain) or domain)


def are_aligned(signer: str, writer: str) -> bool:
    """Whether a domain that signed may speak for the domain of the From: relaxed alignment of RFC 7489 §3.1.1.

    Stricter than what makes one client: `a.hosting.example` says nothing about `b.hosting.example` where hosting.example
    gives such names away, and a public suffix speaks for nobody.
    """
    registered = _suffixes(only_public=False).privatesuffix(signer)
    return registered is not None and registered == _suffixes(only_public=False).privatesuffix(writer)
