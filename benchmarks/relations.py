"""How well mail finds its direction, client and project: the seed corpus as raw mail, imported in one go, compared by Message-ID.

The raw mail is harder than the corpus: some answers carry no References, originals are quoted below, signatures stand
under some mails, some client mail comes only as a staff member's forward. Aims: direction 100 %, client 97 %, project
B-cubed F1 .93. Run as `python -m benchmarks.relations [--order date|random] [--paired] [--worst 10]`; `--paired` makes
parallel projects of projects that have nothing in common but the client and the time.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from assistant.bootstrap import Options, Workplace
from assistant.clock import FrozenClock
from assistant.config import load_config
from assistant.intake.history import HistoricMail, keep_history
from assistant.mail.free_mail import FREE_MAIL_DOMAINS
from assistant.store.tables import Client, Project, Record, Thread

CORPUS = Path(__file__).parent.parent / "corpus"
ASSISTANT = "assistant@northlight.example"
SEED = 7
WITHOUT_REFERENCES = 0.15
FORWARDED = 0.03
SIGNED = 0.5
CHUNKS = 12
"""In random order the mail is imported in so many parts."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    address: str
    role: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail with what is true of it. `project` and `client` are "" for mail that belongs to nobody."""

    id: str
    at: datetime
    writer: Person
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    subject: str
    text: str
    answers: str
    company: str
    client: str
    project: str
    scored: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What the assistant made of one mail."""

    direction: str
    client: str
    project: str
    name: str
    confidence: float
    evidence: str


# --- the corpus as letters ------------------------------------------------------------------------------------------


def read_projects(folder: Path) -> dict[str, list[Letter]]:
    """Each file's letters in order of time; an enquiry that follows the end of a project is a project of its own."""
    return {
        data["id"]: _letters(data)
        for data in (tomllib.loads(file.read_text("utf-8")) for file in sorted((folder / "projects").glob("*.toml")))
    }


def _letters(data: dict[str, Any]) -> list[Letter]:
    people = {
        person["id"]: Person(person["name"], person["address"], person.get("role", ""), person["side"] == "agency")
        for person in data["person"]
    }
    people["assistant"] = Person("", ASSISTANT, "", True)
    letters: list[Letter] = []
    project_of: dict[str, str] = {}
    project, over = data["id"], False
    for message in sorted(data["message"], key=lambda item: item["at"]):
        if message["stage"] == "discovery" and over and not message.get("answers"):
            project, over = f"{data['id']}+", False
        over = over or message["stage"] in {"closing", "relationship"}
        answers = message.get("answers", "")
        project_of[message["id"]] = project_of.get(answers, project)
        letters.append(
            Letter(
                id=f"{data['id']}.{message['id']}@corpus.example",
                at=message["at"],
                writer=people[message["from"]],
                to=tuple(people[item] for item in message["to"]),
                cc=tuple(people[item] for item in message.get("cc", ())),
                subject=message["subject"],
                text=message["text"].strip(),
                answers=f"{data['id']}.{answers}@corpus.example" if answers else "",
                company=data["client"],
                client=data["client_domain"] or data["client"],
                project=project_of[message["id"]],
                scored=message["stage"] != "unrelated",
                attachments=tuple(message.get("attachments", ())),
            )
        )
    return letters


def read_strays(folder: Path) -> list[Letter]:
    return [
        Letter(
            id=f"{message['id']}@corpus.example",
            at=message["at"],
            writer=Person(message["from_name"], message["from_address"], "", False),
            to=(Person("", message["to_address"], "", True),),
            cc=(),
            subject=message["subject"],
            text=message["text"].strip(),
            answers="",
            company="",
            client="",
            project="",
            headers=tuple(message.get("headers", {}).items()),
        )
        for file in sorted((folder / "unrelated").glob("*.toml"))
        for message in tomllib.loads(file.read_text("utf-8"))["message"]
    ]


