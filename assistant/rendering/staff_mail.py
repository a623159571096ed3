"""A finished mail to a colleague: what the reports room makes and the outbox stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assistant.rendering.templates import Rendered


@dataclass(frozen=True, slots=True)
class StaffMail:
    """One finished mail to one colleague. `purpose`: summary | reminder | digest | notice | canary."""

    to_name: str
    to_address: str
    purpose: str
    dedupe_key: str
    due_at: datetime
    rendered: Rendered
    client_id: int | None = None
    project_id: int | None = None
    rule: str = ""
    rule_version: str = ""
    note_ids: tuple[int, ...] = ()
    """The stored notes (`StaffNote`) that this mail tells; they are done when it is stored."""
    planned_at: datetime | None = None
    """When it should have been told, where that is before `due_at`: after a restore it may have been."""
