"""A TCP proxy between a client and a server that cuts, stalls, slows, splits, swaps, repeats and garbles what is said."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from typing import Literal

GARBAGE = b"\x00\xff\xfe ** )(}{ {99999999999} \r\n* 7 FETCH (UID\r\n* NONSENSE [\r\n\x1b[2J"
BYE = b"\r\n* BYE going down for maintenance\r\n"
THROTTLED = (b" OK [READ-ONLY]", b" NO [LIMIT] too many simultaneous connections")

Ending = Literal["fin", "rst", "half_close", "stall"]


@dataclass
class Plan:
    """What happens to one connection, counted in bytes that the server sent.

    `cut_after`: so many bytes are passed on, then comes the `ending`: fin closes, rst resets, half_close closes one way
    only, stall keeps the connection and says nothing more. `cut_at`: the same once these bytes have been passed on.
    `pieces`: bytes are passed on in pieces of this size with a pause, so that lines are split across packets.
    `corrupt_at`: this byte is another. `duplicate`: the first occurrence of these bytes is said twice. `reorder`: in the
    first answer that is long enough the first two stretches of this many bytes change places. `bytes_per_second`: no
    more than that. `replace`: (old, new) in the server's words. `deaf_after`: so many bytes of the client are passed on,
    the rest is swallowed, as when a firewall forgets a connection. `garbage_after`: so many bytes on, the server says
    things that are no IMAP. `bye_after`: so many bytes on, it says BYE and closes. `throttle`: it opens no folder, because
    of too many connections. `refuse`: the connection is reset before a word is said.
    """

    cut_after: int | None = None
    cut_at: bytes = b""
    ending: Ending = "rst"
    pieces: int = 0
    piece_pause: float = 0.002
    duplicate: bytes = b""
    replace: tuple[bytes, bytes] | None = None
    corrupt_at: int | None = None
    reorder: int = 0
    bytes_per_second: int = 0
    deaf_after: int | None = None
    garbage_after: int | None = None
    bye_after: int | None = None
    throttle: bool = False
    refuse: bool = False

    @property
    def garbles(self) -> bool:
        """Whether it may change what is inside a message, which nobody can notice."""
        changed = self.corrupt_at is not None or self.garbage_after is not None or bool(self.reorder)
        return changed or bool(self.duplicate) or self.replace is not None

    def __str__(self) -> str:
        """What differs from a plan that does nothing, for the log of a test."""
        changed = (entry for entry in fields(self) if getattr(self, entry.name) != entry.default)
        return ", ".join(f"{entry.name}={getattr(self, entry.name)!r}" for entry in changed) or "nothing"


@dataclass
class FaultProxy:
    """Listens on `port`. `plans` are used up, one by each new connection; then every connection gets a copy of `always`.
    `said` is everything that clients have said."""

    upstream: int
    port: int = 0
    plans: list[Plan] = field(default_factory=list)
    always: Plan = field(default_factory=Plan)
    connections: int = 0
    said: bytearray = field(default_factory=bytearray)
    refuse: bool = False
    _open: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def break_all(self, ending: Ending = "rst") -> None:
        """Ends every open connection now."""
        with self._lock:
            pairs, self._open = self._open, []
        for client, server in pairs:
            _finish(client, server, ending)

    def serve(self, listener: socket.socket, stop: threading.Event) -> None:
        listener.settimeout(0.1)
        while not stop.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if self.refuse:
                _finish(client, client, "rst")
                continue
            client.settimeout(None)
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self.connections += 1
                plan = replace(self.plans.pop(0) if self.plans else self.always)
                if not plan.refuse:
                    self._open.append((client, server))
            if plan.refuse:
                _finish(client, server, "rst")
                continue
            for target, arguments in (
                (_pass_on, (client, server, self.said, plan)),
                (_misbehave, (server, client, plan)),
            ):
                threading.Thread(target=target, args=arguments, daemon=True).start()


def _pass_on(client: socket.socket, server: socket.socket, said: bytearray, plan: Plan) -> None:
    passed = 0
    with suppress(OSError):
        while data := client.recv(65536):
            said += data
            if plan.deaf_after is not None:
                data = data[: max(0, plan.deaf_after - passed)]
            passed += len(data)
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)


def _misbehave(server: socket.socket, client: socket.socket, plan: Plan) -> None:
    passed, tail = 0, b""
    with suppress(OSError):
        while data := server.recv(65536):
            data = _reworded(data, plan, passed)
            if plan.duplicate and plan.duplicate in data:
                data = data.replace(plan.duplicate, plan.duplicate * 2, 1)
                plan.duplicate = b""
            if plan.corrupt_at is not None and passed <= plan.corrupt_at < passed + len(data):
                place = plan.corrupt_at - passed
                data = data[:place] + bytes([data[place] ^ 0x15]) + data[place + 1 :]
            if plan.reorder and len(data) >= 2 * plan.reorder:
                size, plan.reorder = plan.reorder, 0
                data = data[size : 2 * size] + data[:size] + data[2 * size :]
            allowed = len(data)
            if plan.cut_after is not None:
                allowed = min(allowed, plan.cut_after - passed)
            if plan.cut_at:
                position = (tail + data).find(plan.cut_at)
                if position >= 0:
                    allowed = min(allowed, position + len(plan.cut_at) - len(tail))
                    plan.cut_after = passed + allowed
                tail = (tail + data)[-(len(plan.cut_at) - 1) :] if len(plan.cut_at) > 1 else b""
            _send(client, data[:allowed], plan)
            passed += allowed
            if plan.cut_after is not None and passed >= plan.cut_after:
                _finish(client, server, plan.ending)
                return
        client.shutdown(socket.SHUT_WR)


def _reworded(data: bytes, plan: Plan, passed: int) -> bytes:
    """What the server says in place of `data`, when it has said `passed` bytes before."""
    if plan.replace:
        data = data.replace(*plan.replace)
    if plan.throttle:
        data = data.replace(*THROTTLED)
    if plan.garbage_after is not None and plan.garbage_after < passed + len(data):
        place, plan.garbage_after = max(0, plan.garbage_after - passed), None
        data = data[:place] + GARBAGE + data[place:]
    if plan.bye_after is not None and plan.bye_after < passed + len(data):
        data = data[: max(0, plan.bye_after - passed)] + BYE
        plan.cut_after, plan.ending = passed + len(data), "fin"
    return data


def _send(client: socket.socket, data: bytes, plan: Plan) -> None:
    if plan.bytes_per_second:
        for start in range(0, len(data), 1024):
            client.sendall(data[start : start + 1024])
            time.sleep(len(data[start : start + 1024]) / plan.bytes_per_second)
        return
    if not plan.pieces:
        client.sendall(data)
        return
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(data), plan.pieces):
        client.sendall(data[start : start + plan.pieces])
        time.sleep(plan.piece_pause)


def _finish(client: socket.socket, server: socket.socket, ending: Ending) -> None:
    if ending == "stall":
        return  # both stay open until the proxy goes
    with suppress(OSError):
        if ending == "half_close":
            client.shutdown(socket.SHUT_WR)
            return
        if ending == "rst":  # lingering for zero seconds makes close send RST
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.shutdown(socket.SHUT_RDWR)
    if ending == "rst":
        # The other thread sits in recv on the same socket, which keeps it open: shutting down wakes it.
        with suppress(OSError):
            client.shutdown(socket.SHUT_RD)
    client.close()
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)
    server.close()


@contextmanager
def fault_proxy(upstream: int) -> Iterator[FaultProxy]:
    """Runs a proxy in front of `upstream` on loopback."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = FaultProxy(upstream, listener.getsockname()[1])
        thread = threading.Thread(target=proxy.serve, args=(listener, stop), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            stop.set()
            thread.join(2)
            proxy.break_all("fin")
