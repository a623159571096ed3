"""Fixtures for every test: servers start once for each worker, users, databases and sinks are fresh for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.databases import ON_POSTGRESQL, shared_server
from tests.servers.authority import Authority, new_authority
from tests.servers.dovecot import Dovecot, Mailbox, dovecot_server
from tests.servers.imap_faults import FaultProxy, fault_proxy
from tests.servers.oauth_endpoint import OAuthEndpoint, oauth_server
from tests.servers.postfix import Postfix, postfix_server
from tests.servers.postgresql import PostgreSql, postgresql_server
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink, smtp_server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the tests' servers have their certificates from."""
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def oauth_endpoint_of_session() -> Iterator[OAuthEndpoint]:
    with oauth_server() as endpoint:
        yield endpoint


@pytest.fixture
def oauth_endpoint(oauth_endpoint_of_session: OAuthEndpoint) -> Iterator[OAuthEndpoint]:
    """An OAuth2 token endpoint, which Dovecot also asks; forgets what a test taught it."""
    yield oauth_endpoint_of_session
    oauth_endpoint_of_session.next_answers.clear()
    oauth_endpoint_of_session.asked.clear()
    oauth_endpoint_of_session.revoke()
    oauth_endpoint_of_session.refresh_tokens.clear()
    oauth_endpoint_of_session.lifetime_seconds = 3600
    oauth_endpoint_of_session.rotate = oauth_endpoint_of_session.approved = False


@pytest.fixture(scope="session")
def dovecot(authority: Authority, oauth_endpoint_of_session: OAuthEndpoint) -> Iterator[Dovecot]:
    """A Dovecot for the whole session."""
    with dovecot_server(authority, oauth_endpoint_of_session.tokeninfo) as server:
        yield server


@pytest.fixture
def mailbox(dovecot: Dovecot) -> Mailbox:
    """A new user of Dovecot with empty INBOX, Sent and Drafts."""
    return dovecot.new_mailbox()


@pytest.fixture
def imap_proxy(dovecot: Dovecot) -> Iterator[FaultProxy]:
    """A proxy in front of Dovecot's plain port."""
    with fault_proxy(dovecot.plain_port) as proxy:
        yield proxy


@pytest.fixture
def imap_tls_proxy(dovecot: Dovecot) -> Iterator[FaultProxy]:
    """A proxy in front of Dovecot's port with TLS from the first byte."""
    with fault_proxy(dovecot.tls_port) as proxy:
        yield proxy


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP server in clear that keeps everything and fails as told."""
    with smtp_server(free_port()) as sink:
        yield sink


@pytest.fixture
def make_smtp_sink(authority: Authority) -> Iterator[Callable[[str], SmtpSink]]:
    """Starts SMTP servers with tls "none", "starttls" or "implicit"."""
    with ExitStack() as stack:

        def make(tls: str) -> SmtpSink:
            starttls = authority.context() if tls == "starttls" else None
            implicit = authority.context() if tls == "implicit" else None
            return stack.enter_context(smtp_server(free_port(), starttls=starttls, implicit=implicit))

        yield make


@pytest.fixture(scope="session")
def postfix(authority: Authority, dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix that delivers to Dovecot's users by LMTP."""
    with postfix_server(authority, dovecot.lmtp_port) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A PostgreSQL for the whole session."""
    if ON_POSTGRESQL:
        yield shared_server()
        return
    with postgresql_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSql) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of its own."""
    with postgresql.new_database() as url:
        yield url


@pytest.fixture
def other_postgresql_url(postgresql: PostgreSql) -> Iterator[str]:
    """A second one."""
    with postgresql.new_database() as url:
        yield url
