"""From nothing to a logged-in IMAP client: TLS, who we are, and proof of who the user is."""

from __future__ import annotations

import imaplib
import re

import structlog

from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.oauth import TokenSource
from assistant.mail.providers import provider_at, provider_for
from assistant.mail.sentences import Server, login_refused, quotation
from assistant.mail.settings import MailboxSettings
from assistant.mail.tls import is_loopback, verified_context
from assistant.mail.wire import Client

log = structlog.get_logger("assistant.mail")

IDENTITY = {"name": "cc-assistant", "version": "1", "vendor": "cc-assistant"}
"""What ID says (RFC 2971). NetEase opens no folder for a client that has not said who it is."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def server_of(settings: MailboxSettings) -> Server:
    """Who is behind a mailbox's settings. A known host counts; the address only for a host that could be anybody's."""
    provider = provider_at(settings.host)
    if provider is None and not is_loopback(settings.host):
        by_address = provider_for(settings.user)
        shared = by_address is not None and settings.host.endswith(by_address.imap.host.partition(".")[2])
        provider = by_address if shared else None
    return Server("IMAP", settings.host, settings.port, settings.tls, settings.timeout_seconds, provider)


def open_client(settings: MailboxSettings, server: Server) -> Client:
    """Connects, with TLS as the settings say. Raises what sockets, ssl and imaplib raise, and ServerUnreachable."""
    context = verified_context(settings.ca_file) if settings.tls != "none" else None
    if context is None and not is_loopback(settings.host):
        log.warning("mailbox_without_tls", mailbox=settings.name, host=settings.host)
    # Slack above the limit tells a message that is too large from one that the server merely measured badly.
    largest = settings.max_message_bytes + settings.max_message_bytes // 4 + 64 * 1024
    implicit = context if settings.tls == "implicit" else None
    client = Client(settings.host, settings.port, settings.timeout_seconds, implicit, largest)
    if settings.tls == "starttls":
        assert context is not None
        try:
            if not client.has_capability("STARTTLS"):
                raise ServerUnreachable(
                    f'{server} offers no STARTTLS: set tls = "implicit" with the right port ({server.usual_ports}).'
                )
            typ, data = client.wire.start_tls(context)
            if typ != "OK":
                raise ServerUnreachable(f"{server} refuses STARTTLS: {quotation(data[-1] or typ)}.")
            client.forget_capabilities()
        except BaseException:
            client.wire.shutdown()
            raise
    return client


def log_in(client: Client, settings: MailboxSettings, server: Server, token_source: TokenSource | None) -> None:
    """Proves who the user is and says who we are. Raises LoginRefused, Throttled, or what the libraries raise."""
    if client.wire.state == "NONAUTH":  # else PREAUTH
        if settings.auth == "oauth2":
            _with_token(client, settings, server, token_source)
        else:
            _with_password(client, settings, server)
    client.forget_capabilities()
    needs_id = server.provider is not None and server.provider.quirks.needs_id
    if needs_id or client.has_capability("ID"):
        _say_who(client, settings)


def _with_password(client: Client, settings: MailboxSettings, server: Server) -> None:
    password = settings.secret.reveal() if settings.secret else ""
    if not password:
        raise LoginRefused(
            f"There is no password for {settings.user} at {server}: set password in the mailbox's table."
        )
    if _CONTROL.search(password) or _CONTROL.search(settings.user):
        raise LoginRefused(
            f"User or password for {server} contains a line break or another control character: check the place where "
            "the password is kept."
        )
    plain = client.has_capability("AUTH=PLAIN")
    if client.has_capability("LOGINDISABLED") and (settings.tls == "none" or not plain):
        raise LoginRefused(
            f'{server} takes no password without TLS: set tls = "implicit" or "starttls" ({server.usual_ports}).'
        )
    try:
        # LOGIN can carry ASCII only (RFC 3501 section 9, astring); PLAIN carries UTF-8 (RFC 4616).
        if plain and not (password.isascii() and settings.user.isascii()):
            client.plain_login(settings.user, password)
        else:
            client.login(settings.user, password)
    except imaplib.IMAP4.error as error:
        raise _refusal(error, server, settings.user) from error
    except UnicodeEncodeError as error:
        raise LoginRefused(
            f"{server} takes ASCII passwords only; the one of {settings.user} has other letters."
        ) from error


def _with_token(client: Client, settings: MailboxSettings, server: Server, token_source: TokenSource | None) -> None:
    if token_source is None:
        raise LoginRefused(
            f'{settings.user} at {server} has auth = "oauth2" but was never authorised: run assistant init.'
        )
    for last in (False, True):
        token = token_source.token()
        try:
            if client.has_capability("AUTH=OAUTHBEARER") and not client.has_capability("AUTH=XOAUTH2"):
                client.sasl_login("OAUTHBEARER", _Once(_bearer(settings.user, token, server), b"\1"))
            else:
                client.sasl_login("XOAUTH2", _Once(f"user={settings.user}\1auth=Bearer {token}\1\1", b""))
        except imaplib.IMAP4.error as error:
            if last or not _alive(client):
                raise _refusal(error, server, settings.user) from error
            token_source.forget(token)  # it may have been revoked before its time: once more with a new one
        else:
            return


class _Once:
    """Answers the first challenge with `response`, and the error that may follow with `afterwards`: %x01 for
    OAUTHBEARER (RFC 7628 section 3.2.3), nothing for XOAUTH2. Only then does the server say NO."""

    def __init__(self, response: str, afterwards: bytes) -> None:
        self._responses = [afterwards, response.encode("utf-8")]

    def __call__(self, _challenge: bytes) -> bytes | None:
        return self._responses.pop() if self._responses else None


def _bearer(user: str, token: str, server: Server) -> str:
    identity = user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={identity},\1host={server.host}\1port={server.port}\1auth=Bearer {token}\1\1"


def _alive(client: Client) -> bool:
    return client.wire.state == "NONAUTH" and "BYE" not in client.wire.untagged_responses


def _refusal(error: Exception, server: Server, user: str) -> AssistantError:
    text = str(error)
    # `abort` is a broken connection, unless the server said NO and hung up at once.
    if isinstance(error, imaplib.IMAP4.abort) or isinstance(error.__context__, imaplib.IMAP4.abort):
        return ServerUnreachable(f"{server} broke off during login: {quotation(text)}.")
    if "UNAVAILABLE" in text.upper() or "TRY AGAIN LATER" in text.upper():  # RFC 5530
        return ServerUnreachable(f"{server} cannot check the login at the moment: {quotation(text)}.")
    return login_refused(server, user, text)


def _say_who(client: Client, settings: MailboxSettings) -> None:
    try:
        pairs = " ".join(f'"{key}" "{value}"' for key, value in IDENTITY.items())
        client.wire.xatom("ID", f"({pairs})")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        log.info("id_refused", mailbox=settings.name, answer=quotation(error))
