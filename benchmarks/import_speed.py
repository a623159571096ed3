"""Messages a second of `assistant import` on generated mail: parse, thread, relate, understand, record. Aim: 150 or more.

The mail is written as one mbox in which each client has written so many mails, imported by the real command into an empty
database, and timed from start to end of the process, loading the model included. Run as
`python -m benchmarks.import_speed [--mails 2000] [--mails-per-client 20] [--encoder off]`.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.installation import command, run, write_config
from benchmarks.samples import generate

AIM_PER_SECOND = 150


def of_several_clients(mails: list[bytes], mails_per_client: int) -> list[bytes]:
    """The sample mail comes from a hundred people of one domain; here each client has a domain, four people and as many
    mails as said."""
    return [
        re.sub(
            rb"contact(\d*)@client\.example",
            lambda found, client=number // mails_per_client: (
                b"contact%d@client-%d.example" % (int(found[1] or 0) % 4, client)
            ),  # type: ignore[misc]  # the default binds the loop's value
            mail,
        )
        for number, mail in enumerate(mails)
    ]


def write_mbox(path: Path, mails: list[bytes]) -> int:
    """One mbox (RFC 4155, mboxrd quoting) from `mails`; returns its size in bytes."""
    with path.open("wb") as file:
        for mail in mails:
            file.write(b"From contact@client.example Sat Mar  1 00:00:00 2025\n")
            for line in mail.replace(b"\r\n", b"\n").splitlines(keepends=True):
                file.write(b">" + line if line.lstrip(b">").startswith(b"From ") else line)
            file.write(b"\n\n")
    return path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--mails-per-client", type=int, default=20)
    parser.add_argument("--encoder", choices=("auto", "on", "off"), default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        folder = Path(name)
        size = write_mbox(
            folder / "history.mbox", of_several_clients(generate(arguments.mails), arguments.mails_per_client)
        )
        config = write_config(folder, f'[understanding]\nencoder = "{arguments.encoder}"\n')
        began = time.perf_counter()
        printed = run(command(config, "import", str(folder / "history.mbox"), "--json"))
        took = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = usage.ru_utime + usage.ru_stime
        counts = json.loads(printed)
        again = time.perf_counter()
        run(command(config, "import", str(folder / "history.mbox"), "--json"))
        second = time.perf_counter() - again
        stored = (folder / "assistant.db").stat().st_size
    print(f"{counts['read']} mails, {size / 1e6:.0f} MB of mbox, encoder {arguments.encoder}: {counts}")
    print(
        f"{took:.1f} s in all, {counts['read'] / took:.0f} messages a second (aim: {AIM_PER_SECOND} or more); "
        f"{processor:.1f} s of processor time, {counts['read'] / processor:.0f} a second of it"
    )
    print(f"the same file once more: {second:.1f} s; database {stored / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
