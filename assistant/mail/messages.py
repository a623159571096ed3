"""Fetches messages of an open folder whole, in batches, past those that are huge, broken, gone, or fatal to the connection."""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Sequence

import structlog

from assistant.clock import Clock
from assistant.mail.fetching import (
    Fetched,
    Listed,
    ResponseItem,
    Stumbles,
    batches,
    parse_bodies,
    parse_listing,
    uid_set,
)
from assistant.mail.oversize import PART_LIMIT, Extract, compose_extract, leaf_parts, parse_structure
from assistant.mail.sentences import quotation
from assistant.mail.settings import MailboxSettings

log = structlog.get_logger("assistant.mail")

PATIENCE = 3
"""After so many refusals of one message it is kept as far as the server will give it."""

FATAL_PATIENCE = 8
"""The same for a message in the midst of which the connection breaks: a bad network does that as well, so it is tried
more often, over the minutes that the pauses between connections take."""

_BREAKS = "the connection breaks whenever this message is asked for"

FetchCommand = Callable[[str, str], list[ResponseItem]]
"""UID FETCH of a set of UIDs and items. Raises imaplib's errors and those of sockets."""


class MessageFetcher:
    """Works on whatever folder is open. `stumbles` outlives connections, so that no message can stop a mailbox."""

    def __init__(
        self, fetch: FetchCommand, settings: MailboxSettings, clock: Clock, stumbles: Stumbles, largest_literal: int
    ) -> None:
        self._fetch = fetch
        self._settings = settings
        self._clock = clock
        self._stumbles = stumbles
        self._largest_literal = largest_literal
        self._folder = ""
        self._uidvalidity = 0

    def batches(self, listed: Sequence[Listed], folder: str, uidvalidity: int) -> Iterator[list[Fetched]]:
        """`listed` ascends by UID, and so do the batches: limited by count and bytes, a huge message alone."""
        self._folder, self._uidvalidity = folder, uidvalidity
        limit = self._settings.max_message_bytes
        small: list[Listed] = []
        for message in listed:
            if message.size <= limit:
                small.append(message)
                continue
            yield from self._small(small)
            small = []
            yield [self._extract(message, f"larger than max_message_size: {message.size} bytes, limit {limit}")]
        yield from self._small(small)

    def once(self, listed: Listed) -> Fetched | None:
        """A message of which only a part was had: all of it, or None when the server still cannot. One attempt."""
        try:
            raw = parse_bodies(self._fetch(str(listed.uid), "(UID BODY.PEEK[])")).get(listed.uid)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return None
        if raw is None or len(raw) >= self._largest_literal or not raw:
            return None
        return self._made(listed, raw)

    def _small(self, listed: Sequence[Listed]) -> Iterator[list[Fetched]]:
        for batch in batches(listed, self._settings.batch_messages, self._settings.batch_bytes):
            if self._stumbles.attempts(*self._batch(batch[0])) < PATIENCE:
                yield self._together(batch)
            else:  # the connection broke in this batch again and again: what can be had is kept one by one
                for message in batch:
                    yield [self._alone(message)]

    def _together(self, batch: Sequence[Listed]) -> list[Fetched]:
        place = self._batch(batch[0])
        self._stumbles.again(*place)
        try:
            bodies = parse_bodies(self._fetch(uid_set([message.uid for message in batch]), "(UID BODY.PEEK[])"))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            bodies = {}  # one message can spoil the answer for all: ask for each
        self._stumbles.over(*place)
        return [self._fetched(message, bodies) for message in batch]

    def _fetched(self, listed: Listed, bodies: dict[int, bytes | None]) -> Fetched:
        raw = bodies.get(listed.uid)
        return self._alone(listed) if raw is None else self._whole(listed, raw)

    def _whole(self, listed: Listed, raw: bytes) -> Fetched:
        if len(raw) >= self._largest_literal:
            return self._made(listed, raw[: self._settings.beginning_bytes], "larger than the server had said")
        return self._made(listed, raw)

    def _alone(self, listed: Listed) -> Fetched:
        """One message that did not come with its batch."""
        place = self._place(listed)
        attempt = self._stumbles.again(*place)
        if attempt > FATAL_PATIENCE + 1:
            log.warning("message_breaks_connection", mailbox=self._settings.name, folder=self._folder, uid=listed.uid)
            self._stumbles.over(*place)
            return self._made(listed, b"", _BREAKS, again=True)
        if attempt > FATAL_PATIENCE:
            return self._beginning(listed, _BREAKS, again=True)
        try:
            bodies = parse_bodies(self._fetch(str(listed.uid), "(UID BODY.PEEK[])"))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            return self._refused(listed, error)
        if listed.uid not in bodies:
            if parse_listing(self._fetch(str(listed.uid), "(UID)")):
                return self._refused(listed, imaplib.IMAP4.error("the server leaves it out of its answer"))
            self._stumbles.over(*place)
            log.info("message_gone", mailbox=self._settings.name, folder=self._folder, uid=listed.uid)
            return Fetched(listed.uid, listed.internal_date or self._clock.now(), b"", gone=True)
        raw = bodies[listed.uid]
        if raw is None:
            return self._refused(listed, imaplib.IMAP4.error("the server gave NIL instead of the message"))
        self._stumbles.over(*place)
        return self._whole(listed, raw)

    def _refused(self, listed: Listed, error: Exception) -> Fetched:
        place = self._place(listed)
        if self._stumbles.attempts(*place) < PATIENCE:
            raise error
        log.warning("message_broken_on_server", mailbox=self._settings.name, folder=self._folder, uid=listed.uid)
        fetched = self._beginning(listed, f"the server cannot give this message: {quotation(error)}", again=True)
        self._stumbles.over(*place)
        return fetched

    def _extract(self, listed: Listed, problem: str) -> Fetched:
        """Of a message that is too large: its headers, its words, and a list of the parts that were left out."""
        place = self._place(listed)
        if self._stumbles.again(*place) > PATIENCE:
            return self._beginning(listed, problem)
        try:
            raw = self._extracted(listed)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raw = None
        if raw is None:
            return self._beginning(listed, problem)
        self._stumbles.over(*place)
        return self._made(listed, raw, problem)

    def _extracted(self, listed: Listed) -> bytes | None:
        structure = parse_structure(self._fetch(str(listed.uid), "(UID BODYSTRUCTURE)"), listed.uid)
        if structure is None:
            return None
        parts = leaf_parts(structure)
        header = self._section(listed, "HEADER")
        if not parts or not header:
            return None
        extract = Extract(header, parts)
        for part in parts[:PART_LIMIT] if parts[0].number != "TEXT" else ():
            extract.headers[part.number] = self._section(listed, f"{part.number}.MIME")
        words = extract.words
        if words is not None:
            extract.text = self._section(listed, words.number)
        return compose_extract(extract)

    def _beginning(self, listed: Listed, problem: str, *, again: bool = False) -> Fetched:
        """As much of a message as can be had: its first bytes, else its headers, else nothing."""
        for section in ("", "HEADER"):
            try:
                raw = self._section(listed, section)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error:
                continue
            if raw:
                break
        else:
            raw = b""
        self._stumbles.over(*self._place(listed))
        return self._made(listed, raw, problem, again=again)

    def _section(self, listed: Listed, section: str) -> bytes:
        """The first `beginning_bytes` of a section (RFC 3501 section 6.4.5); empty when the server gives none."""
        items = f"(UID BODY.PEEK[{section}]<0.{self._settings.beginning_bytes}>)"
        return parse_bodies(self._fetch(str(listed.uid), items)).get(listed.uid) or b""

    def _place(self, listed: Listed) -> tuple[str, int, int]:
        return self._folder, self._uidvalidity, listed.uid

    def _batch(self, first: Listed) -> tuple[str, int, int]:
        """A batch stumbles on its own account: that it came says nothing of its first message, which may be missing."""
        return self._folder, self._uidvalidity, -first.uid

    def _made(self, listed: Listed, raw: bytes, problem: str = "", *, again: bool = False) -> Fetched:
        date = listed.internal_date or self._clock.now()
        return Fetched(listed.uid, date, raw, bool(problem), max(listed.size, len(raw)), problem, again=again)
