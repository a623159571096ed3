"""From configuration to the settings that adapters take: secrets resolved, paths made absolute."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from assistant.config import Config, keep_secret, resolve_secret
from assistant.errors import AssistantError
from assistant.model.people import MailboxProof

if TYPE_CHECKING:
    from assistant.config import Mailbox, OAuth, Submission
    from assistant.mail.oauth import TokenSource
    from assistant.mail.settings import MailboxSettings, OAuthSettings, Secret, SubmissionSettings

_log = structlog.get_logger("assistant")


def mailbox_settings(mailbox: Mailbox, base: Path, poll: timedelta) -> MailboxSettings:
    from assistant.mail.settings import MailboxSettings, Secret

    return MailboxSettings(
        name=mailbox.name,
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


class TokenSources:
    """One source of tokens for all servers that authorise alike. A refresh token that the provider replaces is written
    back to the files it came from; other places a person must change."""

    def __init__(self, config: Config, base: Path) -> None:
        self._config = config
        self._base = base
        self._sources: dict[OAuthSettings, TokenSource] = {}

    def source(self, oauth: OAuthSettings | None) -> TokenSource | None:
        """None where nothing is authorised so."""
        if oauth is None:
            return None
        if oauth not in self._sources:
            self._sources[oauth] = self._new_source(oauth)
        return self._sources[oauth]

    def _new_source(self, oauth: OAuthSettings) -> TokenSource:
        from assistant.mail.oauth import TokenSource

        places = self._places(oauth)
        return TokenSource(
            oauth, on_rotated=lambda token: self._keep(places, token), stored=lambda: self._stored(places)
        )

    def _places(self, oauth: OAuthSettings) -> list[str]:
        """Where this refresh token stands; other mailboxes have their own."""
        found: dict[str, None] = {}
        for table in self._config.oauth_tables:
            with suppress(AssistantError):
                if oauth_settings(table, self._base) == oauth:
                    found[table.refresh_token] = None
        return list(found)

    def _keep(self, places: list[str], token: Secret) -> None:
        for reference in places:
            try:
                kept = keep_secret(reference, self._base, token.reveal())
            except OSError as error:  # this process has it still, the next one would not
                _log.error(
                    "refresh_token_not_stored",
                    where=reference,
                    reason=error.strerror,
                    action="let this user write there; without it the next start has to be authorised anew",
                )
                continue
            if not kept:
                _log.warning("refresh_token_replaced", where=reference, action="store the new one, the old one may end")

    def _stored(self, places: list[str]) -> Secret | None:
        from assistant.mail.settings import Secret

        for reference in places:
            with suppress(AssistantError):
                return Secret(resolve_secret(reference, self._base))
        return None


def proof_of_all(config: Config) -> tuple[str, tuple[str, ...], bool]:
    """Authserv-id, hosts, and whether DKIM proves: for mail that came through no mailbox, or through the only one.

    Where several mailboxes differ no verdict counts: one server may have let pass what another would have written itself.
    """
    ids = {box.authserv_id for box in config.mailbox}
    hosts = tuple(dict.fromkeys(server.host.lower() for server in config.servers))
    return (ids.pop() if len(ids) == 1 else ""), hosts, any(box.verify_dkim for box in config.mailbox)


def proofs_of_mailboxes(config: Config) -> tuple[MailboxProof, ...]:
    """What holds for each of several mailboxes; nothing where there is only one."""
    boxes = config.mailbox if len(config.mailbox) > 1 else ()
    ours = (config.submission.host.lower(),) if config.submission else ()
    return tuple(MailboxProof(box.name, box.authserv_id, (box.host.lower(), *ours), box.verify_dkim) for box in boxes)


def proved_in(config: Config) -> frozenset[str] | None:
    """The mailboxes whose mail is proved by DKIM; None where that is all mail."""
    if len(config.mailbox) < 2 or all(box.verify_dkim for box in config.mailbox):
        return None
    return frozenset(box.name for box in config.mailbox if box.verify_dkim)


def resolve_url(url: str, base: Path) -> str:
    """The database URL; `env:NAME` and `file:PATH` keep a password in it out of the file."""
    return resolve_secret(url, base) if url.startswith(("env:", "file:", "keyring:")) else url


def only_loopback(config: Config) -> bool:
    """Whether every configured server is on this machine: the condition for time travel with real sending."""
    from assistant.mail.tls import is_loopback

    return all(is_loopback(server.host) for server in config.servers)


def _file(path: str | None, base: Path) -> str | None:
    """A path in the configuration is relative to its file."""
    return str(base / path) if path else None
