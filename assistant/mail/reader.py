"""A loop that holds: reads one mailbox for as long as the daemon lives, whatever the server does.

Connect, look at every folder by UID, hand batches to the sink, wait for a hint, look again. The sink keeps raw mail,
location and cursor in one transaction, so a connection may break anywhere: the next one goes on after the last message
that was really kept. Flags on the server are nobody's memory here, because people read the shared inbox too.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from assistant.clock import Clock, SystemClock, monotonic
from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.backoff import Backoff, ByteBudget
from assistant.mail.completing import PartBook, fetch_again
from assistant.mail.fetching import Fetched
from assistant.mail.imap import LONGEST_IDLE, FolderMissing, FolderState, ImapConnection, Stumbles
from assistant.mail.login import server_of
from assistant.mail.oauth import TokenSource
from assistant.mail.reconcile import FolderAccount, reconcile_folder
from assistant.mail.sentences import Throttled
from assistant.mail.settings import MailboxSettings

log = structlog.get_logger("assistant.mail")

REFUSED_PAUSE = 60.0
"""Seconds at least between two logins that are refused: providers lock mailboxes that try too often."""

FEW_LOGINS_PAUSE = 15.0

FOLDERS_COMPARED = 50
"""So many folders are asked for their numbering when one has disappeared."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder has been kept: everything up to `last_uid` within `uidvalidity`."""

    uidvalidity: int
    last_uid: int


class MailSink(PartBook, Protocol):
    """Where mail goes. Called from the reader's thread only; may raise AssistantError (no database, full disk): the
    reader then tries again later from the same cursor."""

    def cursor(self, mailbox: str, folder: str) -> Cursor | None:
        """How far this folder has been kept; None when it was never read."""

    def begin(self, mailbox: str, folder: str, uidvalidity: int, uidnext: int, old: int | None) -> None:
        """The folder is read for the first time (`old` is None), or the server has numbered it anew: everything in it
        comes again and must be recognised by content. Mail below `uidnext` that is missing was gone before us."""

    def keep(
        self, mailbox: str, folder: str, uidvalidity: int, batch: Sequence[Fetched], gone: Sequence[int] = ()
    ) -> None:
        """Keeps raw mail, location and the new cursor (the last UID of both) in ONE transaction. After this returns
        the messages are never asked for again. `gone` are UIDs that vanished between being shown and being read."""

    def reading(self, mailbox: str, folder: str) -> AbstractContextManager[object]:
        """Within it nobody else reads this folder; waits for another worker, and raises AssistantError when that does
        not finish. What the other has kept by then is not asked for again."""

    def accounted(self, mailbox: str, folder: str, uidvalidity: int, first_uid: int, last_uid: int) -> set[int]:
        """The UIDs from `first_uid` to `last_uid` whose messages are kept."""

    def reconcile_due(self, mailbox: str) -> bool:
        """Whether the ledger should be compared with the server now."""

    def reconciled(self, mailbox: str, folders: Sequence[FolderAccount]) -> None:
        """What a comparison found; gaps have been fetched and kept by then."""

    def status(self, mailbox: str, state: str, detail: str) -> None:
        """What the reader is doing, when it changes: connecting, watching, polling, throttled, unreachable, refused,
        folder_missing (the others are read on), stopped. `detail` is a sentence, empty when all is well."""


class Connector(Protocol):
    """Makes a connection; `ImapConnection.connect` unless a test watches."""

    def __call__(
        self, settings: MailboxSettings, token_source: TokenSource | None = None, *, clock: Clock, stumbles: Stumbles
    ) -> ImapConnection: ...


@dataclass(slots=True)
class _Look:
    """Somebody in another thread wants a whole look at the mailbox, begun after they asked."""

    done: threading.Event = field(default_factory=threading.Event)
    kept: int = 0
    error: AssistantError | None = None


