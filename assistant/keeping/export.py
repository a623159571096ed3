"""`assistant export`: everything of one client as a zip that people and programs can read, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from assistant.errors import AssistantError, WrongUse
from assistant.keeping.export_choice import Choice, choose
from assistant.keeping.export_page import Page, PageFile, PageMail, PageProject, PageSignOff, page_html
from assistant.store import Archive
from assistant.store.snapshot import new_private_file
from assistant.store.tables import Client, OpenItem, Project, Record, SignOff, StageChange
from parsers.files import files_of

_AT_ONCE = 50
_LONGEST_NAME = 100
_BAD_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_BCC = re.compile(rb"^bcc:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # spreadsheets take the full-width ones alike


@dataclass(frozen=True)
class ExportPlace:
    """What is said of the agency, which addresses are its own, and how stages are called: (stage, language) → name."""

    agency: str
    timezone: str
    stage_name: Callable[[str, str], str]
    language: str
    is_ours: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Exported:
    """Counts of what is in the file."""

    messages: int
    records: int
    sign_offs: int
    files: int
    erased: int
    """Records whose message is not kept any more."""
    withheld: int = 0
    """Records that were logged as this client's and may be another's: they are left out."""


def export_client(
    session: Session,
    archive: Archive,
    client: Client,
    target: Path,
    place: ExportPlace,
    now: datetime,
    *,
    internal: bool = False,
    force: bool = False,
) -> Exported:
    """Writes the zip (mode 0600). Mail between colleagues is left out unless `internal`: it is about the client, not theirs.

    Raises WrongUse where there is a file already and no `force`, AssistantError where it cannot be written.
    """
    if target.exists() and not force:
        raise WrongUse(f"there is a {target} already; name another file, or replace it with --force.")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        new_private_file(partial)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
            counts = _Export(session, archive, client, place, packed, internal=internal).write(now)
        partial.replace(target)
    except OSError as error:
        raise AssistantError(
            f"cannot write {target}: {error.strerror}. Check the folder and the space left."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return counts


class _Export:
    def __init__(
        self,
        session: Session,
        archive: Archive,
        client: Client,
        place: ExportPlace,
        packed: zipfile.ZipFile,
        *,
        internal: bool,
    ) -> None:
        self._session, self._archive, self._client, self._place, self._zip = session, archive, client, place, packed
        numbers = session.scalars(select(Client.id).where(or_(Client.id == client.id, Client.merged_into == client.id)))
        self._clients = list(numbers)
        wanted = select(Record).where(Record.client_id.in_(self._clients)).order_by(Record.sent_at, Record.id)
        found_records = list(session.scalars(wanted if internal else wanted.where(Record.direction != "internal")))
        everything = Choice(tuple(found_records), frozenset(), frozenset())
        self._choice = everything if internal else choose(session, archive, client, found_records, place.is_ours)
        self._records = list(self._choice.given)
        found = session.scalars(select(Project).where(Project.client_id.in_(self._clients)).order_by(Project.opened_at))
        self._projects = {project.id: project for project in found}
        self._project_names = self._names_given()
        self._names: set[str] = set()
        self._files: dict[int, list[PageFile]] = {}

    def write(self, now: datetime) -> Exported:
        messages = self._mailbox()
        ours = {record.id for record in self._records}
        signed = self._hanging(SignOff, SignOff.record_id, ours)
        items = self._hanging(OpenItem, OpenItem.record_id, ours)
        steps = self._hanging(StageChange, StageChange.record_id, ours)
        self._table("records", (self._record_row(record) for record in self._records))
        self._table("sign-offs", (self._sign_off_row(row) for row in signed))
        self._table("open-items", (self._item_row(row) for row in items))
        self._table("stages", (self._stage_row(row) for row in steps))
        self._zip.writestr("index.html", page_html(self._page(signed, steps, now)))
        kept = sum(1 for record in self._records if record.raw_id is not None)
        files = sum(len(found) for found in self._files.values())
        erased = kept - messages - len(self._choice.words_only)
        return Exported(messages, len(self._records), len(signed), files, erased, len(self._choice.withheld))

    def _names_given(self) -> dict[int, str]:
        """A project that nothing given belongs to is not named; one that began with mail left out has the client's name."""
        first: dict[int, int] = {}
        for number, project_id in self._session.execute(
            select(Record.id, Record.project_id)
            .where(Record.project_id.in_(self._projects), Record.direction != "internal")
            .order_by(Record.sent_at, Record.id)
        ):
            first.setdefault(project_id or 0, number)
        shown = {record.project_id for record in self._records}
        return {
            number: self._client.name if first.get(number) in self._choice.withheld else project.name
            for number, project in self._projects.items()
            if number in shown or number not in first
        }

    def _hanging(self, table: Any, column: Any, records: set[int]) -> list[Any]:
        found: list[Any] = []
        numbers = sorted(records)
        for start in range(0, len(numbers), 500):
            rows = select(table).where(column.in_(numbers[start : start + 500])).order_by(table.id)
            found.extend(self._session.scalars(rows))
        return found

    # --- mail -------------------------------------------------------------------------------------------------------

    def _mailbox(self) -> int:
        """mailbox.mbox, streamed; and every attachment beside it."""
        count = 0
        attached: list[tuple[Record, bytes]] = []
        with self._zip.open("mailbox.mbox", "w", force_zip64=True) as stream:
            for record, raw in self._mails():
                count += 1
                _write_mbox(stream, raw, record.sent_at)
                if record.attachments:
                    attached.append((record, b""))
        for record, _ in attached:
            assert record.raw_id is not None, "it was just read"
            self._attachments(record, self._archive.get(self._session, record.raw_id))
        return count

    def _mails(self) -> Iterator[tuple[Record, bytes]]:
        for start in range(0, len(self._records), _AT_ONCE):
            part = self._records[start : start + _AT_ONCE]
            raws = self._archive.get_many(self._session, [record.raw_id for record in part if record.raw_id])
            for record in part:
                if record.raw_id in raws and record.id not in self._choice.words_only:
                    yield record, raws[record.raw_id]

    def _attachments(self, record: Record, raw: bytes) -> None:
        day = record.sent_at.astimezone(ZoneInfo(self._place.timezone)).date().isoformat()
        for attachment, data in files_of(raw):
            if attachment.inline or not data:
                continue
            name = self._free_name(f"{day} {safe_name(attachment.filename)}")
            self._zip.writestr(f"attachments/{name}", data)
            self._files.setdefault(record.id, []).append(
                PageFile(attachment.filename or name, f"attachments/{name}", len(data))
            )

    def _free_name(self, name: str) -> str:
        """Two files of one name are both there, also where case makes no difference."""
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, f".{ending}") if dot and len(ending) <= 8 else (name, "")
        number, wanted = 1, name
        while wanted.casefold() in self._names:
            number += 1
            wanted = f"{stem} ({number}){ending}"
        self._names.add(wanted.casefold())
        return wanted

    # --- tables -----------------------------------------------------------------------------------------------------

    def _table(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """NAME.json and NAME.csv, the latter as spreadsheets read it, without formulas."""
        listed = list(rows)
        self._zip.writestr(f"{name}.json", json.dumps(listed, ensure_ascii=False, indent=1, default=str))
        text = io.StringIO()
        if listed:
            writer = csv.DictWriter(text, list(listed[0]))
            writer.writeheader()
            writer.writerows({key: _cell(value) for key, value in row.items()} for row in listed)
        self._zip.writestr(f"{name}.csv", b"\xef\xbb\xbf" + text.getvalue().encode())

    def _record_row(self, record: Record) -> dict[str, Any]:
        return {
            "message_id": record.message_id,
            "sent_at": record.sent_at.isoformat(),
            "channel": record.channel,
            "direction": record.direction,
            "from": record.originator,
            "from_name": record.originator_name,
            "to": [str(item[1]) for item in record.recipients],
            "subject": record.subject,
            "project": self._project_names.get(record.project_id or 0, ""),
            "stage": record.stage,
            "intents": [str(item[0]) for item in record.intents],
            "approval": record.approval,
            "summary": record.summary,
            "text": record.reply_text,
            "attachments": [found.path for found in self._files.get(record.id, ())],
        }

    def _sign_off_row(self, row: SignOff) -> dict[str, Any]:
        return {
            "at": row.at.isoformat(),
            "what": row.what,
            "by": row.by,
            "project": self._project_names.get(row.project_id or 0, ""),
            "words": row.evidence,
            "message_id": self._message_id(row.record_id),
        }

    def _item_row(self, row: OpenItem) -> dict[str, Any]:
        return {
            "opened_at": row.opened_at.isoformat(),
            "kind": row.kind,
            "who_acts": row.by,
            "what": row.what,
            "project": self._project_names.get(row.project_id or 0, ""),
            "due": row.due.isoformat() if row.due else "",
            "settled_at": row.settled_at.isoformat() if row.settled_at else "",
            "message_id": self._message_id(row.record_id),
        }

    def _stage_row(self, row: StageChange) -> dict[str, Any]:
        return {
            "at": row.at.isoformat(),
            "project": self._project_names.get(row.project_id or 0, ""),
            "from_stage": row.from_stage,
            "to_stage": row.to_stage,
            "message_id": self._message_id(row.record_id),
        }

    def _message_id(self, number: int | None) -> str:
        return next((record.message_id for record in self._records if record.id == number), "")

    # --- page -------------------------------------------------------------------------------------------------------

    def _page(self, signed: Sequence[SignOff], steps: Sequence[StageChange], now: datetime) -> Page:
        zone, language = ZoneInfo(self._place.timezone), self._client.language or self._place.language
        people = {record.originator: record.originator_name for record in self._records}
        names = self._project_names
        return Page(
            client=self._client.name,
            agency=self._place.agency,
            language=language,
            made_at=now.astimezone(zone),
            projects=tuple(
                PageProject(
                    names[number],
                    self._place.stage_name(project.stage, language),
                    tuple(
                        (step.at.astimezone(zone).date(), self._place.stage_name(step.to_stage, language))
                        for step in steps
                        if step.project_id == number
                    ),
                )
                for number, project in self._projects.items()
                if number in names
            ),
            sign_offs=tuple(
                PageSignOff(
                    row.at.astimezone(zone).date(),
                    row.what,
                    people.get(row.by) or row.by,
                    names.get(row.project_id or 0, ""),
                    row.evidence,
                )
                for row in signed
            ),
            mails=tuple(
                PageMail(
                    record.sent_at.astimezone(zone),
                    record.originator_name or record.originator,
                    record.direction == "inbound",
                    record.subject,
                    names.get(record.project_id or 0, ""),
                    record.reply_text[:2000],
                    tuple(self._files.get(record.id, ())),
                )
                for record in self._records
            ),
        )


def _write_mbox(stream: IO[bytes], raw: bytes, at: datetime) -> None:
    """One message as mboxrd: no line of it can be taken for the next message. Who got a blind copy is not told."""
    header, separator, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    message = _BCC.sub(b"", header + b"\n") + separator[1:] + body
    stream.write(f"From MAILER-DAEMON {at:%a %b %e %H:%M:%S %Y}\n".encode())
    stream.write(_FROM_LINE.sub(rb">\1", message))
    stream.write(b"\n" if message.endswith(b"\n") else b"\n\n")


def _cell(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text[:1] in ("\t", "\r", "\n") else text


def safe_name(name: str) -> str:
    """A file name that means nothing to any system: no path, no device, no control or direction marks, not too long."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = _BAD_IN_NAMES.sub("_", name).strip(" .")
    if not name or _RESERVED.match(name):
        name = f"file {name}".strip()
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: _LONGEST_NAME - len(ending)]}.{ending}" if dot and len(ending) <= 8 else name[:_LONGEST_NAME]
    return name
