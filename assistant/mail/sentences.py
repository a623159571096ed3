"""Turns what sockets, TLS and servers throw into one sentence for the person who must act."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass

from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.providers import Provider
from assistant.mail.settings import TransportSecurity

LONGEST_QUOTATION = 300
CERTIFICATE_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED, <openssl/x509_vfy.h>
CERTIFICATE_NAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

_BACKOFF = re.compile(r"suggested backoff time:?\s*(\d+)\s*(milliseconds|ms|seconds|s)?\b", re.IGNORECASE)
_THROTTLED = re.compile(
    r"throttl|too many (?:simultaneous |concurrent )?(?:connections|logins?|requests)|login frequen|frequency limit"
    r"|bandwidth limit|\[LIMIT\]|system busy|登录过于频繁|请求过于频繁|连接数过多",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Throttled(ServerUnreachable):
    """The server asks to be left alone for `seconds`; None when it does not say how long."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Server:
    """Whom we talk to, as it is called in sentences. `protocol` is IMAP or SMTP."""

    protocol: str
    host: str
    port: int
    tls: TransportSecurity
    timeout_seconds: float
    provider: Provider | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def usual_ports(self) -> str:
        if self.protocol == "IMAP":
            return 'usual are 993 with tls = "implicit" and 143 with tls = "starttls"'
        return 'usual are 465 with tls = "implicit" and 587 with tls = "starttls"'


def quotation(text: object) -> str:
    """What a server said, on one line and short enough to print. Library wrappers around it are taken off."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    line = _CONTROL.sub(" ", str(text)).strip()
    line = re.sub(r"^(?:command: \w+ => )?", "", line)
    line = re.sub(r"^b(['\"])(.*)\1$", r"\2", line)
    return line if len(line) <= LONGEST_QUOTATION else line[: LONGEST_QUOTATION - 1] + "…"


def suggested_backoff(text: str) -> float | None:
    """Seconds that Microsoft 365 asks to wait: `Request is throttled. Suggested Backoff Time: 299961 milliseconds`."""
    found = _BACKOFF.search(text)
    if found is None:
        return None
    amount = float(found.group(1))
    return amount if (found.group(2) or "ms").lower() in {"s", "seconds"} else amount / 1000


def throttled(text: str) -> bool:
    """Whether a server's refusal means "not so often" rather than "no"."""
    return _THROTTLED.search(text) is not None or _BACKOFF.search(text) is not None


def throttled_error(server: Server, text: str) -> Throttled:
    seconds = suggested_backoff(text)
    pause = f" for {seconds:.0f} seconds" if seconds is not None else " for a while"
    return Throttled(f"{server} asks to be left alone{pause}: {quotation(text)}", seconds)


def login_refused(server: Server, user: str, text: str) -> AssistantError:
    """The sentence for a refused login; being throttled is not being refused."""
    if throttled(text):
        return throttled_error(server, text)
    reason = quotation(text).rstrip(".") or "no reason given"
    sentence = f"{server} does not accept the login of {user}: {reason}."
    if server.provider is not None:
        hint = server.provider.hint
        return LoginRefused(f"{sentence} {hint.en} {hint.zh}")
    return LoginRefused(
        f"{sentence} Check user and password, and whether {server.protocol} is allowed for this mailbox."
    )


def unreachable(error: BaseException, server: Server) -> AssistantError:
    """The sentence for everything that sockets and TLS raise."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return ServerUnreachable(_certificate(error, server))
    if isinstance(error, ssl.SSLError):
        return ServerUnreachable(_no_tls(error, server))
    if isinstance(error, socket.gaierror):
        return ServerUnreachable(
            f"The name {server.host} cannot be found: check host for a typing error, and whether there is a network."
        )
    if isinstance(error, TimeoutError):
        return ServerUnreachable(
            f"{server} did not answer within {server.timeout_seconds:g} seconds: the server or network is slow, a firewall "
            f"drops packets, or port and tls do not fit together ({server.usual_ports})."
        )
    if isinstance(error, ConnectionRefusedError):
        return ServerUnreachable(
            f"Nothing listens at {server}: check host and port ({server.usual_ports}), and whether the server is up."
        )
    if isinstance(error, ConnectionError | EOFError):
        return ServerUnreachable(f"{server} closed the connection ({quotation(error) or type(error).__name__}).")
    if throttled(str(error)):
        return throttled_error(server, str(error))
    if isinstance(error, OSError):
        return ServerUnreachable(f"{server} cannot be reached: {quotation(error.strerror or error)}.")
    return ServerUnreachable(f"{server} broke off: {quotation(error)}.")


def _certificate(error: ssl.SSLCertVerificationError, server: Server) -> str:
    if error.verify_code in CERTIFICATE_NAME_MISMATCH:
        return (
            f"The certificate of {server} is for another name: set host to the name that the provider gives, "
            f"not to an address or an alias ({quotation(error.verify_message)})."
        )
    if error.verify_code == CERTIFICATE_EXPIRED:
        return (
            f"The certificate of {server} has expired: its administrator must renew it. Check this machine's clock too."
        )
    return (
        f"The certificate of {server} is not vouched for by an authority known here ({quotation(error.verify_message)}): "
        "if it is the agency's own authority, set ca_file to its PEM file; else somebody may be listening in."
    )


def _no_tls(error: ssl.SSLError, server: Server) -> str:
    reason = (error.reason or str(error)).replace("_", " ").lower()
    other = (
        f'{server} does not speak TLS from the first byte ({reason}): set tls = "starttls" or another port '
        f"({server.usual_ports})."
    )
    if server.tls == "implicit" and any(
        sign in reason for sign in ("wrong version", "record layer", "unknown protocol")
    ):
        return other
    return f"No TLS with {server}: {reason}. Check port and tls ({server.usual_ports})."
