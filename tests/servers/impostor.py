"""A server that shows a certificate which nobody should believe, and remembers what it was told all the same."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Impostor:
    """`told` is what clients said inside TLS: nothing, as long as they verify. `knocks` counts connections."""

    port: int
    told: bytearray = field(default_factory=bytearray)
    knocks: int = 0


@contextmanager
def impostor(context: ssl.SSLContext) -> Iterator[Impostor]:
    """Listens on loopback with the certificate of `context` and greets like an IMAP server."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        found = Impostor(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, context, found, stop), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            thread.join(2)


def _serve(listener: socket.socket, context: ssl.SSLContext, found: Impostor, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        found.knocks += 1
        client.settimeout(1.0)
        with suppress(OSError), client, context.wrap_socket(client, server_side=True) as inside:
            inside.sendall(b"* OK ready\r\n")
            while data := inside.recv(4096):
                found.told += data
                inside.sendall(b"a OK\r\n")
