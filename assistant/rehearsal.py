"""A pass that leaves no trace: on a copy of the database, with a submission server that only takes notes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from assistant.bootstrap import Options
    from assistant.config import Config


@dataclass(frozen=True, slots=True)
class WouldSend:
    """One mail that a real pass would have sent, or stored for later."""

    due_at: datetime
    state: str
    recipients: tuple[str, ...]
    subject: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class _Accepted:
    state: str
    code: int | None
    text: str
    recipients: tuple[object, ...] = ()
    phase: str = "done"


class NoteTaker:
    """Accepts everything and sends nothing."""

    async def submit(self, message: bytes, sender: str, recipients: Sequence[str]) -> _Accepted:  # noqa: ARG002  # a submitter's signature
        return _Accepted("sent", 250, "not sent: dry run")


def dry_run(config: Config, base: Path, options: Options) -> list[WouldSend]:
    """One whole pass on a copy; returns what would be sent or wait."""
    from assistant.adapters import resolve_url
    from assistant.bootstrap import Workplace
    from assistant.daemon import Passes
    from assistant.store.tables import OutboxMessage

    with tempfile.TemporaryDirectory(prefix="cc-assistant-") as folder:
        copy = Path(folder) / "copy.db"
        _copy_database(resolve_url(config.store.url, base), base, copy)
        copied = config.model_copy(update={"store": config.store.model_copy(update={"url": f"sqlite:///{copy}"})})
        workplace = Workplace(copied, base, options)
        with workplace.database.session() as session:
            before = set(
                session.scalars(
                    select(OutboxMessage.id).where(OutboxMessage.state.in_(("sent", "refused", "cancelled")))
                )
            )
        reader = workplace.mailbox_reader() if config.mailbox else None
        passes = Passes(workplace, reader, workplace.delivery(NoteTaker()))
        try:
            passes.whole()
        finally:
            passes.close()
        with workplace.database.session() as session:
            rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.due_at, OutboxMessage.id)).all()
            found = [
                WouldSend(
                    row.due_at,
                    "now" if row.state == "sent" else row.state,
                    tuple(row.recipients),
                    row.subject,
                    row.rule or row.purpose,
                    str(row.details.get("text", "")),
                )
                for row in rows
                if row.id not in before and row.state not in {"cancelled", "vetoed"}
            ]
        workplace.database.close()
        return found


def _copy_database(url: str, base: Path, copy: Path) -> None:
    """A new installation has nothing to copy, and none is made for it."""
    from assistant.store import open_database
    from assistant.store.migrate import current_revision
    from assistant.store.snapshot import copy_to_file

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not (base / (parsed.database or "")).exists():
        return
    database = open_database(url, base)
    if current_revision(database) is not None:
        copy_to_file(database, copy)
    database.close()
