"""Stops are noticed quickly in this room's tests, because nearly every one of them ends with a stop."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.mail.waiting.STOP_LATENCY", 0.03)
