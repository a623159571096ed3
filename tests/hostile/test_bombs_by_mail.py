"""Bombs as they arrive: through a real IMAP server and in files; what they cost is bounded, and the mail after them is read.

The full size is `python -m benchmarks.bombs`; here the limit is made smaller instead, so that the same paths are taken.
"""

from __future__ import annotations

import json
import resource
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.errors import ServerUnreachable
from assistant.intake.ledger import unaccounted
from assistant.store.tables import Location
from benchmarks.bombs import SHAPES, deliver_stream, ordinary, promise, write_mbox
from tests.offices import MONDAY, Office, command, open_office, write_config
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy

LIMIT = 200_000


def office_of(mailbox: Mailbox, folder: Path, port: int = 0) -> Office:
    config = write_config(
        folder, imap_port=port or mailbox.server.plain_port, user=mailbox.user, password=mailbox.password
    )
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('timeout = "5s"', f"timeout = 2\nmax_message_size = {LIMIT}"), encoding="utf-8")
    return open_office(config, now=MONDAY + timedelta(days=1))


def outcomes(office: Office) -> list[tuple[str, bool]]:
    """What became of each message, and whether only a part of it is kept."""
    with office.session() as session:
        assert unaccounted(session) == []
        rows = session.scalars(select(Location).order_by(Location.uid, Location.id))
        return [(row.outcome, bool(row.problem)) for row in rows]


def test_every_shape_comes_through_imap_in_part_and_what_follows_is_read(mailbox: Mailbox, tmp_path: Path) -> None:
    office = office_of(mailbox, tmp_path)
    mailbox.deliver(ordinary(0))
    for number, shape in enumerate(SHAPES.values(), 1):
        deliver_stream(mailbox, shape(1_000_000))
        mailbox.deliver(ordinary(number))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    office.workplace.mailbox_reader().read_once()
    office.workplace.interpret()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    found = outcomes(office)
    assert len(found) == 2 * len(SHAPES) + 1
    assert found[0::2] == [("logged", False)] * (len(SHAPES) + 1)
    # The parts that the server could be asked for, or the beginning: one message, whatever its shape.
    assert {outcome for outcome, _ in found[1::2]} <= {"logged", "duplicate", "quarantined"}
    assert sum(in_part for _, in_part in found) >= 4


@pytest.mark.parametrize("name", ["many fields", "header without end"])
def test_a_bomb_in_an_mbox_file_is_cut_and_the_next_message_is_read(tmp_path: Path, name: str) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=1))
    box = tmp_path / "bomb.mbox"
    write_mbox(box, SHAPES[name](2_000_000))
    outcome = command(office.config_file, "import", str(box), "--json", reader=lambda *_: office.workplace.reader)
    counts = json.loads(outcome.out)
    assert counts["logged"] + counts.get("quarantined", 0) == 3
    assert sorted(record.subject for record in office.records())[-2:] == ["ordinary 1", "ordinary 2"]


def test_a_literal_of_a_gigabyte_that_never_comes_costs_a_timeout_and_no_mail(
    mailbox: Mailbox, imap_proxy: FaultProxy, tmp_path: Path
) -> None:
    office = office_of(mailbox, tmp_path, imap_proxy.port)
    mailbox.deliver(ordinary(1))
    mailbox.deliver(ordinary(2))
    promise(imap_proxy, 1_000_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reader = office.workplace.mailbox_reader()
    with pytest.raises(ServerUnreachable):
        reader.read_once()
    reader.read_once()
    office.workplace.interpret()
    assert outcomes(office) == [("logged", False)] * 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB
