"""Getting in: TLS, passwords, tokens, and the sentences when it does not work."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from assistant.clock import FrozenClock, SystemClock
from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.imap import ImapConnection
from assistant.mail.oauth import TokenSource
from assistant.mail.settings import MailboxSettings, Secret, TransportSecurity
from tests.servers.authority import new_authority
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy, Plan
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.processes import free_port


def opens(settings: MailboxSettings, token_source: TokenSource | None = None) -> None:
    connection = ImapConnection.connect(settings, token_source)
    assert connection.open("INBOX").uidvalidity > 0
    connection.close()


@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
def test_every_kind_of_transport_security_works(mailbox: Mailbox, tls: TransportSecurity) -> None:
    opens(mailbox.settings(tls))


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    mailbox: Mailbox, tmp_path: Path, tls: TransportSecurity
) -> None:
    stranger = str(new_authority(tmp_path).ca_file)
    for ca_file in (stranger, None):
        with pytest.raises(ServerUnreachable, match=r"not vouched for .* set ca_file"):
            opens(dataclasses.replace(mailbox.settings(tls), ca_file=ca_file))


def shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    plain, _ = listener.accept()
    with plain, suppress(OSError):
        context.wrap_socket(plain, server_side=True).close()


def test_a_certificate_for_another_name_is_refused(mailbox: Mailbox, tmp_path: Path) -> None:
    authority = new_authority(tmp_path, "mail.elsewhere.example")
    settings = dataclasses.replace(mailbox.settings("implicit"), ca_file=str(authority.ca_file))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=shake_hands, args=(listener, authority.context()))
        thread.start()
        with pytest.raises(ServerUnreachable, match="is for another name: set host"):
            opens(dataclasses.replace(settings, port=listener.getsockname()[1]))
        thread.join()


def test_a_ca_file_that_is_missing_or_no_certificate_is_said(mailbox: Mailbox, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("not a certificate")
    for path, said in ((nonsense, "cannot be read"), (tmp_path / "absent.pem", "does not exist")):
        with pytest.raises(AssistantError, match=said):
            opens(dataclasses.replace(mailbox.settings("implicit"), ca_file=str(path)))


def test_tls_on_a_port_that_speaks_in_clear_says_which_ports_are_usual(mailbox: Mailbox) -> None:
    with pytest.raises(ServerUnreachable, match=r'does not speak TLS from the first byte.*"starttls"'):
        opens(mailbox.settings("implicit", port=mailbox.server.plain_port))


def test_clear_on_a_port_that_speaks_tls_gives_up_in_time(mailbox: Mailbox) -> None:
    with pytest.raises(ServerUnreachable, match=r"993 with tls|closed the connection"):
        opens(mailbox.settings("none", port=mailbox.server.tls_port, timeout_seconds=0.5))


def test_nobody_listening_is_said(mailbox: Mailbox) -> None:
    with pytest.raises(ServerUnreachable, match="Nothing listens at 127"):
        opens(mailbox.settings(port=free_port()))


def test_a_name_that_does_not_exist_is_said(mailbox: Mailbox) -> None:
    with pytest.raises(ServerUnreachable, match=r"no-such-host\.invalid cannot be found"):
        opens(dataclasses.replace(mailbox.settings(), host="no-such-host.invalid"))


def test_a_server_that_accepts_and_says_nothing_is_given_up(mailbox: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = mailbox.settings(port=silent.getsockname()[1], timeout_seconds=0.3)
        with pytest.raises(ServerUnreachable, match=r"did not answer within 0\.3 seconds"):
            opens(settings)


def test_a_wrong_password_is_refused_without_being_shown(mailbox: Mailbox) -> None:
    with pytest.raises(LoginRefused, match=f"does not accept the login of {mailbox.user}") as refusal:
        opens(mailbox.settings(password="guess-1234"))
    assert "guess-1234" not in str(refusal.value)


@pytest.mark.parametrize("password", ["plain", 'quote " and \\ slash', "密码🔑", " spaces "])
def test_passwords_of_every_kind_work(mailbox: Mailbox, password: str) -> None:
    opens(mailbox.server.new_mailbox(password=password).settings())


def test_a_password_with_a_line_break_is_a_mistake_in_its_place(mailbox: Mailbox) -> None:
    with pytest.raises(LoginRefused, match="line break"):
        opens(mailbox.settings(password="two\r\nlines"))


def test_a_missing_password_is_said(mailbox: Mailbox) -> None:
    with pytest.raises(LoginRefused, match="no password"):
        opens(dataclasses.replace(mailbox.settings(), secret=None))


def test_a_server_without_starttls_is_not_talked_to_in_clear(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(replace=(b" STARTTLS", b" STARTLESS"))]
    with pytest.raises(ServerUnreachable, match="offers no STARTTLS"):
        opens(mailbox.settings("starttls", port=imap_proxy.port))


def test_being_throttled_is_not_being_refused(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [
        Plan(
            replace=(
                b"[AUTHENTICATIONFAILED] Authentication failed.",
                b"Request is throttled. Suggested Backoff Time: 299961 milliseconds",
            )
        )
    ]
    with pytest.raises(ServerUnreachable, match="left alone for 300 seconds") as throttled:
        opens(mailbox.settings(port=imap_proxy.port, password="whatever"))
    assert getattr(throttled.value, "seconds", None) == pytest.approx(299.961)


class TestOAuth2:
    """Dovecot asks the same local endpoint whose a token is."""

    def settings(self, mailbox: Mailbox, endpoint: OAuthEndpoint, port: int | None = None) -> MailboxSettings:
        oauth = endpoint.settings_for(mailbox.user)
        return dataclasses.replace(mailbox.settings(port=port), auth="oauth2", secret=None, oauth=oauth)

    def test_a_fresh_token_opens_the_mailbox(self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint) -> None:
        settings = self.settings(mailbox, oauth_endpoint)
        assert settings.oauth is not None
        source = TokenSource(settings.oauth)
        opens(settings, source)
        opens(settings, source)
        assert len(oauth_endpoint.asked) == 1  # the second login used the token that was still good

    def test_oauthbearer_serves_where_xoauth2_is_missing(
        self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint, imap_proxy: FaultProxy
    ) -> None:
        imap_proxy.plans = [Plan(replace=(b" AUTH=XOAUTH2", b""))]
        settings = self.settings(mailbox, oauth_endpoint, imap_proxy.port)
        assert settings.oauth is not None
        opens(settings, TokenSource(settings.oauth))

    def test_a_token_revoked_before_its_time_is_replaced(self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint) -> None:
        settings = self.settings(mailbox, oauth_endpoint)
        assert settings.oauth is not None
        source = TokenSource(settings.oauth, clock=FrozenClock(SystemClock().now()))
        source.token()
        oauth_endpoint.revoke()
        opens(settings, source)
        assert len(oauth_endpoint.asked) == 2

    def test_a_token_for_somebody_else_is_refused(self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint) -> None:
        settings = self.settings(mailbox, oauth_endpoint)
        stranger = oauth_endpoint.settings_for("stranger@agency.example")
        with pytest.raises(LoginRefused, match="does not accept the login"):
            opens(settings, TokenSource(stranger))

    def test_a_dead_refresh_token_says_authorise_again(self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint) -> None:
        settings = self.settings(mailbox, oauth_endpoint)
        assert settings.oauth is not None
        dead = dataclasses.replace(settings.oauth, refresh_token=Secret("dead"))
        with pytest.raises(LoginRefused, match="authorise again with assistant init"):
            opens(settings, TokenSource(dead))

    def test_never_authorised_is_said(self, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint) -> None:
        with pytest.raises(LoginRefused, match="never authorised"):
            opens(self.settings(mailbox, oauth_endpoint), None)
