"""A small DNS server on a loopback port: answers TXT questions from a table, or keeps silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


@dataclass
class DnsServer:
    """`texts`: name without the last dot → TXT record; `silent`: questions are heard and not answered."""

    port: int
    texts: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def resolver(self) -> dns.resolver.Resolver:
        found = dns.resolver.Resolver(configure=False)
        found.nameservers = ["127.0.0.1"]
        found.port = self.port
        return found

    def answer(self, question: bytes) -> bytes | None:
        query = dns.message.from_wire(question)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.silent:
            return None
        reply = dns.message.make_response(query)
        if name in self.texts:
            text = self.texts[name]
            pieces = " ".join(f'"{text[start : start + 250]}"' for start in range(0, max(len(text), 1), 250))
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "TXT", pieces))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        reply.flags |= dns.flags.RA
        return reply.to_wire()


@contextmanager
def running_dns() -> Iterator[DnsServer]:
    """The server in a thread, ended with the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.1)
        server = DnsServer(listening.getsockname()[1])
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    question, where = listening.recvfrom(4096)
                except TimeoutError:
                    continue
                reply = server.answer(question)
                if reply is not None:
                    listening.sendto(reply, where)

        thread = threading.Thread(target=serve, name="dns-server")
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()
