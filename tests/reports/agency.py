"""A small agency in a real database: clients, projects and mail put in row by row, as intake would leave them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from assistant.calendar.business import Calendars
from assistant.model.cadence import SendSummary, StaffFacts
from assistant.model.people import Directory
from assistant.outbox.letters import Sender
from assistant.outbox.staff_mail import queue_staff_mail
from assistant.rendering import Templates
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect import collect_weekly
from assistant.reports.facts import WeeklySummary
from assistant.reports.office import ReportOffice, ReportPlace
from assistant.reports.period import week_before
from assistant.store.tables import (
    Base,
    CadenceRunRow,
    Client,
    Contact,
    OpenItem,
    OutboxMessage,
    Project,
    Record,
    SignOff,
    StaffNote,
    StageChange,
    Thread,
)
from tests.databases import new_database

_Row = TypeVar("_Row", bound=Base)
ZONE = "Asia/Shanghai"
LILEI, HANMEI, TOM = "lilei@lanhai-ad.example", "hanmei@lanhai-ad.example", "tom@lanhai-ad.example"
STAGE_NAMES = {
    "discovery": ("需求确认", "需求確認", "Requirements"),
    "proposal": ("方案沟通", "提案溝通", "Proposal"),
    "agreement": ("方案确认", "提案確認", "Agreement"),
    "execution": ("项目执行", "專案執行", "Execution"),
    "closing": ("项目收尾", "專案結案", "Closing"),
    "relationship": ("关系维护", "關係維護", "Relationship"),
}
TARGETS = {"discovery": (5, 2), "proposal": (10, 3), "agreement": (10, 5), "execution": (40, 5), "closing": (10, 5)}
NO_FACTS: Any = None
"""The office reads rows itself; nothing in these tests goes by way of the rules' facts."""


def at(text: str, zone: str = ZONE) -> datetime:
    """`at("03-02 10:30")`: a moment of 2026 on the agency's wall clock, in UTC."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def stage_name(stage: str, language: str) -> str:
    """What the tests' agency calls a stage."""
    return STAGE_NAMES[stage][{"zh-Hans": 0, "zh-Hant": 1}.get(language, 2)]


def stage_target(stage: str) -> tuple[int | None, int]:
    """How long it may take."""
    return TARGETS.get(stage, (None, 0))


def directory() -> Directory:
    """Three colleagues who read three languages."""
    return Directory(
        ("lanhai-ad.example",),
        (
            StaffFacts(LILEI, "李雷", ("account",), "zh-Hans", ZONE),
            StaffFacts(HANMEI, "韓梅梅", ("director",), "zh-Hant", ZONE),
            StaffFacts(TOM, "Tom Fowler", ("project",), "en", ZONE),
        ),
        ("assistant@lanhai-ad.example",),
    )


