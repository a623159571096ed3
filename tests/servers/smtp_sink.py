"""An SMTP server in a thread that keeps what it gets and fails exactly as told."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Phase = Literal["connect", "mail", "rcpt", "data", "body", "accepted"]


@dataclass(frozen=True)
class Received:
    """One accepted message: the envelope and the exact bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    mail_options: tuple[str, ...]
    tls: bool
    user: str
    begun: float = 0.0
    """When MAIL FROM came, by the machine's monotonic clock."""


@dataclass
class Faults:
    """What goes wrong; tests change it while the server runs.

    `recipients`: address → reply to RCPT. `replies`: reply in place of the greeting, or to MAIL, RCPT, DATA or the body; a
    421 also hangs up, as does any greeting but 220. `drop`: where
    the connection is cut without a word (`data`: instead of 354; `body`: in the middle of the text; `accepted`: after the
    message was taken, before the reply). `delay`: seconds to think. `greylist`: each first attempt gets 451. `limit`:
    how many messages a connection may carry before 421. `connections`: how many there may be at a time. `first`: replies
    and drops come only so many times; 0 is always.
    """

    recipients: dict[str, str] = field(default_factory=dict)
    replies: dict[Phase, str] = field(default_factory=dict)
    drop: Phase | None = None
    delay: dict[Phase, float] = field(default_factory=dict)
    greylist: bool = False
    limit: int = 0
    connections: int = 0
    first: int = 0


@dataclass
class SmtpSink:
    """The running server. `users` maps names to passwords and makes a login compulsory; `tokens` are valid for XOAUTH2."""

    port: int
    faults: Faults = field(default_factory=Faults)
    received: list[Received] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    open: int = 0
    struck: int = 0
    """How many replies and drops of `faults` there were."""
    logins: list[str] = field(default_factory=list)
    greylisted: set[tuple[str, str]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, faults: Faults) -> None:
        """From now on the server fails like this."""
        self.faults, self.struck = faults, 0

    def strikes(self, phase: Phase, *, drop: bool = False) -> bool:
        """Whether a reply, or a drop, comes in this phase now; counts those that do."""
        faults = self.faults
        wanted = faults.drop == phase if drop else phase in faults.replies
        if not wanted or (faults.first and self.struck >= faults.first):
            return False
        self.struck += 1
        return True

    @property
    def login_needed(self) -> bool:
        return bool(self.users or self.tokens)