@dataclass(slots=True)
class _Session:
    """One connection and what it knows."""

    connection: ImapConnection
    opened: str = ""
    uidvalidity: int = 0
    uidnext: int = 0
    looked: dict[str, FolderState] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class MailboxReader:
    """Reads one mailbox into a sink. `run` holds forever in a thread; `read_once` is a single whole look.

    `on_new` is called after every batch that was kept. `source` and `wait` make pauses reproducible.
    """

    def __init__(
        self,
        settings: MailboxSettings,
        sink: MailSink,
        *,
        token_source: TokenSource | None = None,
        on_new: Callable[[], None] | None = None,
        clock: Clock | None = None,
        source: random.Random | None = None,
        wait: Callable[[threading.Event, float], object] | None = None,
        connect: Connector | None = None,
        idle_seconds: float = LONGEST_IDLE,
    ) -> None:
        self.settings = settings
        self._sink = sink
        self._token_source = token_source
        self._on_new = on_new
        self._clock = clock or SystemClock()
        self._wait = wait or (lambda stop, seconds: stop.wait(seconds))
        self._connect: Connector = connect or ImapConnection.connect
        self._idle_seconds = idle_seconds
        provider = server_of(settings).provider
        self._few_logins = provider is not None and provider.quirks.few_logins
        self._backoff = Backoff(source or random.Random())  # noqa: S311  # spreads load, keeps no secret
        self._budget = ByteBudget(provider.quirks.daily_bytes if provider else 0, monotonic)
        self._stumbles = Stumbles()
        self._lock = threading.Lock()
        self._once = threading.Lock()
        self._running = False
        self._failure: AssistantError | None = None
        self._connection: ImapConnection | None = None
        self._looks: list[_Look] = []
        self._said = ("", "")

    # For other threads.

    def read_once(self, timeout_seconds: float | None = None) -> int:
        """One whole look at every folder, begun now; returns how many messages were kept.

        While `run` holds, its connection does the work (providers punish frequent logins); else one is made and closed.
        Raises ServerUnreachable or LoginRefused: the answer is then not known.
        """
        with self._lock:
            if self._running:
                if self._failure is not None:
                    raise self._failure.with_traceback(None)
                look = _Look()
                self._looks.append(look)
                if self._connection is not None:
                    self._connection.interrupt()
            else:
                look = None
        if look is None:
            return self._single_look()
        patience = timeout_seconds if timeout_seconds is not None else self.settings.timeout_seconds * 2
        if not look.done.wait(patience):
            raise ServerUnreachable(
                f"The mailbox {self.settings.name} was not read to its end within {patience:g} seconds."
            )
        if look.error is not None:
            raise look.error.with_traceback(None)
        return look.kept

    def reconcile(self) -> list[FolderAccount]:
        """Reads what is new, then compares every folder with what is kept, fetches what is missing, and tells the sink.

        Over a connection of its own. Raises ServerUnreachable or LoginRefused.
        """
        with self._once:
            connection = self._connect(self.settings, self._token_source, clock=self._clock, stumbles=self._stumbles)
            try:
                session = _Session(connection)
                with suppress(FolderMissing):  # which the comparison says as well
                    self._look(session, threading.Event())
                found = self._reconcile(session)
                self._sink.reconciled(self.settings.name, found)
                with suppress(ServerUnreachable):  # it may break on one of them: the comparison stands
                    self._complete(session, every=True)
            finally:
                connection.close()
        return found

    def run(self, stop: threading.Event) -> None:
        """Reads until `stop`. Never raises: what goes wrong is said to the sink, then tried again after a pause."""
        with self._lock:
            self._running = True
        try:
            while not stop.is_set():
                pause = self._serve(stop)
                if pause > 0 and not stop.is_set():
                    self._wait(stop, pause)
        finally:
            with self._lock:
                self._running = False
            self._settle_looks(ServerUnreachable(f"The mailbox {self.settings.name} is not being read any more."))
            self._say("stopped")

    # The loop.

    def _serve(self, stop: threading.Event) -> float:
        """One connection from login to its end; returns the seconds to pause."""
        began = monotonic()
        try:
            self._say("connecting")
            self._hold(stop)
        except AssistantError as error:
            return 0.0 if stop.is_set() else self._failed(error, monotonic() - began)
        except Exception as error:  # a bug or a broken disk must not end the reading of mail
            log.error("mailbox_failed", mailbox=self.settings.name, error=type(error).__name__, exc_info=error)
            detail = f"Reading {self.settings.name} failed unexpectedly ({type(error).__name__}); it is tried again."
            return self._failed(AssistantError(detail), monotonic() - began)
        return 0.0

    def _hold(self, stop: threading.Event) -> None:
        connection = self._connect(self.settings, self._token_source, clock=self._clock, stumbles=self._stumbles)
        session = _Session(connection)
        connection.give_up_on(stop)
        try:
            with self._lock:
                self._connection, self._failure = connection, None
            while not stop.is_set():
                with self._lock:
                    looks, self._looks = self._looks, []
                try:
                    kept = self._look(session, stop)
                except BaseException:
                    with self._lock:
                        self._looks = looks + self._looks
                    raise
                for look in looks:
                    look.kept = kept
                    look.done.set()
                if self._sink.reconcile_due(self.settings.name) and not stop.is_set():
                    self._sink.reconciled(self.settings.name, self._reconcile(session))
                    continue  # another folder is open now, and mail may have come meanwhile
                if not stop.is_set() and self._complete(session):
                    continue
                if session.missing:
                    self._say("folder_missing", " ".join(session.missing.values()))
                else:
                    self._say("watching" if connection.idles else "polling")
                if not self._looks:
                    connection.wait(self._longest_wait(connection), stop)
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def _longest_wait(self, connection: ImapConnection) -> float:
        return min(self._idle_seconds, connection.poll_seconds) if self.settings.folders[1:] else self._idle_seconds

    def _failed(self, error: AssistantError, lived: float) -> float:
        self._backoff.lived(lived)
        state, at_least = "unreachable", 0.0
        if isinstance(error, LoginRefused):
            state, at_least = "refused", REFUSED_PAUSE
        elif isinstance(error, Throttled):
            state, at_least = "throttled", error.seconds or REFUSED_PAUSE
        elif isinstance(error, FolderMissing):
            state, at_least = "folder_missing", REFUSED_PAUSE
        elif self._few_logins:
            at_least = FEW_LOGINS_PAUSE
        with self._lock:
            self._failure = error
        self._settle_looks(error)
        pause = self._backoff.next_pause(at_least)
        log.warning("mailbox_lost", mailbox=self.settings.name, state=state, pause_seconds=round(pause, 1))
        self._say(state, str(error))
        return pause

    def _settle_looks(self, error: AssistantError) -> None:
        with self._lock:
            looks, self._looks = self._looks, []
        for look in looks:
            look.error = error
            look.done.set()

    def _single_look(self) -> int:
        with self._once:
            connection = self._connect(self.settings, self._token_source, clock=self._clock, stumbles=self._stumbles)
            try:
                return self._look(_Session(connection), threading.Event())
            finally:
                connection.close()

    # One look: the watched folder first, because somebody waits for its mail.

    def _look(self, session: _Session, stop: threading.Event) -> int:
        watched, *others = self.settings.folders
        kept, lost = 0, None
        try:
            kept = self._read_watched(session, watched, stop)
        except FolderMissing as error:
            lost = self._renamed(session, watched, error)
        for folder in others:
            if stop.is_set():
                return kept
            try:
                kept += self._read_other(session, folder, stop)
                session.missing.pop(folder, None)
            except FolderMissing as error:
                session.missing[folder] = str(self._renamed(session, folder, error))
        if lost is not None:  # the others were read; but nobody may think that the mailbox was
            raise lost
        if session.opened != watched and not stop.is_set():
            kept += self._read_watched(session, watched, stop)
        return kept

    def _renamed(self, session: _Session, folder: str, error: FolderMissing) -> FolderMissing:
        """The same error, with the folder's new name where its numbering (UIDVALIDITY) gives it away."""
        cursor = self._sink.cursor(self.settings.name, folder)
        if cursor is None or folder in session.missing:
            return error
        found = []
        for name in session.connection.folders()[:FOLDERS_COMPARED]:
            with suppress(FolderMissing):
                state = session.connection.look(name)
                if state.uidvalidity == cursor.uidvalidity and state.uidnext > cursor.last_uid:
                    found.append(name)
        new = [name for name in found if name not in self.settings.folders]
        return FolderMissing(f"{error} It seems to be called {new[0]} now.") if len(found) == len(new) == 1 else error

    def _reconcile(self, session: _Session) -> list[FolderAccount]:
        found = []
        for folder in self.settings.folders:
            session.opened = ""
            found.append(reconcile_folder(session.connection, self._sink, self.settings.name, folder))
        if self._on_new is not None and any(account.fetched for account in found):
            self._on_new()
        return found

    def _complete(self, session: _Session, *, every: bool = False) -> bool:
        """Asks again for what could be had only in part; whether there was anything to ask for."""
        if not self._sink.parts(self.settings.name, every=every):
            return False
        session.opened = ""
        if fetch_again(session.connection, self._sink, self.settings.name, every=every) and self._on_new is not None:
            self._on_new()
        return True

    def _read_watched(self, session: _Session, folder: str, stop: threading.Event) -> int:
        if session.opened != folder:
            self._open(session, folder)
        return self._read(session, folder, stop)

    def _read_other(self, session: _Session, folder: str, stop: threading.Event) -> int:
        state = session.connection.look(folder)
        if state.uidnext and session.looked.get(folder) == state:
            return 0
        cursor = self._sink.cursor(self.settings.name, folder)
        if cursor is not None and cursor.uidvalidity == state.uidvalidity and cursor.last_uid + 1 == state.uidnext:
            session.looked[folder] = state
            return 0
        self._open(session, folder)
        kept = self._read(session, folder, stop)
        if not stop.is_set():
            session.looked[folder] = state
        return kept

    def _open(self, session: _Session, folder: str) -> None:
        session.opened = ""
        state = session.connection.open(folder)
        session.uidvalidity, session.uidnext = state.uidvalidity, state.uidnext
        session.opened = folder

    def _read(self, session: _Session, folder: str, stop: threading.Event) -> int:
        with self._sink.reading(self.settings.name, folder):
            return self._read_alone(session, folder, stop)

    def _read_alone(self, session: _Session, folder: str, stop: threading.Event) -> int:
        mailbox, kept = self.settings.name, 0
        for batch in session.connection.fetch_after(self._start(session, folder)):
            there = [message for message in batch if not message.gone]
            self._sink.keep(
                mailbox, folder, session.uidvalidity, there, [message.uid for message in batch if message.gone]
            )
            kept += len(there)
            size = sum(len(message.raw) for message in there)
            log.info(
                "mail_kept", mailbox=mailbox, folder=folder, messages=len(there), bytes=size, last_uid=batch[-1].uid
            )
            if self._on_new is not None:
                self._on_new()
            self._budget.spend(size)
            self._rest(stop)
            if stop.is_set():
                break
        return kept

    def _start(self, session: _Session, folder: str) -> int:
        mailbox = self.settings.name
        cursor = self._sink.cursor(mailbox, folder)
        if cursor is not None and cursor.uidvalidity == session.uidvalidity:
            return cursor.last_uid
        old = cursor.uidvalidity if cursor is not None else None
        if old is not None:
            log.warning("uidvalidity_changed", mailbox=mailbox, folder=folder, old=old, new=session.uidvalidity)
        self._sink.begin(mailbox, folder, session.uidvalidity, session.uidnext, old)
        return 0

    def _rest(self, stop: threading.Event) -> None:
        pause = self._budget.pause()
        if pause > 0:
            self._say("throttled", f"The day's download allowance is used up; reading goes on in {pause:.0f} seconds.")
            self._wait(stop, pause)

    def _say(self, state: str, detail: str = "") -> None:
        if (state, detail) != self._said:
            self._said = (state, detail)
            self._sink.status(self.settings.name, state, detail)
