"""cc-assistant: the client-communication colleague in Cc."""

from __future__ import annotations

__version__ = "0.1.0"
