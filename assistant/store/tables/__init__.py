"""Every table, in the order a message meets them: kept, threaded, related, recorded, answered; then the installation's own."""

from __future__ import annotations

from assistant.store.tables.answered import CadenceRunRow, OutboxMessage, StaffNote
from assistant.store.tables.base import UID, Base
from assistant.store.tables.kept import FolderCursor, KeptInPart, Location, Quarantine, RawMail, UidGap
from assistant.store.tables.recorded import Correction, OpenItem, Record, SignOff
from assistant.store.tables.related import Client, ClientDomain, Contact, Project, StageChange, Suppression
from assistant.store.tables.running import AuditEntry, Setting, WorkLease
from assistant.store.tables.threaded import Thread, ThreadKey
from assistant.store.writing import write_in_order

__all__ = [
    "UID",
    "AuditEntry",
    "Base",
    "CadenceRunRow",
    "Client",
    "ClientDomain",
    "Contact",
    "Correction",
    "FolderCursor",
    "KeptInPart",
    "Location",
    "OpenItem",
    "OutboxMessage",
    "Project",
    "Quarantine",
    "RawMail",
    "Record",
    "Setting",
    "SignOff",
    "StaffNote",
    "StageChange",
    "Suppression",
    "Thread",
    "ThreadKey",
    "UidGap",
    "WorkLease",
]

write_in_order(Base)
