"""The demonstration's own mail servers on free loopback ports: an IMAP server and a sink for what is sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as EmailMessage
from pathlib import Path
from typing import Any

from assistant.privately import write_privately

HOST = "127.0.0.1"
_START_SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class EmbeddedMailbox:
    """pymap in a thread of its own: a real IMAP server with one user and an INBOX in memory."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-imap", daemon=True)
        self._append: Any = None

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError("the embedded IMAP server did not start")
        from imapclient import IMAPClient

        self._append = IMAPClient(HOST, self.port, ssl=False, timeout=30)
        self._append._imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._append.login(self.user, self.password)

    def deliver(self, raw: bytes, at: datetime) -> None:
        """Puts a message into the INBOX as if it had arrived then."""
        self._append.append("INBOX", raw, msg_time=at)

    def stop(self) -> None:
        with contextlib.suppress(Exception):  # the connection may be gone already; the server ends all the same
            self._append.logout()
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        from pymap.backend.dict import DictBackend
        from pymap.imap import IMAPService

        logging.getLogger("pymap").setLevel(logging.CRITICAL)
        arguments = Namespace(
            host=HOST,
            port=self.port,
            debug=False,
            cert=None,
            key=None,
            tls=False,
            proxy_protocol=None,
            inherited_sockets=None,
            passlib_cfg=None,
            demo_data=False,
            demo_user=self.user,
            demo_password=self.password,
        )
        backend, config = await DictBackend.init(arguments)
        config.apply_context()
        self._stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            await IMAPService(backend, config).start(stack)
            self._ready.set()
            await self._stop.wait()


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail as the sink received it, and the file it lies in."""

    file: Path
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes


class SubmissionSink:
    """aiosmtpd in a thread: accepts everything, delivers nothing, writes every mail into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.mails: list[SentMail] = []
        self._controller: Any = None

    def start(self) -> None:
        from aiosmtpd.controller import Controller

        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._controller = Controller(self, hostname=HOST, port=self.port)
        self._controller.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name for it
        from email import message_from_bytes
        from email.policy import default

        raw = bytes(envelope.original_content)
        number = len(self.mails) + 1
        file = self._folder / f"{number:03}.eml"
        write_privately(file, raw)
        message = message_from_bytes(raw, policy=default)
        self.mails.append(SentMail(file, str(envelope.mail_from), tuple(envelope.rcpt_tos), message, raw))
        return "250 accepted"

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()


@contextlib.contextmanager
def running(user: str, password: str, folder: Path) -> Iterator[tuple[EmbeddedMailbox, SubmissionSink]]:
    """Both servers for the length of a `with`."""
    mailbox, sink = EmbeddedMailbox(user, password), SubmissionSink(folder)
    mailbox.start()
    try:
        sink.start()
        yield mailbox, sink
    finally:
        sink.stop()
        mailbox.stop()