class _Server(SMTP):
    """aiosmtpd's server, able to break off between and inside commands."""

    sink: SmtpSink
    carried = 0
    begun = 0.0
    dropped = False
    greeted = False
    unwelcome = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        with self.sink.lock:
            self.sink.connections += 1
            self.sink.open += 1
        if self.sink.strikes("connect", drop=True):
            self.drop()

    def connection_lost(self, error: Exception | None) -> None:
        with self.sink.lock:
            self.sink.open -= 1
        super().connection_lost(error)

    @property
    def inside_tls(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None

    def drop(self) -> None:
        self.dropped = True
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def push(self, status: Any) -> None:
        if str(status).startswith("220 ") and not self.greeted:
            self.greeted = True
            status = await self.greeting() or status
        if not self.dropped:
            await super().push(status)
            if (str(status).startswith("421") or self.unwelcome) and self.transport is not None:
                self.transport.close()

    async def greeting(self) -> str | None:
        """What is said in place of 220; then the connection ends."""
        faults = self.sink.faults
        await asyncio.sleep(faults.delay.get("connect", 0.0))
        words = None
        if faults.connections and self.sink.open > faults.connections:
            words = "421 4.7.0 too many connections"
        elif self.sink.strikes("connect"):
            words = faults.replies["connect"]
        self.unwelcome = words is not None
        return words

    async def pass_phase(self, phase: Phase) -> str | None:
        """Does what the faults say for a phase; returns the reply to give instead of the usual one."""
        await asyncio.sleep(self.sink.faults.delay.get(phase, 0.0))
        if self.sink.strikes(phase, drop=True):
            self.drop()
            return "421 dropped"
        return self.sink.faults.replies[phase] if self.sink.strikes(phase) else None

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        reply = await self.pass_phase("data")
        if reply is not None:
            await self.push(reply)
            return
        if self.sink.strikes("body", drop=True):
            await self.push("354 go on")
            await self._reader.read(64)
            self.drop()
            return
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: _Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sink.login_needed and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = await server.pass_phase("mail")
        if reply is None and self.sink.faults.limit and server.carried >= self.sink.faults.limit:
            reply = "421 4.7.0 too many messages in this connection"
        if reply is not None:
            return reply
        server.begun = time.monotonic()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender fine"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: _Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        faults = self.sink.faults
        reply = await server.pass_phase("rcpt") or faults.recipients.get(address)
        key = (envelope.mail_from or "", address)
        if reply is None and faults.greylist and key not in self.sink.greylisted:
            self.sink.greylisted.add(key)
            reply = "451 4.7.1 Greylisted, please try again later"
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient fine"

    async def handle_DATA(self, server: _Server, session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        reply = await server.pass_phase("body")
        if reply is not None:
            return reply
        server.carried += 1
        content = envelope.original_content
        assert content is not None
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else session.auth_data
        with self.sink.lock:
            self.sink.received.append(
                Received(
                    envelope.mail_from or "",
                    tuple(envelope.rcpt_tos),
                    content,
                    tuple(envelope.mail_options),
                    session.ssl is not None or server.inside_tls,
                    login or "",
                    server.begun,
                )
            )
            number = len(self.sink.received)
        if self.sink.strikes("accepted", drop=True):
            server.drop()
        await asyncio.sleep(self.sink.faults.delay.get("accepted", 0.0))
        return f"250 2.0.0 kept as {number}"

    async def auth_XOAUTH2(self, server: _Server, args: list[str]) -> AuthResult:  # noqa: N802  # aiosmtpd's name
        fields = dict(part.split("=", 1) for part in base64.b64decode(args[1]).decode().split("\1") if "=" in part)
        user, token = fields.get("user", ""), fields.get("auth", "").removeprefix("Bearer ")
        self.sink.logins.append(user)
        if token and self.sink.tokens.get(token) == user:
            return AuthResult(success=True, handled=False, auth_data=user)
        await server.push("334 " + base64.b64encode(b'{"status":"401"}').decode())
        await server._reader.readline()
        return AuthResult(success=False, handled=False, message="535 5.7.8 token not accepted")


class _Controller(Controller):
    def __init__(
        self, sink: SmtpSink, starttls: ssl.SSLContext | None, implicit: ssl.SSLContext | None, size_limit: int
    ) -> None:
        self.sink = sink
        self.starttls = starttls
        self.size_limit = size_limit
        super().__init__(_Handler(sink), hostname="127.0.0.1", port=sink.port, ssl_context=implicit)

    def factory(self) -> SMTP:
        server = _Server(
            self.handler,
            data_size_limit=self.size_limit,
            enable_SMTPUTF8=True,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            auth_require_tls=False,
            authenticator=self.authenticate,
            hostname="sink.example",
            loop=self.loop,
        )
        server.sink = self.sink
        return server

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any
    ) -> AuthResult:
        assert isinstance(auth_data, LoginPassword)
        user = auth_data.login.decode()
        self.sink.logins.append(user)
        good = self.sink.users.get(user) == auth_data.password.decode()
        return AuthResult(success=good, handled=False, auth_data=auth_data)


@contextmanager
def smtp_server(
    port: int,
    *,
    starttls: ssl.SSLContext | None = None,
    implicit: ssl.SSLContext | None = None,
    size_limit: int = 33_554_432,
) -> Iterator[SmtpSink]:
    """Runs a sink on `port`: in clear, with STARTTLS required, or with TLS from the first byte."""
    sink = SmtpSink(port)
    controller = _Controller(sink, starttls, implicit, size_limit)
    controller.start()
    sink.connections = 0  # the controller knocks once to see whether it is up
    try:
        yield sink
    finally:
        controller.stop()
