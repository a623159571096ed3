"""Mail that is made to hurt: headers of a gigabyte and the like, through a real Dovecot and through the import, into the
whole program; what it cost in time and memory, and whether the mail after it was read.

Run as `python -m benchmarks.bombs [--megabytes 1000] [--only NAME]`; needs dovecot. Each shape lies between two ordinary
mails. Memory is the highest resident size of the program and all its helpers together, looked at every 20 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.installation import ASSISTANT, command, write_config
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Mailbox, dovecot_server
from tests.servers.imap_faults import FaultProxy, Plan, fault_proxy
from tests.servers.processes import give

SAMPLE_SECONDS = 0.02
_HEAD = (
    b"From: <chen@client.example>\r\nTo: <%b>\r\nMessage-ID: <bomb@client.example>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0800\r\n"
    % ASSISTANT.encode()
)
_TEXT = b"Content-Type: text/plain\r\n\r\nPlease quote.\r\n"
_PIECE = 1_000_000

Pieces = Iterator[bytes]


def _filler(unit: bytes, size: int) -> Pieces:
    """So many bytes of one thing over and over."""
    block = unit * (_PIECE // len(unit))
    for _ in range(max(1, size // len(block))):
        yield block


def one_long_field(size: int) -> Pieces:
    """One Subject without an end."""
    yield _HEAD + b"Subject: "
    yield from _filler(b"long ", size)
    yield b"\r\n" + _TEXT


def one_folded_field(size: int) -> Pieces:
    """One References of millions of lines."""
    yield _HEAD + b"Subject: folded\r\nReferences: <a@b.example>"
    yield from _filler(b"\r\n <0123456789@client.example>", size)
    yield b"\r\n" + _TEXT


def many_fields(size: int) -> Pieces:
    """Millions of small fields."""
    yield _HEAD + b"Subject: many\r\n"
    yield from _filler(b"X-Field: value\r\n", size)
    yield _TEXT


def header_without_end(size: int) -> Pieces:
    """Neither a colon nor a line end."""
    yield _HEAD
    yield from _filler(b"a" * 1000, size)


def many_parts(size: int) -> Pieces:
    """A hundred thousand parts and more, all of a megabyte or so at the usual size."""
    yield _HEAD + b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    yield from _filler(b"--b\r\n\r\nx\r\n", max(size // 250, _PIECE))
    yield b"--b--\r\n"


def deep_parts(size: int) -> Pieces:
    """Parts in parts in parts."""
    yield _HEAD + b"Subject: deep\r\nMIME-Version: 1.0\r\n"
    for depth in range(max(size // 20_000, 2_000)):
        yield b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)


SHAPES: dict[str, Callable[[int], Pieces]] = {
    shape.__name__.replace("_", " "): shape
    for shape in (one_long_field, one_folded_field, many_fields, header_without_end, many_parts, deep_parts)
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run came to. `outcomes`: what became of each message, in the order of arrival; `in_part`: of how many
    only a part is kept."""

    seconds: float
    peak_megabytes: float
    status: int
    outcomes: tuple[str, ...]
    in_part: int


def ordinary(number: int) -> bytes:
    return (
        b"From: <li@other.example>\r\nTo: <%b>\r\nSubject: ordinary %d\r\nMessage-ID: <o%d@other.example>\r\n"
        b"Date: Mon, 2 Mar 2026 09:00:00 +0800\r\n%b" % (ASSISTANT.encode(), number, number, _TEXT)
    )


def deliver_stream(mailbox: Mailbox, pieces: Pieces) -> None:
    """Puts a message into the inbox that never is in memory as a whole."""
    written = mailbox.folder("INBOX") / "tmp" / f"bomb{time.monotonic_ns()}"
    with written.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    give(written)
    written.rename(mailbox.folder("INBOX") / "new" / f"{int(time.time())}.M{time.monotonic_ns()}P1.bomb")


