"""Which messages are interpreted next: oldest first, as many as fit into memory together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import Location, RawMail

BATCH_BYTES = 16_000_000
"""Raw mail of one batch, of which two may be at hand; a larger message comes alone."""


def pending_batch(
    session: Session, size: int, only: int | None = None, but: Collection[int] = ()
) -> Sequence[Location]:
    """Up to `size` locations that wait, together not much above `BATCH_BYTES`; or the one asked for, if it waits.

    Those in `but` are at hand already.
    """
    query = (
        select(Location, RawMail.size)
        .join(RawMail, RawMail.id == Location.raw_id)
        .where(Location.outcome == "pending", Location.id.not_in(but))
        .order_by(Location.order_at, RawMail.sha256, Location.id)
        .limit(size)
    )
    rows = session.execute(query if only is None else query.where(Location.id == only)).all()
    totals = accumulate(row[1] for row in rows)
    return [
        row[0]
        for index, (row, total) in enumerate(zip(rows, totals, strict=True))
        if index == 0 or total <= BATCH_BYTES
    ]


def still_pending(session: Session, location_ids: Collection[int]) -> dict[int, Location]:
    """Those that nobody has interpreted meanwhile, by their ids."""
    rows = session.scalars(select(Location).where(Location.id.in_(location_ids), Location.outcome == "pending"))
    return {row.id: row for row in rows}
