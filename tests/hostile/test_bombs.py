"""Messages that cost too much: the process that reads them is killed, they are put away with the reason, the rest goes on."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from assistant.intake import isolation
from assistant.intake.careful import MOST_DEATHS, CarefulReading, ReadingMarker
from assistant.intake.isolation import CostLimits, CostlyMessageError, IsolatedParser, is_risky, parse_within
from assistant.store.tables import Location, Quarantine
from parsers import parse
from tests.offices import MONDAY, Office, command, mail, open_office, write_config

LIMITS = CostLimits(processor_seconds=1, clock_seconds=100.0, memory_bytes=300_000_000)
READER = "tests.hostile.bombs:read"
LARGE = "\n" + "x" * 70 + "\n"
LARGE *= isolation.LARGE // len(LARGE) + 1
"""Makes a message large enough to be read apart."""


@pytest.fixture
def apart() -> Iterator[IsolatedParser]:
    parser = IsolatedParser(LIMITS, READER)
    yield parser
    parser.close()


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        ("#spins", "took more than 1 s of processor time"),
        ("#eats", "MB of memory"),
        ("#crashes", "ended the process that read it (SIGSEGV)"),
        ("#killed", "ended the process that read it (SIGKILL)"),
        ("#raises", "RuntimeError: nobody thought of this"),
    ],
)
def test_what_takes_too_much_is_given_up_and_the_next_is_read(apart: IsolatedParser, bomb: str, reason: str) -> None:
    good = mail("请报价。")
    assert apart.parse(good) == parse(good)
    with pytest.raises(CostlyMessageError) as refused:
        apart.parse(mail(bomb))
    assert reason in str(refused.value)
    assert apart.parse(good) == parse(good)


def test_what_sleeps_for_ever_is_given_up_by_the_clock() -> None:
    apart = IsolatedParser(CostLimits(clock_seconds=2.0), READER)
    with pytest.raises(CostlyMessageError, match="took longer than 2 s"):
        apart.parse(mail("#sleeps"))
    apart.close()


def test_nothing_is_left_running() -> None:
    before = {child.pid for child in psutil.Process().children()}
    apart = IsolatedParser(LIMITS, READER)
    apart.parse(mail("x"))
    apart.close()
    assert {child.pid for child in psutil.Process().children()} <= before


def test_the_other_process_is_given_no_secret_and_can_write_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PASSWORD", "correct-horse")
    apart = IsolatedParser(LIMITS)
    apart.parse(mail("x"))
    child = next(child for child in psutil.Process().children() if "parsing_worker" in " ".join(child.cmdline()))
    assert "ASSISTANT_PASSWORD" not in child.environ()
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    apart.close()


def test_large_and_oddly_shaped_mail_is_read_apart_and_ordinary_mail_is_not() -> None:
    assert not is_risky(mail("请报价。"))
    assert not is_risky(mail("请报价。" + "字" * 100_000))
    assert is_risky(mail(LARGE))
    assert is_risky(b"Subject: " + b"a" * 70_000 + b"\r\n\r\nx")
    assert is_risky(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 300)
    assert is_risky(mail("x", headers={"X-Attachment": "winmail.dat"}))


def test_a_small_message_that_never_ends_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def spins(_raw: bytes) -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001  # as the parsers do: they turn what a part raises into a defect
                continue

    before = signal.getsignal(signal.SIGVTALRM)
    monkeypatch.setattr(isolation, "parse", spins)
    with pytest.raises(CostlyMessageError, match="processor time"):
        parse_within(b"x", 0.2)
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    opened = open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))
    intake = opened.workplace.intake
    intake._careful = intake._ahead._careful = CarefulReading(tmp_path, LIMITS, IsolatedParser(LIMITS, READER))
    return opened


def test_a_bomb_is_in_quarantine_with_its_reason_and_is_not_read_again(office: Office) -> None:
    counts = office.hear(mail("请报价。"), mail("#spins" + LARGE), mail("再请报价。"))
    assert (counts.logged, counts.quarantined) == (2, 1)
    began = time.process_time()
    assert office.workplace.interpret().total == 0
    assert time.process_time() - began < 1.0
    shown = command(office.config_file, "quarantine", "--json")
    assert "took more than 1 s of processor time" in shown.out
    with office.session() as session:
        assert session.scalars(select(Quarantine.phase)).all() == ["parse"]
    assert not list(office.config_file.parent.glob(".reading-*"))


DIES = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from tests.offices import MONDAY, TaggedReader, open_office

class Deadly(TaggedReader):
    def prepare(self, texts):
        if any("#group" in item.text for item in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(texts)

office = open_office(Path(sys.argv[1]), Deadly(), MONDAY + timedelta(hours=1))
office.workplace.interpret()
"""