def paired(projects: dict[str, list[Letter]]) -> dict[str, list[Letter]]:
    """Single projects two by two at one client: the second begins in the first third of the first.

    By turns the leading people of both sides, of the agency, of the client, or none are the same.
    """
    by_client = Counter(letters[0].client for letters in projects.values())
    single = [
        key
        for key, letters in projects.items()
        if by_client[letters[0].client] == 1
        and "." in letters[0].client
        and len({letter.writer.ours for letter in letters}) == 2
    ]
    result = dict(projects)
    for number, (first, second) in enumerate(zip(single[::2], single[1::2], strict=False)):
        host, guest = projects[first], projects[second]
        shift = host[0].at + (host[-1].at - host[0].at) / 3 - guest[0].at
        stand_ins = {
            _lead(guest, ours): _lead(host, ours) for ours in ((True, False), (True,), (False,), ())[number % 4]
        }
        result[second] = _moved(guest, host[0], stand_ins, shift)
    return result


def _lead(letters: Sequence[Letter], ours: bool) -> Person:
    return next(letter.writer for letter in letters if letter.writer.ours == ours)


def _moved(letters: list[Letter], host: Letter, stand_ins: dict[Person, Person], shift: timedelta) -> list[Letter]:
    """`letters` as mail of the client of `host`; some people of the one are those of the other."""

    def moved(person: Person) -> Person:
        if person in stand_ins or person.ours:
            return stand_ins.get(person, person)
        return replace(person, address=f"{person.address.partition('@')[0]}@{host.client}")

    return [
        replace(
            letter,
            at=letter.at + shift,
            writer=moved(letter.writer),
            to=tuple(moved(person) for person in letter.to),
            cc=tuple(moved(person) for person in letter.cc),
            company=host.company,
            client=host.client,
        )
        for letter in letters
    ]


# --- letters as raw mail --------------------------------------------------------------------------------------------


def raw_mails(letters: Sequence[Letter], chance: random.Random) -> list[bytes]:
    by_id = {letter.id: letter for letter in letters}
    return [_raw(letter, by_id, chance) for letter in sorted(letters, key=lambda letter: (letter.at, letter.id))]


def _raw(letter: Letter, by_id: dict[str, Letter], chance: random.Random) -> bytes:
    lost, signed, forwarded = (chance.random() for _ in range(3))
    original = by_id.get(letter.answers)
    message = EmailMessage(policy=SMTP)
    text = letter.text
    if not letter.writer.ours and letter.company and signed < SIGNED:
        text += f"\n\n-- \n{letter.writer.name}\n{letter.writer.role}\n{letter.company}\n{letter.writer.address}"
    if original is not None:
        text += _quotation(original, chance)
    colleague = next(
        (person for person in (*letter.to, *letter.cc) if person.ours and person.address != ASSISTANT), None
    )
    if letter.client and not letter.writer.ours and colleague is not None and forwarded < FORWARDED:
        _headers(
            message,
            f"fwd.{letter.id}",
            letter.at + timedelta(minutes=7),
            colleague,
            (Person("", ASSISTANT, "", True),),
            (),
        )
        message["Subject"] = f"Fwd: {letter.subject}"
        head = f"From: {letter.writer.name} <{letter.writer.address}>\nDate: {letter.at:%a, %d %b %Y %H:%M:%S %z}\n"
        head += f"Subject: {letter.subject}\nTo: {colleague.name} <{colleague.address}>"
        message["References"] = f"<{letter.id}>"
        message.set_content(f"---------- Forwarded message ---------\n{head}\n\n{text}")
        _attach(message, letter.attachments)
        return message.as_bytes()
    copies = (
        letter.cc
        if any(person.address == ASSISTANT for person in (*letter.to, *letter.cc)) or not letter.client
        else (
            *letter.cc,
            Person("", ASSISTANT, "", True),
        )
    )
    _headers(message, letter.id, letter.at, letter.writer, letter.to, copies)
    message["Subject"] = letter.subject
    if original is not None and lost >= WITHOUT_REFERENCES:
        message["In-Reply-To"] = f"<{original.id}>"
        message["References"] = " ".join(f"<{item}>" for item in (original.answers, original.id) if item)
    for name, value in letter.headers:
        if not name.lower().startswith("content-"):
            message[name] = value
    message.set_content(text)
    _attach(message, letter.attachments)
    return message.as_bytes()


def _attach(message: EmailMessage, names: Iterable[str]) -> None:
    for name in names:
        message.add_attachment(b"content of a file", maintype="application", subtype="octet-stream", filename=name)


