"""Killed at random while follow-ups fall due, the daemon sends each exactly once or keeps it with a reason."""

from __future__ import annotations

from pathlib import Path

from tests.exactly_once import killed_often, prepared
from tests.servers.smtp_sink import SmtpSink

STEPS = 40
KILLS = 10


def test_each_step_is_sent_once_however_often_the_daemon_dies(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    config = prepared(tmp_path, smtp_sink.port, STEPS)
    verdict = killed_often(config, smtp_sink, STEPS, KILLS)
    assert verdict.faults == [], verdict
    assert verdict.kills >= KILLS // 2
    assert verdict.states["sent"] >= STEPS - verdict.kills
