"""The daemon killed at random 200 times while 500 follow-ups fall due: each must be sent once. Prints what happened.

Run as `python -m benchmarks.exactly_once [--kills 200] [--steps 500] [--seed 1]`; ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from assistant.log import set_up_logging
from tests.exactly_once import killed_often, prepared
from tests.servers.processes import free_port
from tests.servers.smtp_sink import smtp_server


def main() -> int:
    set_up_logging("error")
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--steps", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, smtp_server(free_port()) as sink:
        config = prepared(Path(folder), sink.port, wanted.steps)
        began = time.monotonic()
        verdict = killed_often(config, sink, wanted.steps, wanted.kills, wanted.seed)
        seconds = time.monotonic() - began
    print(f"{verdict.steps} steps, {verdict.kills} kills, {seconds:.0f} s")
    print("  " + ", ".join(f"{count} {state}" for state, count in sorted(verdict.states.items())))
    print(f"  accepted more than once: {verdict.twice}")
    for fault in verdict.faults:
        print(f"  WRONG: {fault}")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
