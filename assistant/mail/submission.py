"""Hands one message to a submission server (RFC 6409) and says in which phase what happened.

The phases are driven one by one, because what may be done next depends on them: a connection lost before the message's
text has been sent is safe to try again; lost afterwards, the server may have accepted, and nobody may send it again
without looking.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Sequence
from typing import Literal

import aiosmtplib
import structlog
from aiosmtplib.protocol import normalize_message_line_endings

from assistant.clock import monotonic
from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.envelope import AddressNotPossible, Envelope, envelope_for
from assistant.mail.oauth import TokenSource
from assistant.mail.outcome import (
    Phase,
    RecipientResult,
    SubmissionResult,
    all_refused,
    by_code,
    nobody,
    not_known,
    turned_down,
)
from assistant.mail.providers import provider_at
from assistant.mail.sentences import Server, login_refused, quotation, throttled, throttled_error, unreachable
from assistant.mail.settings import SubmissionSettings
from assistant.mail.tls import is_loopback, verified_context

__all__ = ["RecipientResult", "Submission", "SubmissionResult"]

log = structlog.get_logger("assistant.mail")

SMTP_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})  # RFC 4954 section 6: about us, not about the message
_LINE_START_PERIOD = re.compile(rb"(?m)^\.")


class _Failed(Exception):  # noqa: N818  # carries an outcome out of nested calls; never leaves this module
    def __init__(self, phase: Phase, code: int | None, text: str) -> None:
        super().__init__(text)
        self.phase, self.code, self.text = phase, code, text


class Submission:
    """A submission server. One message at a time; the connection is kept for the next and closed when unused.

    Belongs to one event loop. Close it with `close`.
    """

    def __init__(self, settings: SubmissionSettings, token_source: TokenSource | None = None) -> None:
        self.settings = settings
        self._token_source = token_source
        self._server = Server(
            "SMTP", settings.host, settings.port, settings.tls, settings.timeout_seconds, provider_at(settings.host)
        )
        self._client: aiosmtplib.SMTP | None = None
        self._lock = asyncio.Lock()
        self._before_data: Callable[[], bool] = lambda: True
        self._used_at = 0.0
        self._closing: asyncio.TimerHandle | None = None

    async def submit(self, message: bytes, sender: str, recipients: Sequence[str]) -> SubmissionResult:
        """Submits `message` as it is (line ends become CRLF) from `sender`, the return path, to `recipients`.

        Never raises for what a server or network does; the result says it.
        """
        return await self.submit_marked(message, sender, recipients, lambda: True)

    async def submit_marked(
        self, message: bytes, sender: str, recipients: Sequence[str], before_data: Callable[[], bool]
    ) -> SubmissionResult:
        """As `submit`; `before_data` is called right before DATA, when the server has taken sender and recipients.

        Until then nothing can have been accepted. When it says False the message is not given to the server and the
        result is deferred.
        """
        if not recipients:
            raise ValueError("a message needs at least one recipient")
        async with self._lock:
            self._keep_open()
            self._before_data = before_data
            try:
                return await self._submit(message, sender, tuple(recipients))
            finally:
                self._close_when_unused()

    async def check(self) -> str:
        """Connects and logs in, as a doctor does, and returns the server's greeting name. Raises LoginRefused or
        ServerUnreachable with the sentence that says what to do."""
        async with self._lock:
            self._keep_open()
            await self._disconnect()
            try:
                client = await self._connect()
                greeting = client.last_ehlo_response
                return quotation(greeting.message.splitlines()[0] if greeting and greeting.message else "")
            finally:
                await self._disconnect()

    async def close(self) -> None:
        """Says QUIT and closes. Never raises."""
        async with self._lock:
            self._keep_open()
            await self._disconnect()

    # The phases.

    async def _submit(self, message: bytes, sender: str, recipients: tuple[str, ...]) -> SubmissionResult:
        try:
            client, fresh = await self._connected()
        except LoginRefused as error:
            return nobody("deferred", "login", None, str(error), recipients)
        except AssistantError as error:
            return nobody("deferred", "connect", None, str(error), recipients)
        try:
            try:
                return await self._deliver(client, message, sender, recipients)
            except _Failed as failure:
                # A kept connection may have died since: nothing of this message was taken yet.
                if fresh or failure.phase != "mail" or failure.code not in (None, 421):
                    raise
                await self._disconnect()
                try:
                    client = await self._connect()
                except AssistantError as error:
                    return nobody("deferred", "connect", None, str(error), recipients)
                return await self._deliver(client, message, sender, recipients)
        except _Failed as failure:
            self._abandon()
            return nobody(_state_of(failure), failure.phase, failure.code, failure.text, recipients)

    async def _deliver(
        self, client: aiosmtplib.SMTP, message: bytes, sender: str, recipients: tuple[str, ...]
    ) -> SubmissionResult:
        text = normalize_message_line_endings(message)
        try:
            envelope = envelope_for(text, sender, recipients, client.esmtp_extensions)
        except AddressNotPossible as error:
            return nobody("refused", "mail", 553, str(error), recipients)
        if envelope.too_large:
            return nobody("refused", "mail", 552, envelope.too_large, recipients)
        refusal = await self._mail(client, envelope, recipients)
        if refusal is not None:
            return refusal
        results = [await self._rcpt(client, envelope, recipient) for recipient in recipients]
        if not any(result.accepted for result in results):
            await self._reset(client)
            return all_refused(tuple(results))
        try:
            held_back = not self._before_data()
        except BaseException:
            self._abandon()  # the next message must not find this one's sender and recipients
            raise
        if held_back:
            await self._reset(client)
            return nobody("deferred", "data", None, "held back right before it was given to the server", recipients)
        return await self._data(client, text, tuple(results))

    async def _mail(
        self, client: aiosmtplib.SMTP, envelope: Envelope, recipients: tuple[str, ...]
    ) -> SubmissionResult | None:
        try:
            await client.mail(envelope.sender, options=envelope.options, encoding="utf-8")
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code == 421:
                raise _Failed("mail", error.code, quotation(error.message)) from error
            await self._reset(client)
            if error.code in SMTP_AUTHENTICATION_CODES:
                return nobody("deferred", "login", error.code, self._wants_login(error.message), recipients)
            return nobody(by_code(error.code), "mail", error.code, quotation(error.message), recipients)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _Failed("mail", None, self._said(error)) from error
        return None

    async def _rcpt(self, client: aiosmtplib.SMTP, envelope: Envelope, recipient: str) -> RecipientResult:
        address = envelope.recipients.get(recipient)
        if address is None:
            return RecipientResult(recipient, False, 553, "the server takes no addresses with such letters", True)
        try:
            response = await client.rcpt(address, encoding="utf-8")
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code == 421:
                raise _Failed("rcpt", error.code, quotation(error.message)) from error
            permanent = by_code(error.code) == "refused"
            return RecipientResult(recipient, False, error.code, quotation(error.message), permanent)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _Failed("rcpt", None, self._said(error)) from error
        return RecipientResult(recipient, True, response.code, quotation(response.message), False)

    async def _data(
        self, client: aiosmtplib.SMTP, text: bytes, results: tuple[RecipientResult, ...]
    ) -> SubmissionResult:
        try:
            response = await client.execute_command(b"DATA")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _Failed("data", None, self._said(error)) from error
        if response.code != 354:
            if response.code == 421:
                raise _Failed("data", response.code, quotation(response.message))
            await self._reset(client)
            return turned_down(by_code(response.code), "data", response, results)
        try:
            response = await self._body(client, text)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._abandon()
            kept = tuple(not_known(result) for result in results)
            return SubmissionResult("uncertain", None, self._said(error), kept, "body")
        if response.code == 421:
            self._abandon()
        if response.code // 100 == 2:
            return SubmissionResult("sent", response.code, quotation(response.message), results, "done")
        return turned_down(by_code(response.code), "body", response, results)

    async def _body(self, client: aiosmtplib.SMTP, text: bytes) -> aiosmtplib.SMTPResponse:
        protocol = client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(_LINE_START_PERIOD.sub(b"..", text) + b".\r\n")  # RFC 5321 section 4.5.2
        return await protocol.read_response(timeout=self.settings.data_timeout_seconds)

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._abandon()

    # The connection.

    async def _connected(self) -> tuple[aiosmtplib.SMTP, bool]:
        client = self._client
        if client is not None and client.is_connected and monotonic() - self._used_at < self.settings.idle_seconds:
            return client, False
        await self._disconnect()
        return await self._connect(), True

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self.settings
        context = verified_context(settings.ca_file) if settings.tls != "none" else None
        if context is None and settings.user and not is_loopback(settings.host):
            log.warning("submission_without_tls", host=settings.host)
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_seconds,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=context,
            local_hostname=settings.local_hostname or None,
        )
        try:
            await client.connect()
            await _greet(client)
            if settings.user:
                await self._log_in(client, settings.user)
        except AssistantError:
            client.close()
            raise
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise self._not_connected(error) from error
        self._client = client
        return client

    async def _log_in(self, client: aiosmtplib.SMTP, user: str) -> None:
        if self.settings.auth == "oauth2":
            await self._log_in_with_token(client, user)
            return
        if not self.settings.secret:
            raise LoginRefused(f"There is no password for {user} at {self._server}: set password in [submission].")
        try:
            await client.login(user, self.settings.secret.reveal())
        except aiosmtplib.SMTPAuthenticationError as error:
            raise self._login_failed(error, user) from error
        except aiosmtplib.SMTPResponseException:
            raise
        except aiosmtplib.SMTPException as error:
            if isinstance(error, OSError):
                raise
            raise LoginRefused(
                f"{self._server} offers no way to log in with a password ({quotation(error)}): check port and tls "
                f"({self._server.usual_ports}), or leave user out if the server asks for no login."
            ) from error

    async def _log_in_with_token(self, client: aiosmtplib.SMTP, user: str) -> None:
        if self._token_source is None:
            raise LoginRefused(
                f'{user} at {self._server} has auth = "oauth2" but was never authorised: run assistant init.'
            )
        for last in (False, True):
            token = await asyncio.to_thread(self._token_source.token)
            try:
                await client.auth_xoauth2(user, token)
            except aiosmtplib.SMTPAuthenticationError as error:
                if last or not client.is_connected:
                    raise self._login_failed(error, user) from error
                self._token_source.forget(token)  # it may have been revoked before its time
            else:
                return

    def _wants_login(self, text: str) -> str:
        if self.settings.user:
            return str(login_refused(self._server, self.settings.user, text))
        return f"{self._server} wants a login: set user and password in [submission] ({quotation(text)})."

    def _login_failed(self, error: aiosmtplib.SMTPAuthenticationError, user: str) -> AssistantError:
        if error.code // 100 == 4:  # RFC 4954: 454 temporary failure, 432 too many connections
            if throttled(error.message):
                return throttled_error(self._server, error.message)
            return ServerUnreachable(
                f"{self._server} cannot check the login at the moment: {error.code} {quotation(error.message)}."
            )
        return login_refused(self._server, user, f"{error.code} {error.message}")

    def _not_connected(self, error: BaseException) -> AssistantError:
        if isinstance(error, aiosmtplib.SMTPResponseException):
            if throttled(error.message):
                return throttled_error(self._server, error.message)
            return ServerUnreachable(f"{self._server} does not want to talk: {error.code} {quotation(error.message)}.")
        cause: BaseException | None = error
        while cause is not None:  # aiosmtplib wraps what the socket and TLS said
            if isinstance(cause, ssl.SSLError) or (isinstance(cause, OSError) and cause.errno is not None):
                return unreachable(cause, self._server)
            cause = cause.__cause__
        if "STARTTLS" in str(error):
            return ServerUnreachable(
                f'{self._server} offers no STARTTLS: set tls = "implicit" with the right port ({self._server.usual_ports}).'
            )
        return unreachable(error, self._server)

    def _said(self, error: BaseException) -> str:
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return quotation(error.message)
        return str(unreachable(error, self._server))

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=2.0)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it was going anyway
        finally:
            client.close()

    def _abandon(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _keep_open(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    def _close_when_unused(self) -> None:
        self._used_at = monotonic()
        if self._client is not None:
            self._closing = asyncio.get_running_loop().call_later(self.settings.idle_seconds, self._abandon)


async def _greet(client: aiosmtplib.SMTP) -> None:
    if client.is_ehlo_or_helo_needed:  # it is not after STARTTLS or a login
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()


def _state_of(failure: _Failed) -> Literal["refused", "deferred"]:
    return by_code(failure.code) if failure.code is not None else "deferred"
