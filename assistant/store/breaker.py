"""The circuit breaker: too much automatic mail, or too much that comes back, stops it until a person says go on.

It is the last line: every mail behind it was ordered by a rule and passed every guard. What it stops stays in the queue. Mail to
colleagues goes on, so that they hear of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.store.outbox import returned_since, sent_since
from assistant.store.settings import get_setting, put_setting
from assistant.store.tables import AuditEntry, Client, Contact, OutboxMessage

_log = structlog.get_logger("assistant.outbox")

_SETTING: Final = "breaker"
EVERYBODY: Final = "all"
_HOUR: Final = timedelta(hours=1)
BOUNCES_WITHIN: Final = timedelta(days=7)
FEWEST_BOUNCES: Final = 3
"""With fewer a rate says nothing: one of ten may be a misprint."""

Cause = Literal["hourly", "client", "bounces", "by-hand"]


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """What is too much. `hourly`: automatic mails to clients in an hour; `client_hourly`: to one client, or one to each
    of its people if those are more; `bounce_rate`: share of the mail of the last week that came back."""

    hourly: int = 200
    client_hourly: int = 6
    bounce_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Trip:
    """Why sending stopped, since when; `scope` is `all` or `client:12`."""

    scope: str
    cause: Cause
    count: int
    limit: float
    at: datetime
    name: str = ""
    """Of the client, where it is one."""

    @property
    def client_id(self) -> int | None:
        return int(self.scope.removeprefix("client:")) if self.scope != EVERYBODY else None


def trips(session: Session) -> tuple[Trip, ...]:
    """Where sending is stopped now."""
    found = (get_setting(session, _SETTING) or {}).get("open", {})
    return tuple(
        Trip(scope, item["cause"], item["count"], item["limit"], datetime.fromisoformat(item["at"]), item["name"])
        for scope, item in sorted(found.items())
    )


def look(session: Session, row: OutboxMessage, limits: BreakerLimits, now: datetime) -> Trip | None:
    """Whether sending this mail to a client would be too much, or is stopped already. A new trip is stored."""
    for trip in trips(session):
        if trip.scope == EVERYBODY or trip.client_id == row.client_id:
            return trip
    found = _everybody(session, limits, now) or (
        _client(session, row.client_id, limits, now) if row.client_id else None
    )
    if found is not None:
        stop(session, found, "assistant")
    return found


def _everybody(session: Session, limits: BreakerLimits, now: datetime) -> Trip | None:
    closed = _closed_at(session, EVERYBODY)
    sent = sent_since(session, _since(now - _HOUR, closed))
    if sent >= limits.hourly:
        return Trip(EVERYBODY, "hourly", sent, limits.hourly, now)
    returned = returned_since(session, _since(now - BOUNCES_WITHIN, closed))
    if returned >= FEWEST_BOUNCES:
        tried = sent_since(session, _since(now - BOUNCES_WITHIN, closed), returned=True)
        if returned > limits.bounce_rate * tried:
            return Trip(EVERYBODY, "bounces", returned, tried, now)
    return None


def _client(session: Session, client_id: int, limits: BreakerLimits, now: datetime) -> Trip | None:
    scope = f"client:{client_id}"
    sent = sent_since(session, _since(now - _HOUR, _closed_at(session, scope)), client_id)
    if sent < limits.client_hourly:
        return None
    people = session.scalar(select(func.count()).select_from(Contact).where(Contact.client_id == client_id)) or 0
    if sent < people:  # a festival on which each of them is greeted is no loop
        return None
    client = session.get(Client, client_id)
    return Trip(scope, "client", sent, max(limits.client_hourly, people), now, client.name if client else "")


def stop(session: Session, trip: Trip, who: str) -> None:
    """Stops sending in this scope until `go_on`."""
    value = get_setting(session, _SETTING) or {}
    item = {"cause": trip.cause, "count": trip.count, "limit": trip.limit, "at": trip.at.isoformat(), "name": trip.name}
    put_setting(session, _SETTING, {**value, "open": {**value.get("open", {}), trip.scope: item}})
    details = {"cause": trip.cause, "count": trip.count, "limit": trip.limit}
    session.add(
        AuditEntry(at=trip.at, who=who, event="sending-stopped", subject=f"breaker:{trip.scope}", details=details)
    )
    _log.error("sending_stopped", scope=trip.scope, cause=trip.cause, count=trip.count, limit=trip.limit)


def go_on(session: Session, scope: str, who: str, now: datetime) -> bool:
    """Lets mail leave again, and counts anew from now; False when nothing was stopped there."""
    value = get_setting(session, _SETTING) or {}
    open_ones: dict[str, Any] = dict(value.get("open", {}))
    if open_ones.pop(scope, None) is None:
        return False
    closed = {**value.get("closed", {}), scope: now.isoformat()}
    put_setting(session, _SETTING, {**value, "open": open_ones, "closed": closed})
    session.add(AuditEntry(at=now, who=who, event="sending-resumed", subject=f"breaker:{scope}", details={}))
    _log.info("sending_resumed", scope=scope)
    return True


def _closed_at(session: Session, scope: str) -> datetime | None:
    found = (get_setting(session, _SETTING) or {}).get("closed", {}).get(scope)
    return datetime.fromisoformat(found) if found else None


def _since(start: datetime, closed: datetime | None) -> datetime:
    return max(start, closed) if closed is not None else start
