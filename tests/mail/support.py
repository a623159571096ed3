"""What the tests of this room share: letters, a sink that remembers, and a reader in its thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from assistant.mail.completing import Part
from assistant.mail.imap import Fetched
from assistant.mail.reader import Cursor, MailboxReader
from assistant.mail.reconcile import FolderAccount
from tests.servers.processes import wait_until


def letter(name: str, *, size: int = 0) -> bytes:
    """A small message that can be told from others by its subject; `size` pads it."""
    head = f"From: lin@buyer.example\r\nTo: box@agency.example\r\nSubject: {name}\r\nMessage-ID: <{name}@buyer.example>\r\n\r\n"
    line = b"x" * 76 + b"\r\n"
    return head.encode() + b"hello\r\n" + line * (size // len(line))


def name_of(raw: bytes) -> str:
    return raw.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


@dataclass
class RememberingSink:
    """Keeps what the reader gives it as a database would: messages and cursor change together, or not at all."""

    messages: dict[tuple[str, int, int], Fetched] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)
    begun: list[tuple[str, int | None, int]] = field(default_factory=list)
    gone: list[tuple[str, int]] = field(default_factory=list)
    accounts: list[FolderAccount] = field(default_factory=list)
    compare: bool = False
    """Whether the ledger is to be compared with the server at the next turn."""
    parts_due: bool = False
    """Whether it is time to ask again for what was had only in part."""
    tried: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    fail_next: list[Exception] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def cursor(self, mailbox: str, folder: str) -> Cursor | None:
        return self.cursors.get(folder)

    def keep(
        self, mailbox: str, folder: str, uidvalidity: int, batch: Sequence[Fetched], gone: Sequence[int] = ()
    ) -> None:
        if self.fail_next:
            raise self.fail_next.pop(0)
        with self.arrived:
            for message in batch:
                key = (folder, uidvalidity, message.uid)
                assert key not in self.messages, "a message was given twice"
                self.messages[key] = message
                self.kept.append((folder, name_of(message.raw)))
            self.gone += [(folder, uid) for uid in gone]
            last = max([*gone, *(message.uid for message in batch)])
            before = self.cursors.get(folder)
            if before is not None and before.uidvalidity == uidvalidity:
                last = max(last, before.last_uid)
            self.cursors[folder] = Cursor(uidvalidity, last)
            self.batches.append(len(batch))
            self.arrived.notify_all()

    def reading(self, mailbox: str, folder: str) -> contextlib.AbstractContextManager[object]:  # a sink's signature
        return contextlib.nullcontext()

    def begin(self, mailbox: str, folder: str, uidvalidity: int, uidnext: int, old: int | None) -> None:
        self.begun.append((folder, old, uidvalidity))

    def accounted(self, mailbox: str, folder: str, uidvalidity: int, first_uid: int, last_uid: int) -> set[int]:
        return {
            uid
            for where, numbering, uid in self.messages
            if (where, numbering) == (folder, uidvalidity) and first_uid <= uid <= last_uid
        }

    def parts(self, mailbox: str, *, every: bool) -> Sequence[Part]:
        held = [Part(*key) for key, message in self.messages.items() if message.again]
        return sorted(held, key=lambda part: (part.folder, part.uid)) if every or self.parts_due else []

    def try_part(self, mailbox: str, part: Part, *, every: bool) -> bool:
        self.parts_due = False
        self.tried.append(part.uid)
        return True

    def complete(self, mailbox: str, part: Part, whole: Fetched) -> None:
        with self.arrived:
            self.messages[part.folder, part.uidvalidity, part.uid] = whole
            self.kept.append((part.folder, name_of(whole.raw)))
            self.arrived.notify_all()

    def give_up_part(self, mailbox: str, part: Part, why: str) -> None:
        key = (part.folder, part.uidvalidity, part.uid)
        self.messages[key] = replace(self.messages[key], again=False, problem=why)

    def reconcile_due(self, mailbox: str) -> bool:
        return self.compare

    def reconciled(self, mailbox: str, folders: Sequence[FolderAccount]) -> None:
        self.compare = False
        self.accounts += folders

    def status(self, mailbox: str, state: str, detail: str) -> None:
        self.states.append((state, detail))

    def names(self, folder: str = "INBOX") -> list[str]:
        return [name for where, name in self.kept if where == folder]

    def wait_for(self, count: int, seconds: float = 10.0) -> None:
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.kept) >= count, seconds)
        assert came, f"{len(self.kept)} of {count} messages after {seconds} s; {self.states}"

    def wait_for_state(self, state: str, seconds: float = 10.0) -> str:
        wait_until(lambda: any(seen == state for seen, _ in self.states), f"the reader says {state}", seconds)
        return next(detail for seen, detail in reversed(self.states) if seen == state)


@contextmanager
def reading(reader: MailboxReader) -> Iterator[threading.Event]:
    """Runs the reader in a thread; it must end within five seconds of being told."""
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive(), "the reader did not stop"
