"""Proof of a sender by the signature of his domain: DKIM (RFC 6376) verified with dkimpy against keys from DNS."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import structlog

from assistant.clock import monotonic
from assistant.errors import AssistantError
from assistant.model.authentication import are_aligned, has_one_writer, host_name
from parsers import Message

_log = structlog.get_logger("assistant.mail")

KeyLookup = Callable[[str], bytes | None]
"""From the name of a TXT record to its text; None where there is none. Raises TimeoutError where nobody answered."""

LOOKUP_SECONDS = 3.0
PAUSE_SECONDS = 60.0
"""After a resolver did not answer, mail is not held up by asking it again for so long."""
_KEPT_SECONDS = 3600.0
_MISSING_KEPT_SECONDS = 300.0
_KEYS_KEPT = 1000
_MAX_SIGNATURES = 5
_MAX_BYTES = 10_000_000
_MAX_HEADER_BYTES = 200_000
_LONGEST_BLANK = b" " * 200
"""A longer run of blanks would take the library's patterns more than linear time."""
_ALGORITHMS = frozenset({b"rsa-sha256", b"ed25519-sha256"})
"""Not rsa-sha1 (RFC 8301 §3.1)."""
_SINGLE = frozenset(
    b"from sender reply-to to cc subject date message-id in-reply-to references mime-version content-type "
    b"content-transfer-encoding".split()
)
"""Fields that may stand once (RFC 5322 §3.6): of two, the signed one need not be the one that is read."""

_SILENT = logging.getLogger("assistant.mail.dkimpy")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class DnsKeys:
    """Looks up keys in DNS, remembers them for an hour, and leaves a resolver alone that does not answer."""

    def __init__(self, resolver: Any | None = None) -> None:
        """`resolver` is a `dns.resolver.Resolver`; the machine's own if there is none."""
        self._resolver = resolver
        self._known: dict[str, tuple[bytes | None, float]] = {}
        self._silent_until = float("-inf")

    def __call__(self, name: str) -> bytes | None:
        known = self._known.get(name)
        if known is not None and known[1] > monotonic():
            return known[0]
        if monotonic() < self._silent_until:
            raise TimeoutError("DNS did not answer a moment ago")
        try:
            text = self._ask(name)
        except TimeoutError:
            self._silent_until = monotonic() + PAUSE_SECONDS
            raise
        if len(self._known) >= _KEYS_KEPT:
            self._known.clear()
        self._known[name] = (text, monotonic() + (_KEPT_SECONDS if text is not None else _MISSING_KEPT_SECONDS))
        return text

    def _ask(self, name: str) -> bytes | None:
        import dns.exception
        import dns.resolver

        try:
            resolver = self._resolver or dns.resolver.get_default_resolver()
            answer = resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except (dns.exception.Timeout, dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration) as error:
            raise TimeoutError(str(error)) from error
        except dns.exception.DNSException:
            return None
        texts = [b"".join(record.strings) for record in answer]
        return texts[0] if len(texts) == 1 else None


class SignatureProof:
    """Tells whether a message was signed by the domain of its From, over the whole of it."""

    def __init__(self, keys: KeyLookup | None = None) -> None:
        """Raises AssistantError where the libraries are missing."""
        try:
            import dkim
            import dns.resolver  # noqa: F401  # looked for now, used when a key is asked for
        except ModuleNotFoundError as error:
            raise AssistantError(
                "mailbox.verify_dkim = true needs two more libraries: install cc-assistant[dkim], or set it to false."
            ) from error
        self._dkim = dkim
        self._keys = keys or DnsKeys()

    def __call__(self, raw: bytes, message: Message) -> str:
        """pass or none, never fail: a broken signature says no more than a missing one (RFC 6376 §6.1). Never raises."""
        try:
            why = self._refused(raw, message)
        except Exception as error:  # noqa: BLE001  # the library raises what it likes on hostile input: no proof then
            why = type(error).__name__
        if why:
            _log.info("sender_not_proved", reason=why)
        return "none" if why else "pass"

    def _refused(self, raw: bytes, message: Message) -> str:
        """Why there is no proof; "" if there is."""
        if not has_one_writer(message) or message.originator is None:
            return "not one writer"
        if why := _unfit(raw):
            return why
        domain = host_name(message.originator.addr_spec.rpartition("@")[2])
        signed = self._dkim.DKIM(raw, logger=_SILENT, minkey=1024)
        names = [name.strip().lower() for name, _ in signed.headers]
        if any(names.count(name) > 1 for name in _SINGLE):
            return "a field stands twice"
        reason = "no signature"
        for index in range(min(names.count(b"dkim-signature"), _MAX_SIGNATURES)):
            reason = self._unproved_by(raw, index, domain)
            if not reason:
                return ""
        return reason

    def _unproved_by(self, raw: bytes, index: int, domain: str) -> str:
        library = self._dkim
        signed = library.DKIM(raw, logger=_SILENT, minkey=1024)
        try:
            tags, fields, _ = signed.verify_headerprep(index)
        except library.DKIMException as error:
            return f"signature unusable: {type(error).__name__}"
        if why := _unfit_signature(tags, fields, domain):
            return why
        name = f"{tags[b's'].decode('ascii')}._domainkey.{tags[b'd'].decode('ascii')}."
        try:
            key = self._keys(name)
        except TimeoutError:
            return "DNS does not answer"
        if key is None:
            return "no key in DNS"
        if _only_tested(key):
            return "the key is for testing"
        try:
            good = signed.verify(index, dnsfunc=lambda _name, **_: key)
        except library.DKIMException as error:
            return f"signature wrong: {type(error).__name__}"
        return "" if good else "signature wrong"


def _unfit(raw: bytes) -> str:
    """Sizes and shapes on which the library would take long."""
    if len(raw) > _MAX_BYTES:
        return "too large"
    ends = [end for end in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if end >= 0]
    if min(ends, default=len(raw)) > _MAX_HEADER_BYTES:
        return "header too large"
    return "long runs of blanks" if _LONGEST_BLANK in raw.replace(b"\t", b" ") else ""


def _unfit_signature(tags: dict[bytes, bytes], fields: list[bytes], domain: str) -> str:
    signer = host_name(tags[b"d"].decode("ascii", "replace"))
    if not are_aligned(signer, domain):
        return "signed by another domain"
    if b"l" in tags:
        return "only a part of the body is signed (l=)"
    if b"from" not in fields:
        return "From is not signed"
    return "" if tags[b"a"] in _ALGORITHMS else "weak algorithm"


def _only_tested(key: bytes) -> bool:
    """The flag t=y: not to be treated as signed (RFC 6376 §3.6.1)."""
    tags = dict(part.strip().partition(b"=")[::2] for part in key.split(b";"))
    return b"y" in [flag.strip() for flag in tags.get(b"t", b"").split(b":")]
