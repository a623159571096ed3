"""Seconds from delivery to a communication record: Dovecot pushes by IDLE, `assistant run` reads and logs. Aim: under 1.5 s.

The real daemon runs as its own process; the database is looked at from outside until the record is there. Run as
`python -m benchmarks.mail_to_record [--mails 20]`; needs dovecot.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import structlog

from benchmarks.installation import ASSISTANT, PASSWORD_VARIABLE, command, end, wait_for_mails, write_config
from benchmarks.samples import generate
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Dovecot, dovecot_server

AIM_SECONDS = 1.5


def measure(server: Dovecot, folder: Path, mails: int) -> list[float]:
    mailbox = server.new_mailbox(ASSISTANT)
    config = write_config(
        folder,
        f'[mailbox]\nhost = "127.0.0.1"\nport = {server.tls_port}\nca_file = "{server.ca_file}"\nuser = "{ASSISTANT}"\n'
        f'password = "env:{PASSWORD_VARIABLE}"\n\n[submission]\nhost = "127.0.0.1"\nport = 9\ntls = "none"\n\n[log]\nlevel = "error"\n',
    )
    database = folder / "assistant.db"
    letters = generate(mails + 1, seed=3)
    took = []
    with (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            command(config, "run"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        )
        try:
            mailbox.deliver(letters[0])
            wait_for_mails(database, 1)  # the model is loaded and the folder is watched
            for number, raw in enumerate(letters[1:], 2):
                time.sleep(0.7)
                began = time.monotonic()
                mailbox.deliver(raw)
                wait_for_mails(database, number)
                took.append(time.monotonic() - began)
        finally:
            end(daemon)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        folder = Path(name)
        with dovecot_server(new_authority(folder)) as server:
            took = measure(server, folder, arguments.mails)
    print(
        f"{len(took)} mails over TLS and IDLE, delivery to record: median {statistics.median(took):.2f} s, "
        f"longest {max(took):.2f} s (aim: under {AIM_SECONDS} s)"
    )


if __name__ == "__main__":
    main()