def _headers(
    message: EmailMessage, identifier: str, at: datetime, writer: Person, to: Iterable[Person], cc: Iterable[Person]
) -> None:
    message["Message-ID"] = f"<{identifier}>"
    message["Date"] = at
    message["From"] = Address(writer.name, addr_spec=writer.address)
    message["To"] = [Address(person.name, addr_spec=person.address) for person in to]
    if copies := [Address(person.name, addr_spec=person.address) for person in cc]:
        message["Cc"] = copies


def _quotation(original: Letter, chance: random.Random) -> str:
    """The original below the answer, as different mail programs draw it."""
    style = chance.randrange(3)
    person = original.writer
    if style == 0:
        quoted = "\n".join(f"> {line}" for line in original.text.splitlines())
        return f"\n\nOn {original.at:%a, %d %b %Y at %H:%M}, {person.name} <{person.address}> wrote:\n\n{quoted}"
    if style == 1:
        head = f"From: {person.name} <{person.address}>\nSent: {original.at:%A, %d %B %Y %H:%M}\n"
        return f"\n\n-----Original Message-----\n{head}Subject: {original.subject}\n\n{original.text}"
    head = f"发件人: {person.name} <{person.address}>\n发送时间: {original.at:%Y年%m月%d日 %H:%M}\n"
    return f"\n\n------------------ 原始邮件 ------------------\n{head}主题: {original.subject}\n\n{original.text}"


# --- the import -----------------------------------------------------------------------------------------------------


def write_config(folder: Path, letters: Sequence[Letter], encoder: str = "auto") -> Path:
    """The installation of an agency whose staff are the writers and recipients on its side."""
    people = {p.address: p for letter in letters for p in (letter.writer, *letter.to, *letter.cc) if p.ours}
    domains = sorted({address.rpartition("@")[2] for address in people} - FREE_MAIL_DOMAINS)
    listed = sorted(a for a, person in people.items() if person.name)
    staff = "\n".join(
        f'[[staff]]\nname = {json.dumps(people[a].name)}\naddress = "{a}"\nroles = ["account"]' for a in listed
    )
    config = folder / "config.toml"
    config.write_text(
        f'[agency]\nname = "Northlight"\ndomains = {json.dumps(domains)}\nlanguage = "en"\ntimezone = "Asia/Shanghai"\n'
        f'country = "CN"\n[assistant]\naddress = "{ASSISTANT}"\n[store]\nurl = "sqlite:///assistant.db"\n'
        f'[understanding]\nencoder = "{encoder}"\n{staff}\n',
        encoding="utf-8",
    )
    return config


def imported(folder: Path, letters: Sequence[Letter], order: str) -> Workplace:
    config = write_config(folder, letters)
    workplace = Workplace(
        load_config(config), folder, Options(pace=False), FrozenClock(datetime(2026, 6, 1, tzinfo=UTC))
    )
    chance = random.Random(SEED)
    mails = raw_mails(letters, chance)
    parts = [mails]
    if order == "random":
        chance.shuffle(mails)
        parts = [mails[start::CHUNKS] for start in range(CHUNKS)]
    for part in parts:
        historic = [HistoricMail(raw, None) for raw in part]
        keep_history(workplace.database, workplace.archive, workplace.clock, historic, None)
        workplace.intake.run()
        workplace.intake.look_back()
    return workplace


def found_in(workplace: Workplace) -> dict[str, Found]:
    with workplace.database.session() as session:
        rows = session.execute(
            select(Record, Client, Project, Thread)
            .outerjoin(Client, Client.id == Record.client_id)
            .outerjoin(Project, Project.id == Record.project_id)
            .outerjoin(Thread, Thread.id == Record.thread_id)
        ).all()
        return {
            record.message_id.removeprefix("fwd."): Found(
                record.direction,
                f"{client.id} {client.name}" if client else "",
                str(project.id) if project else "",
                project.name if project else "",
                thread.project_confidence,
                thread.project_evidence,
            )
            for record, client, project, thread in rows
        }


# --- the measures ---------------------------------------------------------------------------------------------------


def b_cubed(pairs: Sequence[tuple[str, str]]) -> tuple[float, float, float]:
    """Precision, recall and F1 over (true, found) labels; "" found is a cluster of one (Bagga and Baldwin 1998)."""
    pairs = [(true, found or f"alone {number}") for number, (true, found) in enumerate(pairs)]
    true_size, found_size, both = Counter(t for t, _ in pairs), Counter(f for _, f in pairs), Counter(pairs)
    precision = sum(both[pair] / found_size[pair[1]] for pair in pairs) / len(pairs)
    recall = sum(both[pair] / true_size[pair[0]] for pair in pairs) / len(pairs)
    return precision, recall, 2 * precision * recall / (precision + recall)


