"""Mail in and out: IMAP reading, SMTP submission, OAuth2, what each provider is like, and mail kept in files.

This room knows servers and bytes; it knows no client, no project and no database.
"""

from __future__ import annotations
