"""The SMTP envelope of one message: which addresses and options a given server can take (RFC 5321, 6152, 6531)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import idna

_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")


class AddressNotPossible(ValueError):  # noqa: N818  # a sentence for a person
    """The sender's address cannot be used with this server."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`recipients` maps each address as given to the one to say; those that this server cannot take are missing.
    `too_large` is a sentence when the server has said that it takes no message of this size."""

    sender: str
    recipients: Mapping[str, str]
    options: tuple[str, ...]
    too_large: str


def envelope_for(message: bytes, sender: str, recipients: Sequence[str], extensions: Mapping[str, str]) -> Envelope:
    """The envelope for `message` (with CRLF line ends) at a server that announced `extensions` (lower-case names)."""
    utf8 = "smtputf8" in extensions
    from_address = wire_address(sender, utf8) if sender else ""
    if from_address is None:
        raise AddressNotPossible(f"The server cannot take {sender} as the sender: an ASCII address is needed.")
    wire = {recipient: wire_address(recipient, utf8) for recipient in recipients}
    possible = {recipient: address for recipient, address in wire.items() if address is not None}
    limit = int(size) if (size := extensions.get("size", "").strip()).isdigit() else 0
    too_large = ""
    if limit and len(message) > limit:
        too_large = f"The message measures {len(message)} bytes; the server takes at most {limit}."
    options = [f"SIZE={len(message)}"] if "size" in extensions else []
    if not message.isascii() and "8bitmime" in extensions:
        options.append("BODY=8BITMIME")
    header = message.partition(b"\r\n\r\n")[0]
    international = not header.isascii() or not "".join([from_address, *possible.values()]).isascii()
    if utf8 and international:
        options.append("SMTPUTF8")
    return Envelope(from_address, possible, tuple(options), too_large)


def wire_address(address: str, utf8: bool) -> str | None:
    """`address` as the server can take it: a domain with other letters becomes ASCII (IDNA 2008), a local part with other
    letters needs SMTPUTF8. None when it is impossible, or no address at all."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or _UNSAFE.search(address):
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    if not local.isascii() and not utf8:
        return None
    return f"{local}@{domain}"