@dataclass
class Agency:
    """Builds rows in one session, and asks the office about them."""

    session: Session
    templates: Templates
    recipients: tuple[str, ...] = ()
    _numbers: count[int] = field(default_factory=lambda: count(1))
    office: ReportOffice = field(init=False)

    def __post_init__(self) -> None:
        self.office = self.new_office()

    def new_office(self, templates: Templates | None = None) -> ReportOffice:
        """As after a start of the process."""
        place = ReportPlace("蓝海广告", ZONE, LILEI, self.recipients)
        chosen = templates or self.templates
        return ReportOffice(place, directory(), lambda: chosen, Calendars(), stage_name, stage_target)

    # --- rows -------------------------------------------------------------------------------------------------------

    def client(self, name: str, *, owner: str = LILEI, country: str = "CN", zone: str = ZONE, **more: Any) -> Client:
        language = more.pop("language", "zh-Hans")
        return self.add(
            Client(
                name=name,
                owner=owner,
                country=country,
                timezone=zone,
                language=language,
                tags=[],
                created_at=at("01-05 09:00"),
                **more,
            )
        )

    def contact(self, client: Client, name: str, addr_spec: str, **more: Any) -> Contact:
        return self.add(
            Contact(
                client_id=client.id,
                name=name,
                addr_spec=addr_spec,
                tags=more.pop("tags", []),
                created_at=client.created_at,
                **more,
            )
        )

    def project(
        self, client: Client, name: str, *, stage: str = "proposal", since: str = "02-26 10:00", **more: Any
    ) -> Project:
        return self.add(
            Project(
                client_id=client.id,
                name=name,
                owner=more.pop("owner", client.owner),
                stage=stage,
                stage_since=at(since),
                stage_confidence=0.9,
                opened_at=at(more.pop("opened", since)),
                last_at=at(more.pop("last", since)),
                tags=[],
                **more,
            )
        )

    def thread(self, project: Project, subject: str, confidence: float = 0.9) -> Thread:
        return self.add(
            Thread(
                subject=subject,
                started_at=project.opened_at,
                last_at=project.last_at,
                project_id=project.id,
                client_id=project.client_id,
                project_confidence=confidence,
                project_evidence="",
            )
        )

    def mail(
        self, project: Project, contact: Contact, when: str, text: str, *, from_us: bool = False, **more: Any
    ) -> Record:
        """One message between a contact and LILEI; `project` waits as its last message says."""
        number = next(self._numbers)
        moment = at(when)
        writer, name = (LILEI, "李雷") if from_us else (contact.addr_spec, contact.name)
        waits = more.pop("waiting_on", "client" if from_us else "us")
        values: dict[str, Any] = {
            "message_id": f"m{number}@{writer.rpartition('@')[2]}",
            "sent_at": moment,
            "received_at": moment,
            "logged_at": moment,
            "direction": "outbound" if from_us else "inbound",
            "kind": "human",
            "originator": writer,
            "originator_name": name,
            "recipients": [],
            "client_id": project.client_id,
            "contact_id": contact.id,
            "project_id": project.id,
            "subject": project.name,
            "base_subject": project.name,
            "summary": text,
            "reply_text": text,
            "stage": project.stage,
            "stage_confidence": 0.9,
            "waiting_on": waits,
            "waiting_evidence": text,
        }
        intents = [[label, 0.9, text] for label in more.pop("intents", ())]
        record = self.add(Record(**{**values, "intents": intents, **more}))
        if record.kind == "human" and not record.automatic:
            project.last_at = max(project.last_at, moment)
            project.waiting_on, project.waiting_since = waits, moment
            project.waiting_record_id, project.waiting_evidence = record.id, text
            self.session.flush()
        return record

    def stage_change(
        self, project: Project, record: Record, before: str, after: str, *, asked: bool = False
    ) -> StageChange:
        return self.add(
            StageChange(
                project_id=project.id,
                from_stage=before,
                to_stage=after,
                at=record.sent_at,
                record_id=record.id,
                confidence=0.9,
                evidence=record.summary,
                asked=asked,
            )
        )

    def sign_off(self, record: Record, what: str) -> SignOff:
        return self.add(
            SignOff(
                project_id=record.project_id,
                record_id=record.id,
                what=what,
                by=record.originator,
                at=record.sent_at,
                evidence=record.summary,
                confidence=0.9,
            )
        )

    def item(self, kind: str, project: Project, what: str, when: str, **more: Any) -> OpenItem:
        due: date | None = more.pop("due", None)
        return self.add(
            OpenItem(
                kind=kind,
                project_id=project.id,
                client_id=project.client_id,
                by=more.pop("by", "us"),
                owner=more.pop("owner", LILEI),
                what=what,
                opened_at=at(when),
                due=due,
                **more,
            )
        )

    def run(self, project: Project, anchor: Record, cadence: str, due: str, **more: Any) -> CadenceRunRow:
        thread = self.thread(project, project.name)
        return self.add(
            CadenceRunRow(
                project_id=project.id,
                cadence=cadence,
                version="v1",
                anchor_record_id=anchor.id,
                anchor_sent_at=anchor.sent_at,
                contact_id=anchor.contact_id,
                thread_id=thread.id,
                due_at=at(due),
                started_at=anchor.sent_at,
                **more,
            )
        )

    def outgoing(self, client: Client, contact: Contact, subject: str, due: str, **more: Any) -> OutboxMessage:
        """A mail to a client in the outbox."""
        number = next(self._numbers)
        settled = more.pop("settled", None)
        return self.add(
            OutboxMessage(
                dedupe_key=f"send:{number}",
                message_id=f"o{number}.cca@lanhai-ad.example",
                raw=b"",
                envelope_from="assistant@lanhai-ad.example",
                recipients=[contact.addr_spec],
                subject=subject,
                purpose=more.pop("purpose", "follow-up"),
                audience="client",
                client_id=client.id,
                contact_id=contact.id,
                state=more.pop("state", "queued"),
                created_at=at(more.pop("created", due)),
                due_at=at(due),
                settled_at=at(settled) if settled else None,
                results=[],
                details={"owner": LILEI, "text": f"{subject}\n", **more.pop("details", {})},
                **more,
            )
        )

    def note(self, kind: str, key: str, when: str, **more: Any) -> StaffNote:
        due = more.pop("due", None)
        return self.add(
            StaffNote(
                dedupe_key=key,
                kind=kind,
                to_address=more.pop("to", LILEI),
                not_before=at(when),
                created_at=at(when),
                due_at=at(due) if due else None,
                rule=more.pop("rule", kind),
                **more,
            )
        )

    def add(self, row: _Row) -> _Row:
        """Any other row; its id is known afterwards."""
        self.session.add(row)
        self.session.flush()
        return row

    # --- asked ------------------------------------------------------------------------------------------------------

    def wanted(self, client: Client, due: str = "03-06 17:00", **more: Any) -> SendSummary:
        """What the rules order for a client in the week of Monday 2 March 2026."""
        monday = more.pop("week", date(2026, 3, 2))
        return SendSummary(
            client.id,
            more.pop("to", (LILEI,)),
            monday,
            at(due),
            "weekly",
            "v1",
            more.pop("when_empty", "skip"),
            f"summary:{client.id}:{monday}",
        )

    def summaries(self, *wanted: SendSummary, now: str = "03-06 17:00") -> list[StaffMail]:
        return self.office.summaries(self.session, NO_FACTS, wanted, at(now))

    def notes(self, now: str) -> list[StaffMail]:
        return self.office.notes(self.session, NO_FACTS, at(now))

    def digests(self, now: str) -> list[StaffMail]:
        return self.office.digests(self.session, at(now))

    def queue(self, mails: list[StaffMail], now: str) -> list[OutboxMessage]:
        """Stores mails as the daemon does."""
        sender = Sender(
            "蓝海广告", ZONE, "assistant@lanhai-ad.example", "项目助理", Calendars(), stage_name, lambda _rule: 2
        )
        rows = [queue_staff_mail(self.session, mail, sender, at(now)) for mail in mails]
        return [row for row in rows if row is not None]


@contextmanager
def opened(folder: Path, templates: Templates) -> Iterator[Agency]:
    """An agency with empty tables in a database of its own."""
    database = new_database(folder)
    with database.session() as session:
        yield Agency(session, templates)
    database.close()


def dairy(agency: Agency) -> tuple[Client, Contact, Project]:
    """A client with one contact and one project, without any mail."""
    client = agency.client("青禾乳业")
    contact = agency.contact(client, "林晓芸", "linxy@qinghe-dairy.example")
    return client, contact, agency.project(client, "冬季新品上市")


def weekly(
    agency: Agency, client: Client, *, reader: str = LILEI, due: str = "03-06 17:00", now: str | None = None
) -> WeeklySummary:
    """The client's week up to `due`, asked at `now`."""
    around = agency.office.surroundings
    period = week_before(at(due), ZONE)
    return collect_weekly(agency.session, around, client.id, around.colleague(reader), period, at(now or due))
