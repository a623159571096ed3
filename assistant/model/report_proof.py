"""What shows that a delivery report is genuine: anybody can write one, and call himself a mail server.

A report that names the Message-ID of a mail of ours needs none of this: only who had that mail knows it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, Literal

from assistant.model.authentication import (
    MethodResult,
    host_name,
    is_own_host,
    organisational_domain,
    own_organisations,
    received_by,
    trusted_results,
)
from assistant.model.people import Directory, is_a_person
from parsers import Message
from parsers.types import TraceField

Proof = Literal["", "message-id", "own-server", "recipients-server", "subject"]
"""Why a report is believed; "" when nothing shows that it is genuine."""

SHORTEST_SUBJECT: Final = 6
"""Letters of a subject that nobody hits upon by chance."""
_LONGEST_QUOTE: Final = 20_000
_EXCHANGE: Final = re.compile(r"microsoftexchange[0-9a-f]{8,}@", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?:\[|\(|\b)(?:IPv6:)?((?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]+)(?:\]|\)|\b)"
)
_LOOKED_UP: Final = re.compile(r"\(\s*([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)\.?\s+\[[0-9A-Fa-f:.IPv]+\]\s*\)")
"""`(name [address])`: a name that the receiving server looked up from the address and back."""
_NAMES: Final = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.helo", "smtp.mailfrom")}


def proof_of_report(message: Message, recipients: Collection[str], subject: str, directory: Directory) -> Proof:
    """Why this report without a Message-ID of ours is believed about `recipients`, to whom we wrote under `subject`.

    In each case it must come from the null path or a server's own address (RFC 3464 §2), which providers let no user
    send from. Then one of these: no host but ours handled it, and it is a server of ours or the recipients' that speaks
    (so reports our submission server, and so it is when nothing but the mailbox itself touched it); the receiving server
    looked up or authenticated the sender as one of those; or the report returns the subject. `subject` is "" where others know it.
    """
    if not _by_a_server(message):
        return ""
    hosts = (directory.authserv_id, *directory.mail_hosts, *directory.domains)
    ours = own_organisations(hosts)
    theirs = frozenset(organisational_domain(_domain(address)) for address in recipients)
    writer = _domain(message.originator.addr_spec) if message.originator else ""
    if _is_a_server(message):
        trusted = is_own_host(writer, ours) or organisational_domain(writer) in theirs
        came_from = _first_stranger(message.trace, ours)
        if came_from is None and trusted:
            return "own-server"
        vouched = {
            organisational_domain(name) for name in (came_from or "", *_vouched(message, directory, hosts)) if name
        }
        if vouched & (theirs | set(ours)):
            return "recipients-server"
    return "subject" if message.return_path == "" and _returns(message, subject) else ""


def _by_a_server(message: Message) -> bool:
    path = message.return_path
    return path == "" or (_is_a_server(message) and (path is None or _is_daemon(path)))


def _is_a_server(message: Message) -> bool:
    return message.originator is None or _is_daemon(message.originator.addr_spec)


def _is_daemon(addr_spec: str) -> bool:
    return not is_a_person(addr_spec) or _EXCHANGE.match(addr_spec) is not None


def _domain(addr_spec: str) -> str:
    return host_name(addr_spec.rpartition("@")[2]) if "@" in addr_spec else ""


def _first_stranger(trace: Collection[TraceField], ours: tuple[str, ...]) -> str | None:
    """The name of the host from which a server of ours had this message, "" if it has none; None if all were ours.

    The name that a host gives itself counts for nothing; its address, and the name looked up for it, are the receiver's.
    """
    for entry in trace:
        if entry.name != "received":
            continue
        if not received_by(entry, ours):
            return ""
        handed_over = re.match(r"from\s(.*?)\sby\s", f"{entry.value} ", re.IGNORECASE)
        if handed_over is None:
            continue
        names = _LOOKED_UP.findall(handed_over[1])
        name = host_name(names[-1]) if names else ""
        addresses = _ADDRESS.findall(handed_over[1].partition(" ")[2])
        inside = bool(addresses) and is_own_host(addresses[-1], ours)
        if not (inside or (name and is_own_host(name, ours))):
            return name
    return None


def _vouched(message: Message, directory: Directory, hosts: Collection[str]) -> Iterator[str]:
    """The domains that the agency's own mail server authenticated this message for."""
    found = trusted_results(message, directory.authserv_id, hosts)
    for result in found.results if found is not None else ():
        if result.result == "pass":
            yield from _named(result)


def _named(result: MethodResult) -> Iterator[str]:
    for name, text in result.properties:
        if name in _NAMES.get(result.method, ()):
            yield host_name(text.rpartition("@")[2])


def _returns(message: Message, subject: str) -> bool:
    """Whether the report shows the subject of what it returns: in the copy, or quoted in its own words."""
    wanted = _letters(subject)
    if len(wanted) < SHORTEST_SUBJECT:
        return False
    return wanted in (_letters(message.bounced_subject), _letters(message.bounced_subject.partition(":")[2])) or (
        wanted in _letters(message.text[:_LONGEST_QUOTE])
    )


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
