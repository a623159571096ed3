"""Who is who by address: staff, the assistant itself, or somebody outside; and which way a message goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from assistant.model.authentication import ProveSender, organisational_domain, verdict
from assistant.model.cadence import StaffFacts
from assistant.model.process import Direction
from parsers import Address, Message

_NO_PERSON = re.compile(
    r"^(no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster|bounces?|notifications?|newsletter|news|daemon|root|abuse)([+._-].*)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MailboxProof:
    """By what the server of one of several mailboxes proves who wrote a mail; as in a `Directory`."""

    mailbox: str
    authserv_id: str = ""
    mail_hosts: tuple[str, ...] = ()
    verifies_signatures: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """The agency's people and addresses, in lower case."""

    domains: tuple[str, ...]
    staff: tuple[StaffFacts, ...]
    assistant: tuple[str, ...]
    staff_aliases: tuple[tuple[str, str], ...] = ()
    """Pairs (alias, address) of staff who write from more than one address."""
    authserv_id: str = ""
    mail_hosts: tuple[str, ...] = ()
    """Servers that hold or take the agency's mail: what they write into a message on its way is theirs."""
    verifies_signatures: bool = False
    """Whether a sender without a server's verdict may be proved by DKIM."""
    operator: str = ""
    """Who is told when the assistant itself needs help, and where an escalation ends that finds nobody else."""
    mailboxes: tuple[MailboxProof, ...] = ()
    """Where several are read: what holds for each. What stands above is for mail that came through none of them."""
    _by_address: dict[str, StaffFacts] = field(init=False, repr=False, compare=False)
    _at: dict[str, Directory] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_address = {person.address: person for person in self.staff}
        for alias, address in self.staff_aliases:
            if address in by_address:
                by_address[alias] = by_address[address]
        object.__setattr__(self, "_by_address", by_address)
        at = {
            proof.mailbox: replace(
                self,
                authserv_id=proof.authserv_id,
                mail_hosts=proof.mail_hosts,
                verifies_signatures=proof.verifies_signatures,
                mailboxes=(),
            )
            for proof in self.mailboxes
        }
        object.__setattr__(self, "_at", at)

    def at(self, mailbox: str) -> Directory:
        """The same people as mail in this mailbox is judged: another server's word means nothing there."""
        return self._at.get(mailbox, self)

    @property
    def can_prove(self) -> bool:
        """Whether anybody's mail can be proved at all: without, nobody is obeyed by mail."""
        ways: tuple[Directory | MailboxProof, ...] = (self, *self.mailboxes)
        return any(way.authserv_id or way.verifies_signatures for way in ways)

    def person(self, addr_spec: str) -> StaffFacts | None:
        return self._by_address.get(addr_spec.lower())

    def is_assistant(self, addr_spec: str) -> bool:
        return addr_spec.lower() in self.assistant

    def is_staff(self, addr_spec: str) -> bool:
        """Whether the address claims to be ours: listed, or in a domain of the agency. Claiming is not proof."""
        addr_spec = addr_spec.lower()
        if self.is_assistant(addr_spec):
            return False
        if addr_spec in self._by_address:
            return True
        return self._own_domain(addr_spec)

    def is_ours(self, addr_spec: str) -> bool:
        return self.is_assistant(addr_spec) or self.is_staff(addr_spec)

    def _own_domain(self, addr_spec: str) -> bool:
        domain = addr_spec.rpartition("@")[2]
        return any(domain == own or domain.endswith("." + own) for own in self.domains)


@dataclass(frozen=True, slots=True)
class Relation:
    """Which way a message goes and who stands on the client's side of it."""

    direction: Direction
    writer: Address | None
    """Who wrote the words: for a forwarded client mail, the client."""
    counterpart: Address | None
    """The person at the client this is with; None for internal mail."""
    others: tuple[Address, ...]
    """Further people outside the agency on the same mail."""
    trust: str
    """Proof of the sender: pass | fail | none."""
    forwarded: bool = False
    automatic: bool = False
    """Written by the assistant itself."""
    spoofed: bool = False
    """Claims one of our addresses and the proof failed."""


def relate(message: Message, directory: Directory, prove: ProveSender | None = None) -> Relation:
    """Direction by address, proof by verdict. Never raises; mail without an originator is inbound from nobody.

    `prove` is asked where the configured server gave no verdict on mail that claims one of our addresses.
    """
    trust = verdict(message, directory.authserv_id, (*directory.mail_hosts, *directory.domains))
    writer = message.originator
    if trust == "none" and prove is not None and writer is not None and directory.is_ours(writer.addr_spec):
        trust = prove()
    if writer is None:
        return Relation("inbound", None, None, (), trust)
    recipients = (*message.to, *message.cc, *message.bcc)
    outside = _outside(recipients, directory)
    if trust == "fail" and directory.is_ours(writer.addr_spec):
        return Relation("inbound", writer, None, (), trust, spoofed=True)
    if directory.is_assistant(writer.addr_spec):
        first = outside[0] if outside else None
        return Relation("outbound" if outside else "internal", writer, first, outside[1:], trust, automatic=True)
    if not directory.is_staff(writer.addr_spec):
        return Relation("inbound", writer, writer, _without(outside, writer), trust)
    if outside:
        return Relation("outbound", writer, outside[0], outside[1:], trust)
    inner = message.forwarded.originator if message.forwarded else None
    if inner is not None and not directory.is_ours(inner.addr_spec):
        return Relation("inbound", inner, inner, (), trust, forwarded=True)
    return Relation("internal", writer, None, (), trust)


