"""One IMAP connection (RFC 3501) that reads folders by UID without losing, doubling or flagging anything.

Whatever goes wrong is a `ServerUnreachable` or `LoginRefused` whose sentence says what to do; after one, the connection
is of no use any more and a new one is made. A connection belongs to one thread; only `interrupt` may come from another.
"""

from __future__ import annotations

import imaplib
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog

from assistant.clock import Clock, SystemClock
from assistant.errors import AssistantError, ServerUnreachable
from assistant.mail.fetching import (
    Fetched,
    Listed,
    ResponseItem,
    Stumbles,
    has_holes,
    parse_bodies,
    parse_listing,
    uid_set,
)
from assistant.mail.folders import FolderMissing, FolderState, SpecialUse, find_special, listed_folders
from assistant.mail.login import log_in, open_client, server_of
from assistant.mail.messages import MessageFetcher
from assistant.mail.oauth import TokenSource
from assistant.mail.sentences import Server, quotation, throttled, throttled_error, unreachable
from assistant.mail.settings import MailboxSettings
from assistant.mail.waiting import IdleRefused, Stop, Waker, idle
from assistant.mail.wire import Client

__all__ = ["Fetched", "FolderMissing", "FolderState", "ImapConnection", "Stumbles"]

log = structlog.get_logger("assistant.mail")

WINDOW = 5_000
"""So many UIDs are listed at once at most; a line for each, so that no response grows without limit."""

LONGEST_IDLE = 5 * 60.0
"""Seconds. Servers may close after 30 minutes (RFC 2177), but NAT gateways forget a silent connection much sooner."""

LISTING_PATIENCE = 3
"""So often a list of messages is asked for anew when it has holes; then it is taken as it is (the ledger finds the rest)."""

UIDS_AT_ONCE = 200
"""So many UIDs are named in one command: they may all stand apart, and servers limit the length of a line."""

_LIBRARY_ERRORS = (imaplib.IMAP4.error, OSError, EOFError, ValueError, LookupError, AssertionError)
_LISTED = "(UID RFC822.SIZE INTERNALDATE)"
_APPENDED = re.compile(rb"\[APPENDUID \d+ (\d+)\]", re.IGNORECASE)