def test_what_kills_the_process_again_and_again_is_put_away_and_the_rest_is_read(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    office = open_office(config, now=MONDAY + timedelta(hours=1))
    office.keep(mail("请报价。"), mail("致命 #group"), mail("谢谢。"), mail("合同附上。"))
    deaths = 0
    while deaths <= MOST_DEATHS + 1:
        run = subprocess.run([sys.executable, "-c", DIES, config], env=dict(os.environ), capture_output=True)
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL, run.stderr.decode()
        deaths += 1
    assert deaths == MOST_DEATHS
    [named] = [line for line in run.stdout.decode().splitlines() if "process_died_reading" in line and "uid=2" in line]
    assert re.search(rf"deaths={MOST_DEATHS} folder=INBOX location=\d+ mailbox=shared", named)
    assert "致命" not in run.stdout.decode()
    with office.session() as session:
        outcomes = sorted(session.scalars(select(Location.outcome)))
        reason = session.scalar(select(Quarantine.reason)) or ""
    assert outcomes == ["logged", "logged", "logged", "quarantined"]
    assert f"{MOST_DEATHS} times the process ended" in reason
    assert not list(tmp_path.glob(".reading-*"))


def test_a_marker_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    alive = ReadingMarker(tmp_path)
    alive.under_way([7])
    assert ReadingMarker(tmp_path).deaths == {}
    assert len(list(tmp_path.glob(".reading-*"))) == 1
    alive.close()
    (tmp_path / ".reading-1-1").write_bytes(b'{"at": [3], "deaths": {"3": 1, "5": 2}}\n and what a longer line left')
    (tmp_path / ".reading-2-1").write_bytes(b"rubbish")
    assert ReadingMarker(tmp_path).deaths == {3: 2, 5: 2}
    assert ReadingMarker(tmp_path).deaths == {}


def test_where_no_marker_can_be_written_mail_is_read_all_the_same(tmp_path: Path) -> None:
    careful = CarefulReading(tmp_path / "missing")
    raw = mail("x")
    assert careful.parse(1, raw) == parse(raw)
    careful.close()


# --- shapes of bombs, through the parsers themselves ------------------------------------------------------------------


def _zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    return packed.getvalue()


def _attached(content_type: str, body: bytes) -> bytes:
    import base64

    return (
        b"From: <chen@mingshan.example>\r\nTo: <assistant@lanhai.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n'
        + f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + base64.encodebytes(body)
        + b"--b--\r\n"
    )


BOMBS = {
    "a zip full of zeros": _attached('application/zip; name="a.zip"', _zip_bomb()),
    "20 MB of small header fields": b"".join(b"X-%d: y\r\n" % number for number in range(1_500_000)) + b"\r\nx",
    "one header field of 20 MB": b"Subject: " + b"a " * 10_000_000 + b"\r\n\r\nx",
    "one field folded a million times": b"References: " + b"\r\n <a@b.example>" * 1_000_000 + b"\r\n\r\nx",
    "a header without an end": b"a" * 20_000_000,
    "parts in parts in parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(20_000)
    ),
    "a hundred thousand parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
    "mails in mails": b"Content-Type: message/rfc822\r\n\r\n" * 50_000,
    "a million quote marks": mail(">" * 1_000_000 + " x"),
    "a line of ten million blanks": mail("a" + " " * 10_000_000 + "b"),
    "elements in elements": mail("x").replace(b"text/plain", b"text/html") + b"<div>" * 500_000,
    "entities": mail("x").replace(b"text/plain", b"text/html") + b"&amp;" * 1_000_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * 500_000 + b"\r\n\r\nx",
    "addresses": b"To: " + b"(((a@b.example, " * 500_000 + b"\r\n\r\nx",
    "dashes": mail("-" * 3_000_000 + "\n" + "-- \n" * 300_000),
    "parameters continued for ever": b"Content-Disposition: attachment; "
    + b";\r\n ".join(b"filename*%d=aaaa" % number for number in range(40_000))
    + b"\r\n\r\nx",
    "a calendar that repeats for ever": mail("x").replace(b"text/plain", b"text/calendar; method=REQUEST")
    + b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260302T100000Z\r\nRRULE:FREQ=SECONDLY;COUNT=999999999\r\n"
    + b"DURATION:P999999999999D\r\nRDATE:"
    + b"20260302T100000Z," * 40_000
    + b"\r\nEND:VEVENT\r\n",
    "letters that grow when normalised": mail("\ufdfa" * 300_000 + "e" + "\u0301" * 300_000),
    "results of authentication": b"Authentication-Results: "
    + b"(" * 200_000
    + b"\r\nReceived: x\r\n" * 50_000
    + b"\r\nx",
}


@pytest.mark.parametrize("name", BOMBS)
def test_shapes_of_bombs_cost_little(name: str) -> None:
    """Two processor seconds and 400 MB are more than any of them takes, on a slow machine too."""
    apart = IsolatedParser(CostLimits(processor_seconds=20, clock_seconds=110.0, memory_bytes=400_000_000))
    try:
        began = sum(os.times()[2:4])
        message = apart.parse(BOMBS[name])
    finally:
        apart.close()
    assert sum(os.times()[2:4]) - began < 5.0
    assert len(message.text) <= 4_000_000
    assert not [defect for defect in message.defects if defect.code == "reader-failed"]
