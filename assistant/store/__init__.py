"""SQLAlchemy tables, sessions, migrations and the archive of raw mail."""

from __future__ import annotations

from assistant.store.archive import Archive, DatabaseArchive
from assistant.store.database import Database, open_database

__all__ = ["Archive", "Database", "DatabaseArchive", "open_database"]
