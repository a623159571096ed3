"""The mails that staff read: the weekly summary per client, reminders, digests and notices."""

from __future__ import annotations
