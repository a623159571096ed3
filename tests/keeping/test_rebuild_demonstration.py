"""The demonstration's database, made by the daemon's own passes with the shipped model, comes out the same when made anew."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.bootstrap import Workplace
from assistant.demo.play import play
from assistant.demo.scenario import load_scenario
from assistant.store.snapshot import table_digests
from tests.offices import command


def test_the_demonstration_made_anew_is_the_same_after_corrections_too(tmp_path: Path) -> None:
    played = play(load_scenario(quick=True), tmp_path, lambda _tally, _share: None)

    def made_anew(*more: str) -> dict[str, object]:
        outcome = command(played.config, "rebuild", "--json", *more)
        assert outcome.status == 0, outcome.out + outcome.err
        told = json.loads(outcome.out)
        return {name: told[name] for name in ("added", "changed", "removed", "problems", "stayed")}

    nothing = {"added": {}, "changed": {}, "removed": {}, "problems": [], "stayed": 0}
    assert made_anew("--check") == nothing
    rows = [json.loads(line) for line in command(played.config, "records", "--json").out.splitlines()]
    inbound = [row["message_id"] for row in rows if row["direction"] == "inbound" and row["project"]]
    assert command(played.config, "message", "correct", inbound[0], "--stage", "agreement").status == 0
    assert command(played.config, "message", "correct", inbound[-1], "--intent", "complaint").status == 0
    assert command(played.config, "message", "correct", inbound[-1], "--project", "new").status == 0
    workplace = Workplace.open(played.config)
    before = table_digests(workplace.database)
    assert made_anew() == nothing
    assert table_digests(workplace.database) == before
    workplace.database.close()
