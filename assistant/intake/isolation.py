"""Reading a message at bounded cost: risky ones in a process of their own that is killed when one takes too much."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import structlog

from assistant.clock import monotonic
from assistant.intake.parsing_worker import ANSWER, REQUEST
from parsers import Message, parse

_log = structlog.get_logger("assistant.intake")

LARGE = 1_000_000
"""Bytes from which on a message is read in the other process."""
_LARGE_HEADER = 65_536
_MANY_PARTS = 200
_UNPACKED = (b"ms-tnef", b"MS-TNEF", b"winmail.dat", b"WINMAIL.DAT")
"""What the parsers unpack: the only container whose contents may be larger than the mail."""
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


class CostlyMessageError(Exception):
    """A message took more time or memory than one may. The sentence says which."""


@dataclass(frozen=True, slots=True)
class CostLimits:
    """What one message may cost. Processor time is what counts; the clock only ends what sleeps for ever."""

    processor_seconds: int = 20
    clock_seconds: float = 120.0
    memory_bytes: int = 600_000_000
    """Of address space, the interpreter's own included."""
    memory_per_byte: int = 8
    """And so many bytes more for each byte of the message."""


def is_risky(raw: bytes) -> bool:
    """Whether a message is large or of a shape that has brought parsers down; costs microseconds."""
    if len(raw) > LARGE or raw.count(b"\n--") > _MANY_PARTS:
        return True
    ends = [end for end in (raw.find(b"\n\n", 0, _LARGE_HEADER), raw.find(b"\n\r\n", 0, _LARGE_HEADER)) if end >= 0]
    if not ends and len(raw) > _LARGE_HEADER:
        return True
    return any(name in raw for name in _UNPACKED)


class IsolatedParser:
    """Reads messages in another process, which begins with the first one and ends with `close`."""

    def __init__(self, limits: CostLimits | None = None, function: str = "parsers:parse") -> None:
        """`function` is what the process calls with the raw bytes, as `module:name`."""
        self._limits = limits or CostLimits()
        self._function = function
        self._process: subprocess.Popen[bytes] | None = None

    def parse(self, raw: bytes) -> Message:
        """As `parsers.parse`. Raises CostlyMessageError when the process had to be killed or ended by itself."""
        limits = self._limits
        deadline = monotonic() + limits.clock_seconds
        memory = limits.memory_bytes + limits.memory_per_byte * len(raw)
        try:
            process = self._running()
            self._send(process, REQUEST.pack(len(raw), memory, limits.processor_seconds), deadline)
            self._send(process, raw, deadline)
            good, size = ANSWER.unpack(self._receive(process, ANSWER.size, deadline))
            answer = self._receive(process, size, deadline)
        except (CostlyMessageError, OSError) as error:
            raise CostlyMessageError(self._killed(error)) from None
        except BaseException:
            self.close()
            raise
        if not good:
            raise CostlyMessageError(answer.decode("utf-8", "replace"))
        found = pickle.loads(answer)  # noqa: S301  # our own process wrote it, from our own types
        assert isinstance(found, Message), "the process answers with what it was asked for"
        return found

    def close(self) -> None:
        """Ends the process; the next message begins another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            # It gets no secret of the environment: what reads hostile bytes shall have nothing to give away.
            environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-m", "assistant.intake.parsing_worker", self._function],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None, "both are pipes"
                os.set_blocking(stream.fileno(), False)
        return self._process

    def _send(self, process: subprocess.Popen[bytes], data: bytes, deadline: float) -> None:
        assert process.stdin is not None, "stdin is a pipe"
        handle, view = process.stdin.fileno(), memoryview(data)
        while view:
            self._wait(None, handle, deadline)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(handle, view[:1_000_000]) :]

    def _receive(self, process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert process.stdout is not None, "stdout is a pipe"
        handle, pieces = process.stdout.fileno(), bytearray()
        while len(pieces) < size:
            self._wait(handle, None, deadline)
            with contextlib.suppress(BlockingIOError):
                piece = os.read(handle, min(size - len(pieces), 1_000_000))
                if not piece:
                    raise BrokenPipeError("the process ended")
                pieces += piece
        return bytes(pieces)

    def _wait(self, readable: int | None, writable: int | None, deadline: float) -> None:
        left = deadline - monotonic()
        watched = select.poll()
        if readable is not None:
            watched.register(readable, select.POLLIN)
        if writable is not None:
            watched.register(writable, select.POLLOUT)
        if left <= 0 or not watched.poll(left * 1000):
            raise CostlyMessageError(f"took longer than {self._limits.clock_seconds:g} s")

    def _killed(self, error: Exception) -> str:
        process = self._process
        status = None
        if process is not None and not isinstance(error, CostlyMessageError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(timeout=5)
        self.close()
        if isinstance(error, CostlyMessageError):
            return str(error)
        if status == -signal.SIGXCPU:
            return f"took more than {self._limits.processor_seconds} s of processor time"
        if status is not None and status < 0:
            return f"ended the process that read it ({signal.Signals(-status).name})"
        return f"ended the process that read it (status {status})"


class _Overran(BaseException):
    """Not an Exception: the parsers turn those into defects and go on."""


def parse_within(raw: bytes, seconds: float) -> Message:
    """`parsers.parse` here, given up after so much processor time. Raises CostlyMessageError.

    Only the main thread can be interrupted; elsewhere there is no limit but the parsers' own.
    """
    with _processor_limit(seconds):
        return parse(raw)


@contextlib.contextmanager
def _processor_limit(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def overran(_signal: int, _frame: FrameType | None) -> None:
        raise _Overran

    before = signal.signal(signal.SIGVTALRM, overran)
    try:
        # ITIMER_VIRTUAL counts what this process computes, so that a busy machine ends nothing.
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    except _Overran:
        raise CostlyMessageError(f"took more than {seconds:g} s of processor time") from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
