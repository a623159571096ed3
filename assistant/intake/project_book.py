"""The records of the projects that a batch touches, read once: understanding and project state both need them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import Record


class ProjectBook:
    """Lives as long as one transaction; thrown away when a savepoint is rolled back."""

    def __init__(self) -> None:
        self._records: dict[int, list[Record]] = {}
        self._held: list[object] = []
        self.steps: dict[int, list[tuple[str, int]]] = {}
        """Per project the stage steps that are stored: (stage, record id)."""

    def hold(self, *rows: object) -> None:
        """Keeps rows alive for the transaction: the session itself would forget and ask for them again."""
        self._held.extend(rows)

    def records(self, session: Session, project_id: int) -> list[Record]:
        """All records of the project, in no particular order."""
        if project_id not in self._records:
            self._records[project_id] = list(session.scalars(select(Record).where(Record.project_id == project_id)))
        return self._records[project_id]

    def forget(self, project_id: int) -> None:
        """The project was given records of a thread that joined it."""
        self._records.pop(project_id, None)

    def add(self, record: Record) -> None:
        """A new record that was just flushed."""
        if record.project_id is not None and record.project_id in self._records:
            known = self._records[record.project_id]
            if record not in known:
                known.append(record)
