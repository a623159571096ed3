"""The byte stream under IMAPClient, with the properties it lacks: bounded, interruptible, and honest about its end.

`imaplib` reads through a buffered file that loses bytes on a timeout, hides what is already buffered and ends a line
wherever packets end. Here every byte goes through one own buffer, so that IDLE can look at what has already come, a
timeout in the middle of a line costs nothing, and a literal larger than allowed is cut instead of filling the memory.
"""

from __future__ import annotations

import imaplib
import re
import select
import socket
import ssl
import threading
from typing import Any

from imapclient import IMAPClient

from assistant.clock import monotonic

LONGEST_LINE = 1_000_000  # imaplib's own limit; our requests are cut so that no honest line comes near it
CHUNK = 256 * 1024
ATOMIC_READ_SECONDS = 0.05  # how long to wait for the rest of a TLS record whose beginning made the socket readable
SLICE = 0.5
STOP_GRACE = 2.0
"""Seconds that an answer which is being read may still take after a stop."""

KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 60, 15, 4
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")


class ConnectionEnded(ConnectionError):  # noqa: N818  # says what happened, as ConnectionReset does
    """The server has closed the connection, or it was lost."""


class Wire(imaplib.IMAP4):
    """One IMAP connection's bytes. `largest_literal` bounds what a server can make us hold.

    Once `stopping` is set an answer has two seconds left. `exists` is how many messages the open folder holds as far as the server has said; `news` is set when that number
    changed by anything but an EXPUNGE, and cleared by whoever has looked.
    """

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float,
        context: ssl.SSLContext | None,
        largest_literal: int,
    ) -> None:
        self._context = context
        self._buffer = bytearray()
        self._surplus = 0
        self._timeout = timeout
        self.largest_literal = largest_literal
        self.exists = 0
        self.news = False
        self.stopping: threading.Event | None = None
        self._stop_seen: float | None = None
        super().__init__(host, port, timeout)

    # What imaplib documents as its overridable methods.

    def open(self, host: str = "", port: int = 993, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        plain = socket.create_connection((host, port), timeout if timeout is not None else self._timeout)
        try:
            keep_alive(plain)
            self.sock = self._context.wrap_socket(plain, server_hostname=host) if self._context else plain
        except BaseException:
            plain.close()
            raise

    def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive_patiently()
        with memoryview(self._buffer) as whole:
            data = bytes(whole[:size])
        del self._buffer[:size]
        self._skip_surplus()
        return data

    def readline(self) -> bytes:
        line = self.buffered_line()
        while line is None:
            self._receive_patiently()
            line = self.buffered_line()
        return self._cut_literal(line)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # typeshed says Buffer; imaplib passes bytes
        self.sock.settimeout(self._timeout)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # already gone, which is what was wanted
        finally:
            self.sock.close()

    def start_tls(self, context: ssl.SSLContext) -> tuple[str, list[Any]]:
        """STARTTLS (RFC 3501 section 6.2.1). What came in clear before TLS is forgotten, injected or not."""
        answer, data = self._simple_command("STARTTLS")
        if answer == "OK":
            self._buffer.clear()
            self.untagged_responses.clear()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
            self._tls_established = True
            self._get_capabilities()  # those learnt in clear do not count
        return answer, data

    def _append_untagged(self, typ: str, dat: Any) -> None:
        if typ in {"EXISTS", "EXPUNGE"}:
            self.note(typ, dat)
        super()._append_untagged(typ, dat)  # type: ignore[misc]  # private to imaplib; its order is what we need

    def patience(self, seconds: float) -> None:
        """How long to wait for each piece of an answer from now on."""
        self._timeout = seconds

    # What IDLE needs.

    def note(self, kind: str, number: bytes) -> None:
        """Takes an untagged EXISTS or EXPUNGE (RFC 3501 section 7.3.1 and 7.4.1) into account. The same EXISTS again
        is no news: some servers repeat it at every IDLE, and looking each time would be a busy loop."""
        if kind == "EXPUNGE":
            self.exists -= 1
        elif number.isdigit() and int(number) != self.exists:
            self.exists = int(number)
            self.news = True

    def buffered_line(self) -> bytes | None:
        """The next whole line with its end, if it has already come; does not touch the network."""
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise ConnectionEnded(f"a line of more than {LONGEST_LINE} bytes")
            return None
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def line_within(self, seconds: float, waker: socket.socket | None = None) -> bytes | None:
        """The next whole line, waiting at most `seconds` or until `waker` is readable; None when none came.
        Raises ConnectionEnded at the end of the stream."""
        deadline = monotonic() + seconds
        while True:
            line = self.buffered_line()
            if line is not None:
                return line
            left = deadline - monotonic()
            if left <= 0 or not self._readable(left, waker):
                return None
            try:
                self._receive(ATOMIC_READ_SECONDS)
            except TimeoutError:
                continue

    def _readable(self, seconds: float, waker: socket.socket | None) -> bool:
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        if waker is not None:
            poll.register(waker, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(1, int(seconds * 1000)))}
        return self.sock.fileno() in ready

    def _receive_patiently(self) -> None:
        """Waits for more of an answer, in slices, so that a stop need not wait for a slow server."""
        deadline = monotonic() + self._timeout
        while True:
            self._check_stop()
            left = deadline - monotonic()
            try:
                return self._receive(max(0.001, min(left, SLICE)))
            except TimeoutError:
                if left <= SLICE:
                    raise

    def _check_stop(self) -> None:
        if self.stopping is None or not self.stopping.is_set():
            return
        if self._stop_seen is None:
            self._stop_seen = monotonic()
        elif monotonic() - self._stop_seen > STOP_GRACE:
            raise ConnectionEnded("we were told to stop")

    def _receive(self, seconds: float) -> None:
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(CHUNK)
        except ssl.SSLEOFError as error:
            raise ConnectionEnded("the connection ended") from error
        if not data:
            raise ConnectionEnded("the connection ended")
        self._buffer += data

    def _cut_literal(self, line: bytes) -> bytes:
        found = _LITERAL.search(line)
        if found is None or int(found.group(1)) <= self.largest_literal:
            return line
        self._surplus = int(found.group(1)) - self.largest_literal
        return line[: found.start()] + b"{%d}\r\n" % self.largest_literal

    def _skip_surplus(self) -> None:
        while self._surplus:
            if not self._buffer:
                self._receive_patiently()
            skipped = min(self._surplus, len(self._buffer))
            del self._buffer[:skipped]
            self._surplus -= skipped


class Client(IMAPClient):  # type: ignore[misc]  # IMAPClient ships no types
    """IMAPClient over a `Wire`."""

    def __init__(
        self, host: str, port: int, timeout: float, context: ssl.SSLContext | None, largest_literal: int
    ) -> None:
        self._wire_arguments = (host, port, timeout, context, largest_literal)
        super().__init__(host, port, ssl=context is not None, ssl_context=context, timeout=timeout)
        self.normalise_times = False
        self._imap.debug = 0  # imaplib would format every line it reads for a log that nobody sees

    def _create_IMAP4(self) -> Wire:  # noqa: N802  # IMAPClient's name
        return Wire(*self._wire_arguments)

    @property
    def wire(self) -> Wire:
        wire = self._imap
        assert isinstance(wire, Wire)
        return wire

    def forget_capabilities(self) -> None:
        """After login and after TLS other capabilities may hold (RFC 3501 section 6.1.1)."""
        self._cached_capabilities = None


def keep_alive(connection: socket.socket) -> None:
    """No delay for small commands; a peer that has vanished is noticed in about two minutes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
    ):
        option = getattr(socket, name, None)  # macOS lacks some of them
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
