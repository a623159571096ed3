"""Whether anything at all is known against writing to an address: asked at every message, and hardly ever true."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.remembering import remembered
from assistant.store.tables import Suppression


class _Addresses:
    """Every address that has or had a suppression."""

    def __init__(self) -> None:
        self.known: set[str] | None = None


def may_be_suppressed(session: Session, addr_spec: str) -> bool:
    """False where there is certainly no suppression of this address; True where it is worth asking for them."""
    addresses = remembered(session, _Addresses)
    if addresses is None:
        return True
    if addresses.known is None:
        addresses.known = set(session.scalars(select(Suppression.addr_spec).distinct()))
    return addr_spec in addresses.known


def note_suppressed(session: Session, addr_spec: str) -> None:
    """A suppression of this address was added."""
    addresses = remembered(session, _Addresses)
    if addresses is not None and addresses.known is not None:
        addresses.known.add(addr_spec)
