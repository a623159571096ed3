"""Messages a second of the whole of intake: kept, parsed, threaded, related, understood, recorded, decided. Aim: 180 or more with
the sentence encoder, 600 or more without.

Two kinds of mail: `short` is the project mail of the corpus as raw mail (answers, quotations, signatures, strays), `long` is
generated mail of 25 kB with attachments. The model is loaded before the clock starts; a process for reading that intake starts
by itself is part of what is measured. Run as
`python -m benchmarks.intake [--mail short|long] [--mails 3000] [--encoder auto|on|off] [--one]`; `--one` times single mails
instead: parsed and understood, with the model warm (aim: under 50 ms).
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from assistant.bootstrap import Options, Workplace
from assistant.clock import FrozenClock
from assistant.config import load_config
from assistant.intake.history import HistoricMail, keep_history
from assistant.mail.free_mail import FREE_MAIL_DOMAINS
from assistant.understanding.in_use import ReaderInUse
from benchmarks.import_speed import of_several_clients
from benchmarks.installation import AGENCY_DOMAIN, ASSISTANT
from benchmarks.relations import CORPUS, SEED, Letter, Person, raw_mails, read_projects, read_strays
from benchmarks.samples import generate

AIMS = {"encoder": 180, "n-grams": 600}
AIM_SINGLE_MS = 50


def corpus_mails(count: int) -> tuple[list[bytes], list[str]]:
    """`count` raw mails of the corpus and the agency's domains; beyond its size the same again from other clients."""
    letters = [letter for group in read_projects(CORPUS).values() for letter in group] + read_strays(CORPUS)
    ours = {p.address.rpartition("@")[2] for a in letters for p in (a.writer, *a.to, *a.cc) if p.ours}
    mails: list[bytes] = []
    copy = 0
    while len(mails) < count:
        mails += raw_mails([_copied(letter, copy) for letter in letters], random.Random(SEED))
        copy += 1
    return mails[:count], sorted(ours - FREE_MAIL_DOMAINS)


def _copied(letter: Letter, copy: int) -> Letter:
    """The same letter between the agency and another client."""
    if copy == 0:
        return letter

    def moved(person: Person) -> Person:
        if person.ours:
            return person
        local, _, domain = person.address.partition("@")
        free = domain in FREE_MAIL_DOMAINS
        return replace(person, address=f"{local}{copy}@{domain}" if free else f"{local}@c{copy}-{domain}")

    return replace(
        letter,
        id=f"{copy}.{letter.id}",
        writer=moved(letter.writer),
        to=tuple(moved(person) for person in letter.to),
        cc=tuple(moved(person) for person in letter.cc),
        answers=f"{copy}.{letter.answers}" if letter.answers else "",
        client=f"c{copy}-{letter.client}" if letter.client else "",
    )


def installation(folder: Path, domains: Sequence[str], encoder: str) -> Workplace:
    config = folder / "config.toml"
    config.write_text(
        f'[agency]\nname = "Northlight"\ndomains = {json.dumps([*domains, AGENCY_DOMAIN])}\nlanguage = "en"\n'
        f'timezone = "Asia/Shanghai"\ncountry = "CN"\n[assistant]\naddress = "{ASSISTANT}"\n[store]\n'
        f'url = "sqlite:///assistant.db"\n[understanding]\nencoder = "{encoder}"\n',
        encoding="utf-8",
    )
    return Workplace(load_config(config), folder, Options(), FrozenClock(datetime(2026, 6, 1, tzinfo=UTC)))


def mode_of(workplace: Workplace) -> str:
    reader = workplace.reader
    assert isinstance(reader, ReaderInUse), "an installation has a reader that follows corrections"
    return str(getattr(reader.inner, "mode", ""))


def seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure_many(workplace: Workplace, mails: Sequence[bytes]) -> None:
    mode = mode_of(workplace)
    _ = workplace.intake
    own, beside, began = seconds(resource.RUSAGE_SELF), seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
    keep_history(
        workplace.database, workplace.archive, workplace.clock, (HistoricMail(raw, None) for raw in mails), None
    )
    kept = time.perf_counter() - began
    counts = workplace.intake.run()
    took = time.perf_counter() - began
    own, beside = seconds(resource.RUSAGE_SELF) - own, seconds(resource.RUSAGE_CHILDREN) - beside
    size = sum(map(len, mails)) / len(mails)
    print(f"{len(mails)} mails of {size / 1000:.1f} kB, mode {mode}: {counts.logged} logged, {counts.total} in all")
    print(
        f"{took:.1f} s, {kept:.1f} s of them for keeping: {len(mails) / took:.0f} messages a second (aim: {AIMS[mode]} or more)"
    )
    print(
        f"processor: {own:.1f} s in the process that writes, {beside:.1f} s in the one that reads; "
        f"at best {len(mails) / max(own, beside):.0f} a second on two free cores"
    )


def measure_single(workplace: Workplace, mails: Sequence[bytes]) -> None:
    """One new mail after another, each alone: from kept bytes to the committed record."""
    mode = mode_of(workplace)
    took, used = [], []
    for raw in mails:
        keep_history(workplace.database, workplace.archive, workplace.clock, [HistoricMail(raw, None)], None)
        began, worked = time.perf_counter(), time.process_time()
        workplace.intake.run()
        took.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - worked))
    warm = sorted(took[len(took) // 10 :])
    print(
        f"{len(warm)} single mails, mode {mode}, model warm: median {statistics.median(warm):.1f} ms, "
        f"95 % under {warm[int(0.95 * len(warm))]:.1f} ms, longest {warm[-1]:.1f} ms (aim: under {AIM_SINGLE_MS} ms); "
        f"of processor time: median {statistics.median(used[len(used) // 10 :]):.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mail", choices=("short", "long"), default="short")
    parser.add_argument("--mails", type=int, default=3000)
    parser.add_argument("--encoder", choices=("auto", "on", "off"), default="auto")
    parser.add_argument("--one", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if arguments.mail == "short":
        mails, domains = corpus_mails(arguments.mails)
    else:
        mails, domains = of_several_clients(generate(arguments.mails), 20), []
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        workplace = installation(Path(name), domains, arguments.encoder)
        (measure_single if arguments.one else measure_many)(workplace, mails)
        workplace.database.close()


if __name__ == "__main__":
    main()
