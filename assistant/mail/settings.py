"""What a person decides about a mailbox and about submission, checked elsewhere and frozen here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TransportSecurity = Literal["implicit", "starttls", "none"]
"""implicit: TLS from the first byte (RFC 8314); starttls: upgraded after the greeting; none: in clear, loopback only."""

Authentication = Literal["password", "oauth2"]

MEBIBYTE = 1024 * 1024


class Secret:
    """A password or token that no log, repr, traceback or formatted string ever shows. Only `reveal` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('…')"

    def __str__(self) -> str:
        return "…"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """How to get access tokens with a refresh token (RFC 6749 section 6)."""

    token_endpoint: str
    client_id: str
    refresh_token: Secret
    client_secret: Secret | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One mailbox to read. `folders` are names as people see them; the first is watched, the others are looked at.

    `name` is what records and logs call the mailbox. Sizes are in bytes: no batch holds more than `batch_messages`
    messages or about `batch_bytes`; of a message above `max_message_bytes` only the beginning is fetched.
    `poll_seconds`: how often a server without IDLE is asked, never more often than its provider allows.
    """

    name: str
    host: str
    port: int
    tls: TransportSecurity
    user: str
    secret: Secret | None = None
    folders: tuple[str, ...] = ("INBOX",)
    auth: Authentication = "password"
    oauth: OAuthSettings | None = None
    ca_file: str | None = None
    timeout_seconds: float = 30.0
    poll_seconds: float = 55.0
    batch_messages: int = 200
    batch_bytes: int = 16 * MEBIBYTE
    max_message_bytes: int = 50 * MEBIBYTE
    beginning_bytes: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class SubmissionSettings:
    """One submission server (RFC 6409). Without `user` nobody logs in.

    `data_timeout_seconds` is how long the server may think about a whole message: RFC 5321 section 4.5.3.2.6 asks for
    ten minutes, because giving up earlier leaves the outcome uncertain. An unused connection is closed after
    `idle_seconds`. `local_hostname` is the name given in EHLO; empty: the machine's own.
    """

    host: str
    port: int
    tls: TransportSecurity
    user: str | None = None
    secret: Secret | None = None
    auth: Authentication = "password"
    oauth: OAuthSettings | None = None
    ca_file: str | None = None
    timeout_seconds: float = 30.0
    data_timeout_seconds: float = 600.0
    idle_seconds: float = 20.0
    local_hostname: str = ""