def _outside(addresses: Iterable[Address], directory: Directory) -> tuple[Address, ...]:
    seen: dict[str, Address] = {}
    for address in addresses:
        if address.addr_spec and not directory.is_ours(address.addr_spec):
            seen.setdefault(address.addr_spec.lower(), address)
    return tuple(seen.values())


def _without(addresses: tuple[Address, ...], writer: Address) -> tuple[Address, ...]:
    return tuple(item for item in addresses if item.addr_spec.lower() != writer.addr_spec.lower())


def is_a_person(addr_spec: str) -> bool:
    """False for no-reply@, mailer-daemon@ and the like: nobody there reads answers."""
    return not _NO_PERSON.match(addr_spec.partition("@")[0])


_ROLE = re.compile(
    r"\b(?:director|manager|head|founder|owner|partner|officer|executive|assistant|coordinator|specialist|lead|president|secretary|treasurer|"
    r"accountant|counsel|buyer|controller|trustee|chair|chairman|chairwoman|principal|producer|editor|curator|analyst|ceo|cfo|cmo|coo|cto|vp)\b"
    r"|总监|總監|经理|經理|主管|助理|专员|專員|总裁|總裁|主任|负责人|負責人|合伙人|合夥人|创始人|創辦人|创办人|店长|店長|财务|財務|会计|會計|法务|法務"
    r"|采购|採購|秘书|秘書|董事长|董事長|馆长|館長|部长|部長|科长|科長|校长|校長|顾问|顧問",
    re.IGNORECASE,
)
_ROLE_LENGTH = 50


def role_in(signature: str) -> str:
    """The piece of a signature that says what its writer does there, or ""."""
    for line in signature[:2000].splitlines():
        for piece in re.split(r"[|·•,，、/]", line):
            piece = " ".join(piece.split())
            if len(piece) > _ROLE_LENGTH or re.search(r"[\d@。.!?！？:：]", piece) or not _ROLE.search(piece):
                continue
            # 林晓芸 市场总监: the name stands before the role.
            words = [word for word in piece.split() if word[0] >= "\u3400" and _ROLE.search(word)]
            return words[0] if words else piece
    return ""


_NO_PHONE = re.compile(
    r"传真|傳真|\bfax|qq|微信|wechat|邮编|郵編|\bvat\b|税号|稅號|\bno\.|账号|賬號|iban", re.IGNORECASE
)
_PHONE_LABEL = re.compile(
    r"(?:电话|電話|手机|手機|联系方式|座机|\b(?:tel|telephone|phone|mobile|mob|cell|direct|office|ph|t|m|p|d)\b)[\s.:：]*$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?\(?\d[\d\s().\-–/]{5,22}\d")


def phone_in(signature: str) -> str:
    """The telephone number of a signature as it is written there, or "": labelled, international, or a mainland mobile."""
    for line in signature[:2000].splitlines():
        for found in _NUMBER.finditer(line):
            number = found[0].strip()
            digits = re.sub(r"\D", "", number)
            before = line[: found.start()]
            if not 7 <= len(digits) <= 15 or _NO_PHONE.search(re.split(r"[|·•;；,，]", before)[-1]):
                continue
            plain = number.startswith("+") or re.fullmatch(r"1[3-9]\d{9}", digits) is not None
            if plain or _PHONE_LABEL.search(before):
                return " ".join(number.split())[:40]
    return ""


def is_full_name(name: str) -> bool:
    """Whether a name has both parts, so that two people of one company would hardly share it."""
    name = " ".join(name.split())
    return " " in name or (3 <= len(name) <= 4 and all("\u3400" <= letter <= "\u9fff" for letter in name))


@lru_cache(maxsize=2_000)
def client_key(addr_spec: str, free_mail: frozenset[str]) -> str:
    """What identifies the client behind an address: the registered domain, or the whole address for free mail.

    `mail.shop.com.cn` and `shop.com.cn` are one company, `com.cn` is none (Public Suffix List).
    """
    addr_spec = addr_spec.lower()
    domain = addr_spec.rpartition("@")[2]
    if domain in free_mail:
        return addr_spec
    return organisational_domain(domain)
