"""From configuration to the settings that adapters take: secrets resolved, paths made absolute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.config import Config, resolve_secret

if TYPE_CHECKING:
    from assistant.config import Mailbox, OAuth, Submission
    from assistant.mail.oauth import TokenSource
    from assistant.mail.settings import MailboxSettings, OAuthSettings, Secret, SubmissionSettings


def mailbox_settings(mailbox: Mailbox, base: Path, poll: timedelta) -> MailboxSettings:
    from assistant.mail.settings import MailboxSettings, Secret

    return MailboxSettings(
        name=mailbox.user,
        host=mailbox.host,
        port=mailbox.port,
        tls=mailbox.tls,
        user=mailbox.user,
        secret=Secret(resolve_secret(mailbox.password, base)) if mailbox.password else None,
        folders=mailbox.folders,
        auth=mailbox.auth,
        oauth=oauth_settings(mailbox.oauth, base),
        ca_file=_file(mailbox.ca_file, base),
        timeout_seconds=mailbox.timeout.total_seconds(),
        poll_seconds=poll.total_seconds(),
        max_message_bytes=mailbox.max_message_size,
    )


def submission_settings(submission: Submission, base: Path) -> SubmissionSettings:
    from assistant.mail.settings import Secret, SubmissionSettings

    return SubmissionSettings(
        host=submission.host,
        port=submission.port,
        tls=submission.tls,
        user=submission.user,
        secret=Secret(resolve_secret(submission.password, base)) if submission.password else None,
        auth=submission.auth,
        oauth=oauth_settings(submission.oauth, base),
        ca_file=_file(submission.ca_file, base),
        timeout_seconds=submission.timeout.total_seconds(),
    )


def oauth_settings(oauth: OAuth | None, base: Path) -> OAuthSettings | None:
    from assistant.mail.settings import OAuthSettings, Secret

    if oauth is None:
        return None
    return OAuthSettings(
        token_endpoint=oauth.token_endpoint,
        client_id=oauth.client_id,
        refresh_token=Secret(resolve_secret(oauth.refresh_token, base)),
        client_secret=Secret(resolve_secret(oauth.client_secret, base)) if oauth.client_secret else None,
        scope=oauth.scope,
    )


def token_source(oauth: OAuthSettings | None, on_rotated: Callable[[Secret], None] | None = None) -> TokenSource | None:
    from assistant.mail.oauth import TokenSource

    return TokenSource(oauth, on_rotated=on_rotated) if oauth is not None else None


def resolve_url(url: str, base: Path) -> str:
    """The database URL; `env:NAME` and `file:PATH` keep a password in it out of the file."""
    return resolve_secret(url, base) if url.startswith(("env:", "file:", "keyring:")) else url


def only_loopback(config: Config) -> bool:
    """Whether every configured server is on this machine: the condition for time travel with real sending."""
    from assistant.mail.tls import is_loopback

    return all(is_loopback(server.host) for server in (config.mailbox, config.submission) if server is not None)


def _file(path: str | None, base: Path) -> str | None:
    """A path in the configuration is relative to its file."""
    return str(base / path) if path else None
