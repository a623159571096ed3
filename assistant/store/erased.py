"""What was erased stays erased: people are remembered as salted hashes alone, messages as the sum of their bytes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.store.tables import Location, Quarantine, RawMail, Setting, Suppression

REASON: Final = "erased"
"""Of a suppression that is a hash, and of a location whose message is not to be read."""
_SALT = "erasure_salt"
_KNOWN = "hashes of erased people"
_PREFIX = "sha256:"
_AT_ONCE = 500


def erased_key(domain: str) -> str:
    """What is remembered of a whole domain; a domain's key has no local part, an address is its own key."""
    return domain if "@" in domain else f"@{domain}"


def remember_erased(session: Session, keys: Iterable[str], now: datetime) -> int:
    """Keeps the salted hash of each address or `@domain`, so that nobody there is contacted or created again."""
    salt = _salt(session, make=True)
    known = _hashes(session)
    new = sorted({_hash(salt, key) for key in keys} - known)
    session.add_all(Suppression(addr_spec=value, scope="all", reason=REASON, evidence="", since=now) for value in new)
    session.info.pop(_KNOWN, None)
    session.flush()
    return len(new)


def lift_erased(session: Session, key: str) -> bool:
    """Forgets the hash again: the person wants to be known. Returns whether there was one."""
    salt = _salt(session)
    row = session.scalar(
        select(Suppression).where(Suppression.addr_spec == _hash(salt, key), Suppression.reason == REASON)
    )
    if row is None:
        return False
    session.delete(row)
    session.info.pop(_KNOWN, None)
    return True


def is_erased(session: Session, addr_spec: str) -> bool:
    """Whether this person, or everybody at the domain, was erased. Asked once a transaction where nobody was."""
    known = _hashes(session)
    if not known:
        return False
    salt = _salt(session)
    address = addr_spec.lower()
    labels = address.rpartition("@")[2].split(".")
    keys = (address, *(f"@{'.'.join(labels[start:])}" for start in range(len(labels) - 1)))
    return any(_hash(salt, key) in known for key in keys)


def erased_memory(session: Session) -> tuple[str, frozenset[str]]:
    """The salt and every hash, to be carried into a database that takes this one's place."""
    return _salt(session), frozenset(_hashes(session))


def put_erased_memory(session: Session, salt: str, hashes: Iterable[str], now: datetime) -> None:
    """Takes over what another database remembered; its salt comes with it, unless there is one of our own already."""
    if _salt(session) not in {"", salt}:
        return
    if not _salt(session):
        session.add(Setting(name=_SALT, value={"salt": salt}))
    new = sorted(set(hashes) - _hashes(session))
    session.add_all(Suppression(addr_spec=value, scope="all", reason=REASON, evidence="", since=now) for value in new)
    session.info.pop(_KNOWN, None)
    session.flush()


def _hashes(session: Session) -> set[str]:
    if _KNOWN not in session.info:
        rows = select(Suppression.addr_spec).where(Suppression.reason == REASON)
        session.info[_KNOWN] = set(session.scalars(rows))
    found: set[str] = session.info[_KNOWN]
    return found


def _salt(session: Session, *, make: bool = False) -> str:
    row = session.get(Setting, _SALT)
    if row is None and make:
        row = Setting(name=_SALT, value={"salt": secrets.token_hex(16)})
        session.add(row)
        session.flush()
    return str(row.value["salt"]) if row is not None else ""


def _hash(salt: str, key: str) -> str:
    return _PREFIX + hashlib.sha256(f"{salt}:{key.lower()}".encode()).hexdigest()


# --- messages -------------------------------------------------------------------------------------------------------


def erase_raw(session: Session, raw_ids: Iterable[int], now: datetime) -> int:
    """Takes the bytes away. Their sum stays, so that the same bytes are not kept again; what waited is not read."""
    numbers = sorted(set(raw_ids))
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        session.execute(
            update(RawMail)
            .where(RawMail.id.in_(part))
            .values(body=b"", erased_at=func.coalesce(RawMail.erased_at, now))
        )
        session.execute(
            update(Location)
            .where(Location.raw_id.in_(part), Location.outcome.in_(("pending", "quarantined")))
            .values(outcome="ignored", outcome_reason=REASON)
        )
        session.execute(
            update(Quarantine)
            .where(Quarantine.raw_id.in_(part), Quarantine.settled_at.is_(None))
            .values(settled_at=now)
        )
    return len(numbers)


def erased_among(session: Session, raw_ids: Sequence[int]) -> frozenset[int]:
    """Which of these messages were erased before: the same bytes came in again."""
    found: set[int] = set()
    for start in range(0, len(raw_ids), _AT_ONCE):
        part = raw_ids[start : start + _AT_ONCE]
        found.update(session.scalars(select(RawMail.id).where(RawMail.id.in_(part), RawMail.erased_at.is_not(None))))
    return frozenset(found)