class ImapConnection:
    """A logged-in connection. Make one with `connect`; close it with `close`, also after an error."""

    def __init__(
        self, settings: MailboxSettings, client: Client, server: Server, clock: Clock, stumbles: Stumbles
    ) -> None:
        self.settings = settings
        self._client = client
        self._server = server
        self._clock = clock
        self._stumbles = stumbles
        self._folder = ""
        self._state = FolderState(0, 0, 0)
        self._idles = client.has_capability("IDLE") and (server.provider is None or server.provider.quirks.idle)
        self._idle_number = 0
        self._fresh = False
        self._waker = Waker()
        self._fetcher = MessageFetcher(self._fetch, settings, clock, stumbles, client.wire.largest_literal)

    @classmethod
    def connect(
        cls,
        settings: MailboxSettings,
        token_source: TokenSource | None = None,
        *,
        clock: Clock | None = None,
        stumbles: Stumbles | None = None,
    ) -> ImapConnection:
        """Connects, logs in and says who we are. `clock` dates messages to which the server gives no date."""
        server = server_of(settings)
        try:
            client = open_client(settings, server)
        except _LIBRARY_ERRORS as error:
            raise unreachable(error, server) from error
        try:
            log_in(client, settings, server, token_source)
            return cls(settings, client, server, clock or SystemClock(), stumbles or Stumbles())
        except BaseException as error:
            client.wire.shutdown()
            if isinstance(error, _LIBRARY_ERRORS):
                raise unreachable(error, server) from error
            raise

    @property
    def idles(self) -> bool:
        """Whether `wait` is told of new mail by the server; else it asks every so often."""
        return self._idles

    @property
    def poll_seconds(self) -> float:
        """How often a folder that nobody watches should be looked at."""
        provider = self._server.provider
        return max(self.settings.poll_seconds, provider.quirks.poll_seconds if provider else 0.0)

    def open(self, folder: str, *, writable: bool = False) -> FolderState:
        """Opens `folder` (EXAMINE, so that reading can change nothing; SELECT with `writable`)."""
        with self._sentences():
            try:
                answer = self._client.select_folder(folder, readonly=not writable)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                raise self._cannot_open(folder, error) from error
            self._folder = folder
            wire = self._client.wire
            wire.exists, wire.news = int(answer.get(b"EXISTS", 0)), False
            self._fresh = True
            self._state = FolderState(int(answer.get(b"UIDVALIDITY", 0)), int(answer.get(b"UIDNEXT", 0)), wire.exists)
            return self._state

    def look(self, folder: str) -> FolderState:
        """What STATUS says of a folder without opening it (RFC 3501 section 6.3.10)."""
        with self._sentences():
            try:
                answer = self._client.folder_status(folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                raise self._cannot_open(folder, error) from error
            return FolderState(
                int(answer.get(b"UIDVALIDITY", 0)), int(answer.get(b"UIDNEXT", 0)), int(answer.get(b"MESSAGES", 0))
            )

    def folders(self) -> list[str]:
        """The names of all folders, as people see them."""
        with self._sentences():
            return [name for _, _, name in listed_folders(self._client.list_folders())]

    def fetch_after(self, last_uid: int) -> Iterator[list[Fetched]]:
        """The messages of the open folder with a UID above `last_uid`, ascending, in batches limited by count and bytes.

        Nothing is flagged. A message that vanished meanwhile comes as `gone`; one that the server cannot give whole, or
        that is larger than we keep, comes `truncated`, with a `problem`.
        """
        self._catch_up()
        for listed in self._listings(last_uid):
            yield from self._messages(listed)

    def fetch_uids(self, uids: Sequence[int]) -> Iterator[list[Fetched]]:
        """These messages of the open folder, as `fetch_after` gives them; `uids` ascend. Those that are not there any
        more come as `gone`."""
        for start in range(0, len(uids), UIDS_AT_ONCE):
            wanted = uids[start : start + UIDS_AT_ONCE]
            listed = [row for row in self._list(uid_set(wanted), 0) if row.uid in set(wanted)]
            there = {row.uid for row in listed}
            absent = [Fetched(uid, self._clock.now(), b"", gone=True) for uid in wanted if uid not in there]
            if absent:
                yield absent
            yield from self._messages(listed)

    def fetch_again(self, uid: int) -> Fetched | None:
        """One message of the open folder, of which only a part was had before; None when the server still cannot give
        it whole. `gone` when it is not there any more."""
        with self._sentences():
            listed = [row for row in parse_listing(self._fetch(str(uid), _LISTED)) if row.uid == uid]
            if not listed:
                return Fetched(uid, self._clock.now(), b"", gone=True)
            if listed[0].size > self.settings.max_message_bytes:
                return None
            return self._fetcher.once(listed[0])

    def uid_windows(self) -> Iterator[list[int]]:
        """The UIDs of all messages in the open folder, ascending, at most `WINDOW` at a time.

        Goes by sequence numbers, which stay put while only FETCH is used (RFC 3501 section 7.4.1), so that UIDs with
        gaps of millions cost nothing.
        """
        exists = self._client.wire.exists
        for first in range(1, exists + 1, WINDOW):
            with self._sentences():
                typ, data = self._client.wire.fetch(f"{first}:{min(first + WINDOW - 1, exists)}", "(UID)")
                if typ != "OK":
                    raise imaplib.IMAP4.error(quotation(data[-1] if data and data[-1] else typ))
                yield [row.uid for row in parse_listing(data)]

    def _messages(self, listed: Sequence[Listed]) -> Iterator[list[Fetched]]:
        with self._sentences():
            yield from self._fetcher.batches(listed, self._folder, self._state.uidvalidity)

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Waits for new mail in the open folder, at most `seconds`; True when there is reason to look. Ends early on
        `stop` and on `interrupt`. Look in any case: a False does not promise that nothing came."""
        with self._sentences():
            if self._client.wire.news:
                return True
            if self._idles:
                self._idle_number += 1
                tag = b"W%d" % self._idle_number
                timeout = self.settings.timeout_seconds
                try:
                    return idle(self._client.wire, tag, min(seconds, LONGEST_IDLE), timeout, stop, self._waker)
                except IdleRefused as refusal:
                    log.info("idle_refused", mailbox=self.settings.name, answer=quotation(refusal))
                    self._idles = False
            woken = self._waker.pause(min(seconds, self.poll_seconds), stop)
        if stop.is_set():
            return woken
        return self._changed() or woken

    def give_up_on(self, stop: threading.Event) -> None:
        """From now on no answer is waited for longer than two seconds once `stop` is set."""
        self._client.wire.stopping = stop

    def interrupt(self) -> None:
        """Ends a `wait` in another thread at once; it returns True."""
        self._waker.wake()

    def append(self, folder: str, raw: bytes, flags: Sequence[str], at: datetime | None) -> int | None:
        """Puts a message into `folder`, which is created if need be. Returns its UID where the server tells (RFC 4315)."""
        with self._sentences():
            try:
                answer = self._client.append(folder, raw, flags, at)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                if "TRYCREATE" not in str(error).upper():
                    raise
                self._client.create_folder(folder)
                answer = self._client.append(folder, raw, flags, at)
            found = _APPENDED.search(answer or b"")
            return int(found.group(1)) if found else None

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        """The UIDs in `folder` whose Message-ID is exactly `message_id` (without < >). Leaves `folder` open."""
        self.open(folder)
        with self._sentences():
            found = sorted(self._client.search(["HEADER", "Message-ID", message_id]))
            if not found:
                return []
            items = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"  # servers search by substring
            wanted = f"<{message_id}>".encode("utf-8", "surrogateescape")
            fields = parse_bodies(self._fetch(uid_set(found), items))
            return [uid for uid in found if wanted in (fields.get(uid) or b"")]

    def special_folder(self, use: SpecialUse) -> str | None:
        """The name of the folder for sent mail, drafts and so on; None when there is none."""
        with self._sentences():
            return find_special(listed_folders(self._client.list_folders()), use)

    def delete_uid(self, folder: str, uid: int) -> None:
        """Deletes one message for good where the server can expunge by UID; else flags it \\Deleted, because a bare
        EXPUNGE would also remove what other people have flagged. Leaves `folder` open."""
        self.open(folder, writable=True)
        with self._sentences():
            self._client.add_flags([uid], [b"\\Deleted"], silent=True)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge([uid])

    def close(self) -> None:
        """Logs out as far as the server still answers. Never raises."""
        try:
            self._client.wire.stopping = None
            self._client.wire.patience(2.0)
            self._client.logout()
        except _LIBRARY_ERRORS:
            self._client.wire.shutdown()
        finally:
            self._waker.close()

    # Listing: which messages there are.

    def _listings(self, last_uid: int) -> Iterator[list[Listed]]:
        low, state = last_uid + 1, self._state
        if state.exists > WINDOW and state.uidnext - low > WINDOW:
            while low < state.uidnext:
                high = min(low + WINDOW, state.uidnext) - 1
                listed = self._list(f"{low}:{high}", low)
                if listed:
                    yield listed
                    low = high + 1
                else:  # UIDs may have gaps of millions; do not walk through them
                    low = max(self._next_uid(high + 1), high + 1)
        listed = self._list(f"{low}:*", low)
        if listed:
            yield listed

    def _list(self, uids: str, low: int) -> list[Listed]:
        with self._sentences():
            self._client.wire.news = self._fresh = False
            data = self._fetch(uids, _LISTED)
            rows = parse_listing(data)
            if low and has_holes(data, rows):  # perhaps mail that people have just removed: let the server say so
                self._client.noop()
                data = self._fetch(uids, _LISTED)
                rows = parse_listing(data)
            place = (self._folder, self._state.uidvalidity, 0)
            if low and has_holes(data, rows) and self._stumbles.again(*place) < LISTING_PATIENCE:
                raise imaplib.IMAP4.error("it leaves messages out of its list")
            self._stumbles.over(*place)
        # `n:*` past the end gives the last message (RFC 3501 section 6.4.8), and others may come unasked.
        return [row for row in rows if row.uid >= low]

    def _next_uid(self, low: int) -> int:
        """The smallest UID from `low` on, by bisection over sequence numbers, which stay put while only FETCH is used
        (RFC 3501 section 7.4.1); UIDNEXT when there is none."""
        state = self.open(self._folder)
        first, last = 1, state.exists + 1
        found = state.uidnext
        while first < last:
            middle = (first + last) // 2
            with self._sentences():
                typ, data = self._client.wire.fetch(str(middle), "(UID)")
                rows = parse_listing(data) if typ == "OK" else []
            if not rows:
                return low  # somebody removed that very message; the slow way is still right
            if rows[0].uid >= low:
                found, last = rows[0].uid, middle
            else:
                first = middle + 1
        return found

    # What is under all of it.

    def _fetch(self, uids: str, items: str) -> list[ResponseItem]:
        typ, data = self._client.wire.uid("FETCH", uids, items)
        if typ != "OK":
            raise imaplib.IMAP4.error(quotation(data[-1] if data and data[-1] else typ))
        return list(data)

    def _catch_up(self) -> None:
        """An open session shows only what it has been told of (RFC 3501 section 7): ask, unless it was told just now."""
        if self._fresh or self._client.wire.news:
            return
        if self._idles:
            with self._sentences():
                self._client.noop()
        else:
            self._changed()

    def _changed(self) -> bool:
        """Asks twice, because servers differ in what they tell an open session: NOOP, and STATUS."""
        with self._sentences():
            self._client.noop()
            if self._client.wire.news:
                return True
        before, now = self._state, self.look(self._folder)
        if now.uidnext:
            changed = (now.uidvalidity, now.uidnext) != (before.uidvalidity, before.uidnext)
        else:
            changed = now.exists != before.exists
        if changed:
            self.open(self._folder)  # some servers show new mail to a fresh EXAMINE only
        return changed

    def _cannot_open(self, folder: str, error: Exception) -> AssistantError:
        text = str(error)
        if throttled(text):
            return throttled_error(self._server, text)
        if "unsafe login" in text.lower():
            hint = self._server.provider.hint if self._server.provider else None
            advice = f" {hint.en} {hint.zh}" if hint else ""
            return ServerUnreachable(
                f"{self._server} takes this program for an unsafe client: {quotation(text)}.{advice}"
            )
        names = [name for _, _, name in listed_folders(self._client.list_folders())]
        if folder in names:
            return ServerUnreachable(f"{self._server} does not open the folder {folder}: {quotation(text)}.")
        return FolderMissing(
            f"The mailbox {self.settings.name} at {self._server} has no folder {folder}; set folders to some of: "
            f"{', '.join(names) or 'none at all'}."
        )

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except AssistantError:
            raise
        except _LIBRARY_ERRORS as error:
            raise unreachable(error, self._server) from error
