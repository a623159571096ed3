"""Delivers what is due: claim, recheck, submit, settle. Nothing is sent twice, nothing after an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.model.cadence import Refusal
from assistant.outbox.settling import GIVE_UP_AFTER, Outcome, Settlement, rest_of, settlement, still_to_reach
from assistant.store import Database
from assistant.store.breaker import EVERYBODY, BreakerLimits, look, trips
from assistant.store.outbox import (
    begin_sending,
    claim,
    claimants,
    due_ids,
    enqueue,
    in_hand,
    last_left,
    left_since,
    release_expired,
    sent_since,
    settle,
    settle_late,
)
from assistant.store.suppressions import REVIEW_AFTER, suppress
from assistant.store.tables import AuditEntry, OutboxMessage
from assistant.store.workers import has_died, new_worker

_log = structlog.get_logger("assistant.outbox")

LEASE = timedelta(minutes=15)
"""How long a claim holds; longer than the ten minutes a server may take after DATA (RFC 5321 §4.5.3.2.6)."""
SERVER_RESTS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600, 900))
"""How long a server is left alone that cannot be reached, or says that it wants no more for now."""


class Submitter(Protocol):
    """Submits one message; never raises for what a server or network does."""

    async def submit(self, message: bytes, sender: str, recipients: Sequence[str]) -> Outcome: ...


@runtime_checkable
class CarefulSubmitter(Protocol):
    """A submitter that says when it is about to give the message to the server."""

    async def submit_marked(
        self, message: bytes, sender: str, recipients: Sequence[str], before_data: Callable[[], bool]
    ) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Caps on mail to clients, as the provider and good manners want them."""

    daily: int = 200
    per_minute: int = 0
    """0: as many as the minimum interval lets through."""
    minimum_interval: timedelta = timedelta(seconds=2)
    breaker: BreakerLimits = field(default_factory=BreakerLimits)


@dataclass(slots=True)
class DeliveryCounts:
    """What became of a round of deliveries."""

    sent: int = 0
    refused: int = 0
    deferred: int = 0
    uncertain: int = 0
    cancelled: int = 0
    postponed: int = 0
    sent_ids: list[int] = field(default_factory=list)


Guard = Callable[[Session, OutboxMessage], Refusal | None]
OnSent = Callable[[Session, OutboxMessage], None]
SentLookup = Callable[[str], bool | None]


