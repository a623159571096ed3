"""Resident size of the daemon: `assistant run` with its model loaded, idle and after mail. Aim: under 350 MB.

The real command is started against a Dovecot of its own (the tests' machinery), reads a few hundred mails, and is measured
from outside. Run as `python -m benchmarks.memory [--mails 300]`; needs dovecot.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import tempfile
from pathlib import Path

import psutil
import structlog

from benchmarks.installation import ASSISTANT, PASSWORD_VARIABLE, command, end, wait_for_mails, write_config
from benchmarks.samples import generate
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Dovecot, dovecot_server

AIM_MEGABYTES = 350


def resident(process: psutil.Process) -> float:
    """Megabytes (10^6 bytes) of the process that are in memory now."""
    return float(process.memory_info().rss) / 1e6


def measure(server: Dovecot, folder: Path, mails: int, encoder: str) -> None:
    mailbox = server.new_mailbox(ASSISTANT)
    config = write_config(
        folder,
        f'[mailbox]\nhost = "127.0.0.1"\nport = {server.plain_port}\ntls = "none"\nuser = "{ASSISTANT}"\n'
        f'password = "env:{PASSWORD_VARIABLE}"\n\n[submission]\nhost = "127.0.0.1"\nport = 9\ntls = "none"\n\n'
        f'[understanding]\nencoder = "{encoder}"\n\n[log]\nlevel = "error"\n',
    )
    first = generate(1)
    mailbox.deliver(first[0])
    with (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            command(config, "run"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        )
        try:
            wait_for_mails(folder / "assistant.db", 1)
            process = psutil.Process(daemon.pid)
            print(
                f"encoder {encoder}: model loaded, 1 mail read: {resident(process):.0f} MB resident (aim: under {AIM_MEGABYTES} MB)"
            )
            for raw in generate(mails, seed=11):
                mailbox.deliver(raw)
            wait_for_mails(folder / "assistant.db", mails + 1)
            print(f"encoder {encoder}: after {mails} more mails: {resident(process):.0f} MB resident")
        finally:
            stopped = end(daemon)
    print(f"stopped {stopped:.1f} s after SIGTERM")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--encoder", choices=("auto", "on", "off"), default="auto")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        folder = Path(name)
        with dovecot_server(new_authority(folder)) as server:
            measure(server, folder, arguments.mails, arguments.encoder)


if __name__ == "__main__":
    main()
