"""The sample mailbox of the demonstration: six weeks of an invented agency, read from the files in `mailbox/`.

Each `NN-slug.toml` holds one project's correspondence as its writers meant it; `load_scenario` puts every letter into the
bytes that its mail program would have sent, the same on every run, and orders them by time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from typing import Any, Final

from assistant.demo.letters import Letter, Person
from assistant.demo.machine_mail import MACHINES
from assistant.demo.mail_programs import compose, date_header, message_id_of, subject_answering

_AGENCY_FILE: Final = "agency.toml"


@dataclass(frozen=True, slots=True)
class AgencyFacts:
    """What `config.toml` says of the agency."""

    name: str
    domains: tuple[str, ...]
    language: str
    timezone: str
    country: str
    assistant: str
    authserv_id: str
    """The name under which its own server signs Authentication-Results."""


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One `[[staff]]` table of the configuration."""

    name: str
    address: str
    roles: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class ScenarioMessage:
    """One mail as it reaches the assistant's inbox at `at`. `note`: what is worth looking at, or empty."""

    at: datetime
    raw: bytes
    id: str
    from_staff: bool
    note: str
    client: str = ""
    project: str = ""
    text: str = ""
    """What the writer newly wrote, as the sample file has it."""
    program: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Highlight:
    """Something to watch for. `kind` is stable: follow-up, cancelled, absence, bounce, greeting, reminder, opt-out …"""

    at: datetime
    kind: str
    client: str
    project: str
    zh: str
    en: str
    of: str = ""
    """The message it is about: the one waited on for a follow-up, the one that arrived for the rest."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The whole play: who, what mail when, and between which moments the simulated clock runs."""

    agency: AgencyFacts
    staff: tuple[StaffMember, ...]
    messages: tuple[ScenarioMessage, ...]
    start: datetime
    end: datetime
    highlights: tuple[Highlight, ...]


def load_scenario(*, quick: bool = False) -> Scenario:
    """Reads and composes everything; with `quick` only the projects marked so, until the short version's end.

    Raises KeyError or ValueError naming the letter when a sample file is wrong: they are part of the package.
    """
    agency = _read(_AGENCY_FILE)
    staff = {person["key"]: _person(person) for person in agency["staff"]}
    assistant = _person(agency["assistant"])
    short = agency["quick"] if quick else agency
    facts = _agency_facts(agency, assistant)
    messages: list[ScenarioMessage] = []
    highlights: list[Highlight] = []
    for name in _project_files():
        tree = _read(name)
        if quick and not tree.get("quick", False):
            continue
        people = (
            staff | {"assistant": assistant} | {person["key"]: _person(person) for person in tree.get("person", ())}
        )
        letters = _letters(tree, people, name)
        messages += [
            _message(letter, tree, facts) for letter in letters.values() if letter.seen and letter.at <= short["end"]
        ]
        highlights += [item for item in _highlights(tree) if item.at <= short["end"]]
    return Scenario(
        agency=facts,
        staff=tuple(StaffMember(p.name, p.address, p.roles, p.language) for p in staff.values()),
        messages=tuple(sorted(messages, key=lambda message: (message.at, message.id))),
        start=agency["start"],
        end=short["end"],
        highlights=tuple(sorted(highlights, key=lambda highlight: highlight.at)),
    )


def _project_files() -> list[str]:
    folder = resources.files("assistant.demo").joinpath("mailbox")
    return sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml") and item.name != _AGENCY_FILE)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("assistant.demo").joinpath("mailbox", name).read_text(encoding="utf-8"))


def _agency_facts(tree: Mapping[str, Any], assistant: Person) -> AgencyFacts:
    return AgencyFacts(
        name=tree["name"],
        domains=tuple(tree["domains"]),
        language=tree["language"],
        timezone=tree["timezone"],
        country=tree["country"],
        assistant=assistant.address,
        authserv_id=tree["authserv_id"],
    )


def _person(table: Mapping[str, Any]) -> Person:
    return Person(
        key=table["key"],
        name=table["name"],
        address=table["address"],
        program=table.get("program", ""),
        signature=table.get("signature", ""),
        disclaimer=table.get("disclaimer", ""),
        roles=tuple(table.get("roles", ())),
        language=table.get("language", ""),
    )