def direction_of(letter: Letter) -> str:
    if not letter.writer.ours:
        return "inbound"
    return "internal" if all(person.ours for person in (*letter.to, *letter.cc)) else "outbound"


def report(letters: Sequence[Letter], found: dict[str, Found], worst: int) -> None:
    ours = [letter for letter in letters if letter.client]
    lost = [letter.id for letter in letters if letter.id not in found]
    known = [(letter, found[letter.id]) for letter in ours if letter.id in found]
    print(f"{len(letters)} mails, {len(lost)} without a record {lost[:5]}")
    right = [(a, b) for a, b in known if b.direction == direction_of(a)]
    print(f"direction {len(right) / len(known):.4f} of {len(known)}")
    for letter, item in known:
        if (letter, item) not in right:
            print(f"  {letter.id} {item.direction}")
    main = {
        c: Counter(b.client for a, b in known if a.client == c).most_common(1)[0][0]
        for c in {a.client for a, _ in known}
    }
    accuracy = sum(b.client == main[a.client] and bool(b.client) for a, b in known) / len(known)
    precision, recall, f1 = b_cubed([(a.client, b.client) for a, b in known])
    print(f"client accuracy {accuracy:.4f}, B-cubed precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}")
    for letter, item in known:
        if not item.client or item.client != main[letter.client]:
            print(f"  {letter.id} {letter.writer.address} is {item.client or 'nobody'}, not {main[letter.client]}")
    scored = [(a, b) for a, b in known if a.scored]
    precision, recall, f1 = b_cubed([(a.project, b.project) for a, b in scored])
    print(f"project B-cubed precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}")
    left_open = [a.id for a, b in scored if b.confidence < 0.5]
    print(f"mails left open for a person: {len(left_open)} {left_open[:6]}")
    strays = [(letter, found[letter.id]) for letter in letters if not letter.client and letter.id in found]
    clients = {b.client for _, b in strays if b.client}
    print(
        f"unrelated: {len(strays)} mails, {sum(bool(b.client) for _, b in strays)} of them given to {len(clients)} clients"
    )
    for letter, item in strays:
        if item.client:
            print(f"  {letter.id} {letter.writer.address}: {letter.subject}")
    _worst(scored, worst)


def _worst(scored: Sequence[tuple[Letter, Found]], worst: int) -> None:
    """Projects that were split or mixed, those with the most misplaced mails first."""
    clusters: dict[str, Counter[str]] = defaultdict(Counter)
    evidence: dict[tuple[str, str], Found] = {}
    owner: dict[str, Counter[str]] = defaultdict(Counter)
    subjects: dict[tuple[str, str], list[str]] = defaultdict(list)
    for letter, item in scored:
        clusters[letter.project][item.project] += 1
        owner[item.project][letter.project] += 1
        evidence.setdefault((letter.project, item.project), item)
        subjects[letter.project, item.project].append(letter.subject)
    misplaced = {
        project: sum(
            count
            for cluster, count in counts.items()
            if cluster != counts.most_common(1)[0][0] or owner[cluster].most_common(1)[0][0] != project
        )
        for project, counts in clusters.items()
    }
    for project, count in sorted(misplaced.items(), key=lambda pair: -pair[1])[:worst]:
        if not count:
            break
        print(f"{project}: {count} misplaced")
        for cluster, size in clusters[project].most_common():
            item = evidence[project, cluster]
            also = ", ".join(other for other in owner[cluster] if other != project)
            print(f"  {size:3} in {cluster} {item.name!r} ({item.confidence:.2f} {item.evidence}) {also}")
            print(f"      {sorted(set(subjects[project, cluster]))[:6]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", choices=("date", "random"), default="date")
    parser.add_argument("--paired", action="store_true")
    parser.add_argument("--worst", type=int, default=10)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    projects = read_projects(CORPUS)
    if arguments.paired:
        projects = paired(projects)
    letters = [*(letter for group in projects.values() for letter in group), *read_strays(CORPUS)]
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        workplace = imported(Path(name), letters, arguments.order)
        report(letters, found_in(workplace), arguments.worst)
        workplace.database.close()


if __name__ == "__main__":
    main()