class Delivery:
    """Works through the outbox. One per process; several processes on one database share the work by claims."""

    def __init__(
        self,
        database: Database,
        submitter: Submitter,
        clock: Clock,
        *,
        guard: Guard,
        on_sent: OnSent,
        limits: DeliveryLimits | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: bool = True,
    ) -> None:
        self._database = database
        self._submitter = submitter
        self._clock = clock
        self._guard = guard
        self._on_sent = on_sent
        self._limits = limits or DeliveryLimits()
        self._pause = pause
        self._pace = pace
        self._worker = new_worker()
        self._unsettled: list[tuple[OutboxMessage, int, Outcome]] = []
        """What the server said and the database could not be told yet."""
        self._resting_until: datetime | None = None
        self._server_troubles = 0

    def recover(self) -> None:
        """Claims of a process that died are freed, half-sent mail becomes uncertain. Cheap enough for every turn."""
        self._settle_known(DeliveryCounts())
        with self._database.session() as session:
            holders = claimants(session)
            if not holders:
                return
            # Between two turns nothing is in our own hands: what has our name was dropped in a trouble.
            dead = [worker for worker in holders if worker == self._worker or has_died(worker)]
            requeued, uncertain = release_expired(
                session, self._clock.now(), dead, longest=2 * LEASE + self._longest_wait()
            )
        if requeued or uncertain:
            _log.warning("claims_recovered", requeued=requeued, uncertain=uncertain)

    def _longest_wait(self) -> timedelta:
        """How far ahead the last of some hundred claims may begin."""
        return self._limits.minimum_interval * 200

    def anything_due(self) -> bool:
        """Whether mail is due, so that the mailbox should be read once more first.

        Looks for claims that nobody holds any more too: a lease may end long after the start that followed a crash.
        """
        self.recover()
        return bool(self._due(1))

    def _due(self, limit: int = 200, *, staff_only: bool = False) -> list[int]:
        """What may be tried now: nothing while the server rests, and nobody for whom sending is stopped."""
        now = self._clock.now()
        if self._resting_until is not None and now < self._resting_until:
            return []
        with self._database.reading() as session:
            stopped = trips(session)
            everybody = any(trip.scope == EVERYBODY for trip in stopped)
            clients = [trip.client_id for trip in stopped if trip.client_id is not None]
            return list(due_ids(session, now, limit, staff_only=everybody or staff_only, but_clients=clients))

    def _note_server(self, outcome: Outcome) -> None:
        """A server that is gone, busy or throttling is not asked for the next mail at once (RFC 5321 §4.2.1, 421)."""
        in_trouble = outcome.state == "deferred" and (outcome.phase in {"connect", "login"} or outcome.code == 421)
        if not in_trouble:
            self._resting_until, self._server_troubles = None, 0
            return
        rest = SERVER_RESTS[min(self._server_troubles, len(SERVER_RESTS) - 1)]
        self._server_troubles += 1
        self._resting_until = self._clock.now() + rest
        _log.warning("submission_rests", seconds=rest.total_seconds(), code=outcome.code, phase=outcome.phase)

    async def deliver_due(
        self, stop: Callable[[], bool] = lambda: False, *, staff_only: bool = False
    ) -> DeliveryCounts:
        """Delivers what is due now, in order, until nothing is left or `stop` says so between two mails.

        With `staff_only` what is for clients waits: nobody knows whether they have answered.
        """
        counts = DeliveryCounts()
        waiting = self._due(staff_only=staff_only)
        if waiting:
            self._resting_until = None
        for outbox_id in waiting:
            if stop() or self._resting_until is not None:
                break
            await self._deliver(outbox_id, counts)
        return counts

    async def _deliver(self, outbox_id: int, counts: DeliveryCounts) -> None:
        prepared = self._prepare(outbox_id, counts)
        if prepared is None:
            return
        row, fence, wait = prepared
        if wait > 0:
            await self._pause(wait)
        outcome = await self._submit(row, fence)
        if outcome is None:
            return
        self._note_server(outcome)
        self._unsettled.append((row, fence, outcome))
        self._settle_known(counts)

    def _settle_known(self, counts: DeliveryCounts) -> None:
        """Writes down every outcome that is known; one that the database does not take stays for the next turn."""
        while self._unsettled:
            self._settle(*self._unsettled[0], counts)
            del self._unsettled[0]

    async def _submit(self, row: OutboxMessage, fence: int) -> Outcome | None:
        """Gives the mail to the server; None when the claim was lost before.

        The row is marked as late as possible: what stops before the mark has certainly not been sent, what stops after
        it may have been.
        """

        def mark() -> bool:
            with self._database.session() as session:
                return begin_sending(session, row.id, fence, self._clock.now())

        recipients = still_to_reach(row)
        if isinstance(self._submitter, CarefulSubmitter):
            return await self._submitter.submit_marked(row.raw, row.envelope_from, recipients, mark)
        return await self._submitter.submit(row.raw, row.envelope_from, recipients) if mark() else None

    def _prepare(self, outbox_id: int, counts: DeliveryCounts) -> tuple[OutboxMessage, int, float] | None:
        """Claims the row and asks every guard again; None when it is not ours to send now. Else the row, its fence, and
        in how many seconds it may be given to the server: a clock that is put back meanwhile makes that no longer."""
        now = self._clock.now()
        with self._database.alone() as session:
            fence = claim(session, outbox_id, self._worker, now, LEASE)
            if fence is None:
                return None
            row = session.get(OutboxMessage, outbox_id)
            assert row is not None, "a claimed row exists"
            if row.audience == "client" and look(session, row, self._limits.breaker, now) is not None:
                settle(session, outbox_id, fence, state="queued", reason="sending-stopped")
                return None
            refusal = self._limit(session, row, now) or self._guard(session, row)
            if refusal is None:
                begins = self._turn(session, row, now)
                row.claimed_until = begins + LEASE
                return row, fence, (begins - now).total_seconds()
            self._put_off(session, row, fence, refusal, counts)
            return None

    def _put_off(
        self, session: Session, row: OutboxMessage, fence: int, refusal: Refusal, counts: DeliveryCounts
    ) -> None:
        now = self._clock.now()
        if refusal.retry_at is not None and refusal.retry_at > now:
            settle(session, row.id, fence, state="queued", due_at=refusal.retry_at, reason=refusal.reason)
            counts.postponed += 1
        else:
            settle(session, row.id, fence, state="cancelled", settled_at=now, reason=refusal.reason)
            counts.cancelled += 1
        self._audit(session, row, "mail-not-sent", {"reason": refusal.reason, "detail": refusal.detail})
        _log.info("mail_not_sent", outbox=row.id, rule=row.rule, reason=refusal.reason)

    def _limit(self, session: Session, row: OutboxMessage, now: datetime) -> Refusal | None:
        """The provider's caps, and the order within a thread. Mail that other workers have in hand counts as sent."""
        minute = timedelta(minutes=1)
        if self._limits.per_minute:
            taken = left_since(session, now - minute) + len(in_hand(session, row.id))
            if taken >= self._limits.per_minute:
                return Refusal("minute-limit", "the cap of a minute is reached", now + minute)
        if row.audience != "client":
            return None
        if self._sent_today(session, row, now) >= self._limits.daily:
            return Refusal("daily-limit", "the daily cap is reached", now + timedelta(hours=1))
        if self._earlier_in_thread(session, row):
            return Refusal("order", "an earlier mail of the same thread waits", now + timedelta(minutes=5))
        return None

    def _sent_today(self, session: Session, row: OutboxMessage, now: datetime) -> int:
        claimed = session.scalar(
            select(func.count())
            .select_from(OutboxMessage)
            .where(OutboxMessage.state == "claimed", OutboxMessage.audience == "client", OutboxMessage.id != row.id)
        )
        return sent_since(session, now - timedelta(days=1)) + int(claimed or 0)

    def _turn(self, session: Session, row: OutboxMessage, now: datetime) -> datetime:
        """When this mail may begin, so that the provider's minimum interval holds over all workers: after what was sent
        last, and after what others have in hand, whose claims say when they begin."""
        interval = self._limits.minimum_interval
        if not self._pace or not interval:
            return now
        others = in_hand(session, row.id)
        begun = [until - LEASE for until in others]
        last = last_left(session, now - interval)
        latest = max([*begun, last] if last is not None else begun, default=now - interval)
        # A clock that was wrong does not make anybody wait for hours.
        return min(max(now, latest + interval), now + interval * (len(others) + 1))

    def _earlier_in_thread(self, session: Session, row: OutboxMessage) -> bool:
        if row.thread_id is None:
            return False
        count = session.scalar(
            select(func.count())
            .select_from(OutboxMessage)
            .where(
                OutboxMessage.thread_id == row.thread_id,
                OutboxMessage.id < row.id,
                OutboxMessage.audience == "client",
                OutboxMessage.state.in_(("queued", "deferred", "claimed", "sending")),
                # A deferred mail's due time is when it is tried again: it was to leave earlier all the same.
                or_(OutboxMessage.due_at < row.due_at, OutboxMessage.state != "queued"),
            )
        )
        return bool(count)

    def _settle(self, row: OutboxMessage, fence: int, outcome: Outcome, counts: DeliveryCounts) -> None:
        now = self._clock.now()
        settled = settlement(row, outcome, now)
        values = {
            "state": settled.state,
            "attempts": row.attempts + 1,
            "due_at": settled.due_at,
            "settled_at": None if settled.state == "deferred" else now,
            "reason": settled.reason,
            "answer_code": outcome.code,
            "answer_text": outcome.text[:500],
            "results": [list(result) for result in settled.results],
        }
        with self._database.alone() as session:
            ours = settle(session, row.id, fence, **values)
            if not ours and not settle_late(session, row.id, fence, **values):
                _log.warning("claim_lost", outbox=row.id)
                return
            self._audit(session, row, f"mail-{settled.state}", {"code": outcome.code})
            self._follow_up(session, row, settled, now)
        setattr(counts, settled.state, getattr(counts, settled.state) + 1)
        if settled.state == "sent":
            counts.sent_ids.append(row.id)
        _log.info(
            f"mail_{settled.state}",
            outbox=row.id,
            rule=row.rule,
            purpose=row.purpose,
            to=row.recipients,
            code=outcome.code,
        )

    def _follow_up(self, session: Session, row: OutboxMessage, settled: Settlement, now: datetime) -> None:
        """What an outcome leads to: the record of what left, copies still to deliver, an address that is gone."""
        if settled.state == "sent":
            self._on_sent(session, row)
        if settled.later:
            enqueue(session, rest_of(row, settled.later, now))
        for address, words in settled.gone:
            suppress(session, address, "delivery", "bounce", words, now, review_at=now + REVIEW_AFTER)
            _log.info("address_gone", outbox=row.id, to=[address])

    def _audit(self, session: Session, row: OutboxMessage, event: str, details: dict[str, object]) -> None:
        session.add(
            AuditEntry(
                at=self._clock.now(),
                who=f"rule {row.rule}" if row.rule else "assistant",
                event=event,
                subject=f"outbox:{row.id}",
                details=details,
            )
        )

    def anything_uncertain(self) -> bool:
        """Whether there is mail of the last days of which nobody knows whether it left."""
        with self._database.session() as session:
            query = select(OutboxMessage.id).where(
                OutboxMessage.state == "uncertain",
                OutboxMessage.settled_at >= self._clock.now() - GIVE_UP_AFTER,
            )
            return session.scalar(query.limit(1)) is not None

    def resolve_uncertain(self, lookup: SentLookup) -> int:
        """Looks for uncertain mail among what was sent, by Message-ID; found ones are sent, the rest stay to be asked."""
        found = 0
        with self._database.alone() as session:
            rows = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "uncertain")).all()
            for row in rows:
                if lookup(row.message_id):
                    row.state, row.reason = "sent", "found among sent mail"
                    self._audit(session, row, "mail-sent", {"reason": row.reason})
                    self._on_sent(session, row)
                    found += 1
        return found