def _highlights(tree: Mapping[str, Any]) -> list[Highlight]:
    return [
        Highlight(item["at"], item["kind"], tree["client"], tree["project"], item["zh"], item["en"], item.get("of", ""))
        for item in tree.get("highlight", ())
    ]


def _letters(tree: Mapping[str, Any], people: Mapping[str, Person], name: str) -> dict[str, Letter]:
    letters: dict[str, Letter] = {}
    for table in tree["message"]:
        try:
            letters[table["id"]] = _letter(table, people, letters)
        except KeyError as error:
            raise KeyError(f"mailbox/{name}, {table.get('id', '?')}: unknown {error}") from error
    return letters


def _letter(table: Mapping[str, Any], people: Mapping[str, Person], earlier: Mapping[str, Letter]) -> Letter:
    """Recipients and subject of an answer are those of a reply to all, unless they are written out."""
    writer = people[table["from"]]
    answers = earlier[table["answers"]] if table.get("answers") else None
    forwards = earlier[table["forwards"]] if table.get("forwards") else None
    program = table.get("program", writer.program)
    to = tuple(people[key] for key in table.get("to", ()))
    cc = tuple(people[key] for key in table.get("cc", ()))
    if answers is not None and not to:
        to = (answers.writer,) if answers.writer != writer else answers.to
    if answers is not None and "cc" not in table:
        cc = tuple(person for person in (*answers.to, *answers.cc) if person not in (writer, *to))
    at = table["at"]
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValueError(f"{table['id']}: `at` needs a date, a time and a zone")
    letter = Letter(
        id=table["id"],
        at=at,
        writer=writer,
        to=to,
        cc=cc,
        bcc=tuple(people[key] for key in table.get("bcc", ())),
        subject=table.get("subject", ""),
        text=table["text"].strip("\n"),
        program=program,
        charset=table.get("charset", ""),
        attachments=tuple(table.get("attachments", ())),
        answers=answers,
        forwards=forwards,
        signed=table.get("signed", True),
        seen=table.get("seen", True),
        answers_automatic=table.get("answers_automatic", False),
        note=table.get("note", ""),
        details={key: str(value) for key, value in table.get("details", {}).items()},
    )
    if not letter.subject:
        parent = answers or forwards
        if parent is None:
            raise ValueError(f"{letter.id}: a new thread needs a subject")
        letter = replace(letter, subject=subject_answering(parent.subject, program, forward=forwards is not None))
    return letter


def _message(letter: Letter, tree: Mapping[str, Any], agency: AgencyFacts) -> ScenarioMessage:
    composed = MACHINES.get(letter.program, compose)(letter)
    return ScenarioMessage(
        at=letter.at,
        raw=_received(letter, agency) + composed,
        id=letter.id,
        from_staff=letter.writer.domain in agency.domains,
        note=letter.note,
        client=tree["client"],
        project=tree["project"],
        text=letter.text,
        program=letter.program,
        message_id=message_id_of(letter),
    )


def _received(letter: Letter, agency: AgencyFacts) -> bytes:
    """What the agency's own server puts on top: return path, mailbox, trace and its verdict on the sender (RFC 8601)."""
    domain = letter.writer.domain
    returned = "" if letter.program in {"delivery-report", "out-of-office"} else letter.writer.address
    host = f"mail.{domain}" if letter.program != "delivery-report" else "localhost"
    number = int(letter.chance("host", 4), 16) % 200 + 20
    trace = (
        f"from {host} ({host} [203.0.113.{number}])\r\n\tby {agency.authserv_id} with ESMTPS id "
        f"{letter.chance('queue', 10).upper()}\r\n\tfor <{agency.assistant}>; {date_header(letter.at)}"
    )
    verdict = (
        f"{agency.authserv_id};\r\n\tspf=pass smtp.mailfrom={domain};\r\n\tdkim=pass header.d={domain};"
        f"\r\n\tdmarc=pass header.from={domain}"
    )
    fields = (
        f"Return-Path: <{returned}>",
        f"Delivered-To: {agency.assistant}",
        f"Received: {trace}",
        f"Authentication-Results: {verdict}",
    )
    return "".join(f"{field}\r\n" for field in fields).encode()