def measured(config: Path, *arguments: str, timeout: float = 900.0) -> Cost:
    """Runs the command line, and watches the memory of all its processes."""
    began, peak, over = time.monotonic(), [0.0], threading.Event()
    environment = {**os.environ, "ASSISTANT_PASSWORD": PASSWORD}
    process = subprocess.Popen(
        command(config, *arguments), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )

    def watch() -> None:
        top = psutil.Process(process.pid)
        while not over.wait(SAMPLE_SECONDS):
            with contextlib.suppress(psutil.Error):
                family = [top, *top.children(recursive=True)]
                peak[0] = max(peak[0], sum(one.memory_info().rss for one in family) / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        _, said = process.communicate(timeout=timeout)
        if not (config.parent / "assistant.db").exists():
            raise SystemExit(said.decode(errors="replace")[-2000:])
    except subprocess.TimeoutExpired:
        process.kill()
    finally:
        over.set()
        watcher.join()
    outcomes, in_part = _outcomes(config.parent / "assistant.db")
    return Cost(time.monotonic() - began, peak[0], process.wait(), outcomes, in_part)


def _outcomes(database: Path) -> tuple[tuple[str, ...], int]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT outcome, problem FROM location ORDER BY id").fetchall()
    return tuple(str(outcome) for outcome, _ in found), sum(bool(problem) for _, problem in found)


def through_imap(server_port: int, mailbox: Mailbox, folder: Path, timeout: str = "60s") -> Cost:
    """One whole pass of the program over the mailbox; nothing that it would send leaves."""
    folder.mkdir()
    config = write_config(
        folder,
        f'[mailbox]\nhost = "127.0.0.1"\nport = {server_port}\ntls = "none"\nuser = "{mailbox.user}"\n'
        f'password = "env:ASSISTANT_PASSWORD"\ntimeout = "{timeout}"\n'
        f'[submission]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\n[understanding]\nencoder = "off"\n',
    )
    return measured(config, "run", "--once")


def through_import(source: Path, folder: Path) -> Cost:
    folder.mkdir()
    return measured(write_config(folder, '[understanding]\nencoder = "off"\n'), "import", str(source))


def write_mbox(path: Path, pieces: Pieces) -> None:
    """The shape between two ordinary mails in one mbox file."""
    with path.open("wb") as file:
        file.write(b"From a@b Mon Mar  2 09:00:00 2026\n" + ordinary(1).replace(b"\r\n", b"\n") + b"\n")
        file.write(b"From a@b Mon Mar  2 09:00:00 2026\n")
        for piece in pieces:
            file.write(piece.replace(b"\r\n", b"\n"))
        file.write(b"\n\nFrom a@b Mon Mar  2 09:00:00 2026\n" + ordinary(2).replace(b"\r\n", b"\n"))


def promise(proxy: FaultProxy, size: int) -> None:
    """The server announces so many bytes of the first message it is asked for whole, and then says nothing more."""
    proxy.plans = [
        Plan(replace=(b"BODY[] {", b"BODY[] {%d}\r\nFrom: x\r\nX: {" % size), cut_at=b"From: x\r\n", ending="stall")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--only", default="", help="a part of the name of a shape")
    wanted = parser.parse_args()
    size = wanted.megabytes * 1_000_000
    with tempfile.TemporaryDirectory(prefix="cca-bombs-") as name, dovecot_server(new_authority(Path(name))) as server:
        folder = Path(name)
        for number, (title, shape) in enumerate(SHAPES.items()):
            if wanted.only not in title:
                continue
            mailbox = server.new_mailbox(f"bomb{number}@agency.example")
            mailbox.deliver(ordinary(1))
            deliver_stream(mailbox, shape(size))
            mailbox.deliver(ordinary(2))
            _tell(f"{title}, IMAP", through_imap(server.plain_port, mailbox, folder / f"imap{number}"))
            for path in mailbox.files():
                path.unlink()
            mbox = folder / "bomb.mbox"
            write_mbox(mbox, shape(size))
            _tell(f"{title}, import", through_import(mbox, folder / f"import{number}"))
            mbox.unlink()
        if wanted.only in "a literal that stalls":
            mailbox = server.new_mailbox("stall@agency.example")
            mailbox.deliver(ordinary(1))
            mailbox.deliver(ordinary(2))
            with fault_proxy(server.plain_port) as proxy:
                promise(proxy, size)
                _tell("a literal that stalls", through_imap(proxy.port, mailbox, folder / "stall", timeout="5s"))
                _tell("  and the pass after it", measured(folder / "stall" / "config.toml", "run", "--once"))


def _tell(title: str, cost: Cost) -> None:
    kept = f", {cost.in_part} in part" if cost.in_part else ""
    print(
        f"{title}: {', '.join(cost.outcomes)}{kept}; status {cost.status}; {cost.seconds:.1f} s;"
        f" at most {cost.peak_megabytes:.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
