"""The soak can fail: its judgement refuses a daemon that keeps a little of every message."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from parsers import parse
from tests.chaos.soak import Sample, growth, is_flat, soak
from tests.chaos.stream import Stream

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEAKING = """
import sys
from assistant.cli import main
from assistant.intake.phases import Phases

kept, interpret = [], Phases.interpret

def leaking(self, mail):
    kept.append(bytearray(b"x" * 1_000_000))
    return interpret(self, mail)

Phases.interpret = leaking
sys.argv[0] = "assistant"
main()
"""


def curve(megabytes: Sequence[float], messages: int = 50_000) -> list[Sample]:
    count = len(megabytes)
    return [Sample((number + 1) * messages // count, number + 1.0, size) for number, size in enumerate(megabytes)]


def test_memory_that_settles_is_flat() -> None:
    chance = random.Random(1)
    assert is_flat(curve([150, 190, 205, 212, 215, *(216 + chance.uniform(-6, 6) for _ in range(95))]))


@given(bytes_a_message=st.floats(550, 5_000))
def test_half_a_kilobyte_of_each_message_is_too_much_in_fifty_thousand(bytes_a_message: float) -> None:
    leak = bytes_a_message * 500 / 1e6
    assert not is_flat(curve([210 + leak * number for number in range(100)]))


def test_a_peak_that_goes_away_again_counts() -> None:
    found = curve([*[200.0] * 60, 225.0, *[200.0] * 39])
    assert growth(found) == 0.125
    assert not is_flat(found)


def test_what_is_loaded_at_the_start_does_not_count() -> None:
    assert is_flat(curve([60, 120, 180, *[205.0] * 97]))


def test_a_daemon_that_keeps_a_little_of_each_message_is_refused() -> None:
    leaking = soak(120, "off", run=lambda config: [sys.executable, "-c", LEAKING, "--config", str(config), "run"])
    assert leaking[-1].messages == 120
    assert not is_flat(leaking), leaking


# --- the stream -----------------------------------------------------------------------------------------------------


def letters(count: int, seed: int = 5) -> list[bytes]:
    stream = Stream("agency.example", "assistant@agency.example", "lilei@agency.example", seed)
    return [stream.letter(NOON + timedelta(seconds=number)) for number in range(count)]


def test_the_same_seed_gives_the_same_mail() -> None:
    assert letters(60) == letters(60)
    assert letters(60) != letters(60, seed=6)


def test_a_stream_never_runs_out_of_new_words_people_and_kinds() -> None:
    read = [parse(raw) for raw in letters(1200)]
    kinds = Counter(message.kind for message in read)
    assert {"human", "auto_reply", "bounce", "list"} <= kinds.keys()
    early, late = (
        {message.originator.addr_spec for message in part if message.originator} for part in (read[:600], read[600:])
    )
    assert len(late - early) > 40
    assert {message.language for message in read} >= {"zh-Hans", "en"}
    assert sum(bool(message.attachments) for message in read) > 40
    assert max(len(raw) for raw in letters(1200)) > 1_000_000
    assert sum(bool(message.references) for message in read) > 700
