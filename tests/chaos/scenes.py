"""What people, the server and the machine do in a life beside the lines between them: to the mailbox, its login, the database."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import trustme

from assistant.intake.keep import header_date
from tests.chaos.correspondence import MONDAY_PASS, Letter
from tests.chaos.plans import Certificate, Event, Life
from tests.servers.authority import Authority, context_of
from tests.servers.dovecot import Mailbox
from tests.servers.impostor import Impostor, impostor
from tests.servers.oauth_endpoint import OAuthEndpoint

FOLDERS = ("INBOX", "Sent", "Clients")
"""What is read."""
_RENAMED, _UNREAD = "Old clients", "Archive"
_AGAIN_SECONDS = 0.05


@dataclass
class MailboxScene:
    """A mailbox in which people and the server are at work. `gone` are letters that may never have been seen."""

    mailbox: Mailbox
    chance: random.Random
    gone: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mailbox.make_folder("Clients")
        self.mailbox.make_folder(_UNREAD)

    def deliver(self, raw: bytes, folder: str = "INBOX") -> None:
        """At the time that its Date header says, as far as it says one."""
        if not self.mailbox.folder(folder).exists():
            folder = "INBOX"
        self.mailbox.deliver(raw, folder, header_date(raw) or MONDAY_PASS)

    def happen(self, event: Event, letters: Sequence[Letter]) -> None:
        steps: dict[Event, Callable[[], None]] = {
            "renumber": lambda: self.mailbox.renumber(self.chance.choice(("INBOX", "INBOX", "Clients"))),
            "remove": lambda: self._remove(letters),
            "deliver twice": lambda: self._deliver_twice(letters),
            "move": lambda: self._move(self.chance.choice(("Sent", "Clients"))),
            "file away": lambda: self._move(_UNREAD),
            "rename folder": self._rename,
            "delete folder": self._delete,
        }
        steps[event]()

    def end_of_day(self) -> None:
        """Somebody reads what the assistant says about a missing folder, and puts it right."""
        home, renamed = self.mailbox.folder("Clients"), self.mailbox.folder(_RENAMED)
        if renamed.exists() and not home.exists():
            renamed.rename(home)
        elif not home.exists():
            self.mailbox.make_folder("Clients")

    def _deliver_twice(self, letters: Sequence[Letter]) -> None:
        if letters and not (letter := self.chance.choice(letters)).removed:
            self.deliver(letter.copies[0][1], "Sent")

    def _remove(self, letters: Sequence[Letter]) -> None:
        raws = {letter.copies[0][1] for letter in letters if letter.removed}
        for path in self.mailbox.files():
            if path.read_bytes() in raws:
                path.unlink()

    def _move(self, folder: str) -> None:
        """One mail of the inbox; out of what is read it may never have been seen."""
        files = self.mailbox.files()
        if not files or not self.mailbox.folder(folder).exists():
            return
        path = self.chance.choice(files)
        if folder == _UNREAD:
            self.gone.add(path.read_bytes())
        path.rename(self.mailbox.folder(folder) / "cur" / f"{path.name.partition(':')[0]}:2,")

    def _rename(self) -> None:
        home, renamed = self.mailbox.folder("Clients"), self.mailbox.folder(_RENAMED)
        if home.exists() and not renamed.exists():
            home.rename(renamed)

    def _delete(self) -> None:
        home = self.mailbox.folder("Clients")
        if home.exists():
            self.gone |= {path.read_bytes() for path in self.mailbox.files("Clients")}
            shutil.rmtree(home)


# --- logging in -----------------------------------------------------------------------------------------------------


@dataclass
class Doors:
    """By which way the mailbox is reached in a life: through the proxy, to an impostor, with a token."""

    endpoint: OAuthEndpoint
    authority: Authority
    impostors: dict[Certificate, Impostor]

    def config(self, config: Path, life: Life, user: str) -> Path:
        """The configuration of this life, beside the one of the round."""
        if not life.certificate and not life.token:
            return config
        text = config.read_text(encoding="utf-8")
        head, mailbox, rest = text.partition("[mailbox]\n")
        lines = rest.splitlines()
        if life.certificate:
            changed = {"port": str(self.impostors[life.certificate].port), "tls": '"implicit"'}
            lines = [_changed(line, changed) for line in lines]
            lines.insert(0, f'ca_file = "{self.authority.ca_file}"')
        if life.token:
            lines = [line for line in lines if not line.startswith("password")]
            lines.insert(0, f'auth = "oauth2"\n{self._oauth(config.parent, user)}')
        path = config.with_name("life.toml")
        path.write_text(head + mailbox + "\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _oauth(self, folder: Path, user: str) -> str:
        settings = self.endpoint.settings_for(user)
        secret = folder / "refresh-token"
        secret.write_text(settings.refresh_token.reveal(), encoding="utf-8")
        secret.chmod(0o600)
        return f'oauth = {{ token_endpoint = "{settings.token_endpoint}", client_id = "client-1", refresh_token = "file:refresh-token" }}'

    @contextmanager
    def open(self, life: Life) -> Iterator[None]:
        """While a life is lived: tokens end before their time, or are not given out any more."""
        if life.token == "refused":
            self.endpoint.refresh_tokens.clear()
        with _again_and_again(self.endpoint.revoke) if life.token == "expired" else contextlib.nullcontext():
            yield


def _changed(line: str, changed: dict[str, str]) -> str:
    key = line.partition("=")[0].strip()
    return f"{key} = {changed.pop(key)}" if key in changed else line


@contextmanager
def doors(endpoint: OAuthEndpoint, authority: Authority) -> Iterator[Doors]:
    """Starts one impostor for each kind of certificate that must not be believed."""
    with contextlib.ExitStack() as stack:
        found = {kind: stack.enter_context(impostor(context)) for kind, context in _contexts(authority).items()}
        yield Doors(endpoint, authority, found)


def _contexts(authority: Authority) -> dict[Certificate, ssl.SSLContext]:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    made: dict[Certificate, trustme.LeafCert] = {
        "changed": trustme.CA().issue_cert("127.0.0.1"),
        "expired": authority.issuer.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(year=2021)),
        "other name": authority.issuer.issue_cert("imap.elsewhere.example"),
    }
    return {kind: context_of(certificate) for kind, certificate in made.items()}


# --- the database ---------------------------------------------------------------------------------------------------

ROOM_PAGES = 12
"""What a full disk leaves to an SQLite file."""


@contextmanager
def store_trouble(life: Life, folder: Path, url: str) -> Iterator[None]:
    """While a life is lived, from `store_after` seconds on. A full SQLite file is the forked process's own affair."""
    stop = threading.Event()

    def make_trouble() -> None:
        if not stop.wait(life.store_after):
            with _trouble(life, folder, url):
                stop.wait()

    thread = threading.Thread(target=make_trouble, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _trouble(life: Life, folder: Path, url: str) -> contextlib.AbstractContextManager[None]:
    if url and life.store == "full":
        return _full(url)
    if url and life.store == "locked":
        return _tables_locked(url)
    if url and life.store == "gone":
        return _again_and_again(lambda: _cut_off(url))
    return _file_locked(folder / "assistant.db") if life.store == "locked" else contextlib.nullcontext()


@contextmanager
def _file_locked(path: Path) -> Iterator[None]:
    """Another program writes to the SQLite file and does not come to an end."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    with contextlib.closing(connection), suppress(sqlite3.OperationalError):
        connection.execute("BEGIN IMMEDIATE")
        yield
        return
    yield  # it could not be had: the lives were quicker


@contextmanager
def _tables_locked(url: str) -> Iterator[None]:
    with _server(url) as connection, connection.transaction():
        connection.execute("LOCK TABLE outbox, record, location IN EXCLUSIVE MODE")
        yield


@contextmanager
def _full(url: str) -> Iterator[None]:
    """Every new row of mail, records or outbox fails as on a full disk."""
    tables = ("raw_mail", "record", "outbox")
    with _server(url) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END$$"
        )
        for table in tables:
            connection.execute(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()")
        try:
            yield
        finally:
            for table in tables:
                connection.execute(f"DROP TRIGGER full_disk ON {table}")


def _cut_off(url: str) -> None:
    with _server(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _server(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


@contextmanager
def _again_and_again(do: Callable[[], object]) -> Iterator[None]:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            do()
            stop.wait(_AGAIN_SECONDS)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
