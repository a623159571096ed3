"""Waiting for new mail: IDLE (RFC 2177) read line by line from the wire, and pauses that can be cut short.

IDLE is a hint and never the truth: whoever waits looks by UID afterwards, whatever the answer was.
"""

from __future__ import annotations

import re
import select
import socket
import threading
from contextlib import suppress
from typing import Protocol

from assistant.clock import monotonic
from assistant.mail.wire import ConnectionEnded, Wire

STOP_LATENCY = 0.5
"""Seconds after which a stop that was asked for by an Event is noticed at the latest."""

_UNTAGGED_NUMBER = re.compile(rb"^\* (\d+) (EXISTS|EXPUNGE)\b", re.IGNORECASE)


class Stop(Protocol):
    """What a wait asks now and then: a threading.Event, or anything that says whether to stop."""

    def is_set(self) -> bool: ...  # a protocol's method has no body


class IdleRefused(Exception):  # noqa: N818  # an outcome that leads to polling, nobody sees it
    """The server advertises IDLE and then does not accept it."""


class Waker:
    """Lets another thread cut a wait short. `wake` is the only method that may be called from elsewhere."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def socket(self) -> socket.socket:
        return self._reading

    def wake(self) -> None:
        with self._lock:
            if not self._closed:
                with suppress(BlockingIOError):  # woken many times already
                    self._writing.send(b"!")

    def woken(self) -> bool:
        """Whether somebody has called `wake` since this was last asked."""
        try:
            return bool(self._reading.recv(4096))
        except (BlockingIOError, OSError):
            return False

    def pause(self, seconds: float, stop: Stop) -> bool:
        """Waits; True when woken before the time was over."""
        deadline = monotonic() + seconds
        while not stop.is_set():
            left = deadline - monotonic()
            if left <= 0:
                return False
            select.select([self._reading], [], [], min(left, STOP_LATENCY))
            if self.woken():
                return True
        return False

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._reading.close()
            self._writing.close()


def idle(wire: Wire, tag: bytes, seconds: float, answer_seconds: float, stop: Stop, waker: Waker) -> bool:
    """One IDLE of at most `seconds`; True when the server spoke of new mail or the waker was used.

    The connection is out of IDLE again when this returns. Raises ConnectionEnded, TimeoutError, IdleRefused.
    """
    wire.send(tag + b" IDLE\r\n")
    deadline = monotonic() + answer_seconds
    while True:  # EXISTS may come before, together with, or after the continuation
        line = _line(wire, deadline)
        if line.startswith(b"+"):
            break
        if line.startswith(tag + b" "):
            raise IdleRefused(line.decode("ascii", "replace"))
        _note(wire, line)
    woken = _listen(wire, seconds, stop, waker)
    wire.send(b"DONE\r\n")
    deadline = monotonic() + answer_seconds
    while not (line := _line(wire, deadline)).startswith(tag + b" "):
        _note(wire, line)
    return wire.news or woken


def _listen(wire: Wire, seconds: float, stop: Stop, waker: Waker) -> bool:
    deadline = monotonic() + seconds
    while not wire.news and not stop.is_set():
        left = deadline - monotonic()
        if left <= 0:
            return False
        line = wire.line_within(min(left, STOP_LATENCY), waker.socket)
        if line is not None:
            _note(wire, line)
        elif waker.woken():
            return True
    return False


def _line(wire: Wire, deadline: float) -> bytes:
    line = wire.line_within(max(0.0, deadline - monotonic()))
    if line is None:
        raise TimeoutError("no answer to IDLE")
    return line


def _note(wire: Wire, line: bytes) -> None:
    found = _UNTAGGED_NUMBER.match(line)
    if found is not None:
        wire.note(found.group(2).decode("ascii").upper(), found.group(1))
    elif line[:6].upper() == b"* BYE ":
        raise ConnectionEnded(f"it said goodbye: {line[6:].decode('utf-8', 'replace').strip()}")
