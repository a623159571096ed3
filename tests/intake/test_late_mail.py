"""Mail in any order of arrival, at once or in instalments, gives the records of mail that arrived in order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assistant.intake.corrections import correct_record
from assistant.intake.hindsight import think_over
from assistant.intake.history import HistoricMail, keep_history
from assistant.store.hindsight import late, note_late
from assistant.store.tables import (
    Client,
    Contact,
    OpenItem,
    OutboxMessage,
    Project,
    RawMail,
    Record,
    SignOff,
    StageChange,
    Thread,
)
from tests.offices import (
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    WANG,
    Office,
    TaggedReader,
    command,
    mail,
    open_office,
    write_config,
)
from tests.readers import NeighbourlyReader

PEOPLE = (CHEN, WANG, "zhou@other.example", "ajie.goldenbowl@qq.com", "nat.goldenbowl@gmail.com", "x1990@163.com")
NAMES = ("陈大文", "Nat Golden", "周", "Ajie Wang")
SUBJECTS = ("合作咨询", "新茶上市", "Launch film", "launch Film", "包装设计", "报价", "Film – other")
TAGS = ("discovery", "proposal", "agreement", "execution", "closing", "unrelated")
SAID = (
    "想做推广。",
    "方案请见附件。",
    "Another project: a stand.",
    "可以，确认。#approval",
    "不满意。#complaint",
    "谢谢 #satisfaction",
    "",
)


def mailbox(seed: int, size: int = 14, colleagues: Sequence[str] = (LILEI, HAN)) -> list[bytes]:
    """Clients on domains and free mail, the same subjects and names at several, lost references, forwards, internal mail,
    strays, people who say their name or their role in one mail of several."""
    chance = random.Random(seed)
    called = {person: chance.choice(NAMES) for person in PEOPLE}
    mails: list[bytes] = []
    ids: list[tuple[str, str, str]] = []
    at = MONDAY
    for number in range(size):
        at += timedelta(hours=chance.choice((0, 0, 1, 5, 30, 500)), minutes=chance.choice((0, number)))
        own = f"{number}.{seed}@mail.example"
        known = chance.choice(ids) if ids and chance.random() < 0.6 else None
        subject = known[1] if known else chance.choice(SUBJECTS)
        person = known[2] if known and chance.random() < 0.8 else chance.choice(PEOPLE)
        answers = (known[0],) if known and chance.random() < 0.6 else ()
        text = f"{chance.choice(SAID)} #{chance.choice(TAGS)} {number}"
        signature = chance.choice(("", "", f"\n\n-- \n{called[person]}\n市场总监\nTel: 021-5555 10{number:02}"))
        if chance.random() < 0.3:
            person = f"{called[person]} <{person}>"
        colleague = chance.choice(colleagues)
        writer, to = (colleague, (person,)) if chance.random() < 0.4 else (person, (colleague,))
        if writer == person:
            text += signature
        if chance.random() < 0.1:
            writer, to = LILEI, (HAN,)
        elif chance.random() < 0.1:
            head = f"From: {person}\nDate: {at - timedelta(hours=3):%a, %d %b %Y %H:%M:%S +0000}\nSubject: {subject}"
            text = f"---------- Forwarded message ---------\n{head}\nTo: <{LILEI}>\n\n{text}"
            writer, to = LILEI, (ASSISTANT,)
        cc = (ASSISTANT, *((HAN,) if chance.random() < 0.3 else ()), *((WANG,) if chance.random() < 0.2 else ()))
        prefix = "Re: " if known else ""
        mails.append(
            mail(text, subject=f"{prefix}{subject}", originator=writer, to=to, cc=cc, at=at, message_id=own, answers=answers)
        )  # fmt: skip
        ids.append((own, subject, parseaddr(person)[1]))
    return mails


def everything(office: Office) -> dict[str, Any]:
    """All that intake derives, by Message-ID and by names: nothing in it is a number of the database."""
    with office.session() as session:
        clients = {row.id: row.name for row in session.scalars(select(Client))}
        projects = {row.id: row for row in session.scalars(select(Project))}
        threads = {row.id: row for row in session.scalars(select(Thread))}
        contacts = {row.id: row for row in session.scalars(select(Contact))}
        ids = {row.id: row.message_id for row in session.scalars(select(Record))}
        found: dict[str, Any] = {}
        for row in session.scalars(select(Record)):
            thread = threads[row.thread_id or 0]
            project = projects[row.project_id] if row.project_id else None
            found[row.message_id] = (
                (row.direction, row.kind, row.originator, row.sent_at),
                (row.client_id and clients[row.client_id], row.contact_id and contacts[row.contact_id].addr_spec),
                project and (project.name, project.stage, project.stage_since, project.waiting_on, project.opened_at),
                (
                    thread.subject,
                    thread.started_at,
                    thread.project_confidence,
                    thread.project_evidence,
                    thread.continues_id and threads[thread.continues_id].started_at,
                    thread.continues_evidence,
                ),
                (row.stage, row.stage_confidence, row.intents, row.approval, row.waiting_on, row.context),
            )
        found["clients"] = sorted((row.name, row.owner) for row in session.scalars(select(Client)))
        found["contacts"] = sorted(
            (row.addr_spec, row.name, row.role, row.phone, clients[row.client_id]) for row in contacts.values()
        )
        found["projects"] = sorted(
            (row.name, clients[row.client_id], row.state, row.owner) for row in projects.values()
        )
        found["steps"] = sorted(
            (projects[row.project_id].name, row.at, row.from_stage, row.to_stage, row.confidence, row.asked)
            for row in session.scalars(select(StageChange))
        )
        found["sign-offs"] = sorted(
            (ids[row.record_id], projects[row.project_id].name if row.project_id else "", row.what)
            for row in session.scalars(select(SignOff))
        )
        found["items"] = sorted(
            (
                (ids[row.record_id or 0], row.kind, projects[row.project_id].name if row.project_id else ""),
                (row.owner, str(row.settled_at)),
            )
            for row in session.scalars(select(OpenItem))
        )
        assert late(session) is None
    return found


def new_office(folder: Path, reader: TaggedReader | None = None) -> Office:
    return open_office(write_config(folder), reader or TaggedReader(), now=MONDAY + timedelta(days=700))


def take_in(office: Office, mails: Sequence[bytes]) -> None:
    workplace = office.workplace
    historic = [HistoricMail(raw, None) for raw in mails]
    keep_history(workplace.database, workplace.archive, workplace.clock, historic, None)
    workplace.interpret()


def outcome(
    folder: Path, parts: Sequence[Sequence[bytes]], reader: TaggedReader | None = None, *, busy: bool = False
) -> dict[str, Any]:
    """With `busy` mail never stops coming until all is there: history is thought over client by client meanwhile."""
    office = new_office(folder, reader)
    for part in parts:
        if busy:
            take_in_hurriedly(office, part)
        else:
            take_in(office, part)
    office.workplace.intake.look_back()
    found = everything(office)
    office.workplace.database.close()
    return found


def take_in_hurriedly(office: Office, mails: Sequence[bytes]) -> None:
    workplace = office.workplace
    historic = [HistoricMail(raw, None) for raw in mails]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.intake.late_mail.AT_ONCE", 0)
        patch.setattr("assistant.intake.pipeline._REST", 0)
        keep_history(workplace.database, workplace.archive, workplace.clock, historic, None)
        workplace.intake.run()
        workplace.intake.look_back(calm=False)


def shuffled_parts(mails: Sequence[bytes], seed: int, cuts: Sequence[int]) -> list[list[bytes]]:
    shuffled = random.Random(seed + 1).sample(mails, len(mails))
    edges = [0, *sorted(cuts), len(mails)]
    return [shuffled[start:end] for start, end in itertools.pairwise(edges)]


SEEDS = st.integers(0, 10_000)
CUTS = st.lists(st.integers(1, 13), max_size=4, unique=True)


@settings(max_examples=8)
@given(seed=SEEDS, cuts=CUTS)
def test_any_order_and_any_instalments_give_the_same(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    mails = mailbox(seed)
    in_order = outcome(tmp_path_factory.mktemp("in-order"), [mails])
    assert outcome(tmp_path_factory.mktemp("shuffled"), shuffled_parts(mails, seed, [])) == in_order
    assert outcome(tmp_path_factory.mktemp("instalments"), shuffled_parts(mails, seed, cuts)) == in_order


@settings(max_examples=8)
@given(seed=SEEDS, cuts=CUTS)
def test_thought_over_client_by_client_while_mail_comes_and_whole_when_it_is_calm_gives_the_same(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    mails = mailbox(seed)
    parts = shuffled_parts(mails, seed, cuts or [7])
    in_order = outcome(tmp_path_factory.mktemp("in-order"), [mails])
    assert outcome(tmp_path_factory.mktemp("busy"), parts, busy=True) == in_order


@settings(max_examples=5)
@given(seed=SEEDS, cuts=CUTS)
def test_where_later_mail_says_something_of_earlier_mail_the_order_makes_no_difference_either(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    mails = mailbox(seed)
    in_order = outcome(tmp_path_factory.mktemp("in-order"), [mails], NeighbourlyReader())
    parts = shuffled_parts(mails, seed, cuts)
    assert outcome(tmp_path_factory.mktemp("instalments"), parts, NeighbourlyReader()) == in_order


@settings(max_examples=5)
@given(seed=SEEDS, cuts=CUTS)
def test_thinking_over_again_changes_nothing(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    mails = mailbox(seed)
    office = new_office(tmp_path_factory.mktemp("again"), NeighbourlyReader())
    for part in shuffled_parts(mails, seed, cuts):
        take_in(office, part)
    before = rows_of(office)
    with office.session() as session:
        note_late(session, MONDAY, dict.fromkeys(session.scalars(select(Client.id)), MONDAY))
    office.workplace.intake.look_back()
    assert rows_of(office) == before
    office.workplace.database.close()


def rows_of(office: Office) -> list[object]:
    """Every column of what is derived; the rows of items, sign-offs and steps may be others that say the same."""
    with office.session() as session:
        rows: list[object] = [
            [tuple(row) for row in session.execute(select(table.__table__).order_by(table.__table__.c.id))]
            for table in (Record, Thread, Client, Contact, Project)
        ]
    return [*rows, everything(office)]


def test_who_answers_for_a_project_does_not_depend_on_what_arrives_first(tmp_path: Path) -> None:
    enquiry = mail("请报价。#discovery", message_id="ask@mingshan.example", at=MONDAY)
    proposal = mail(
        "方案请见附件。#proposal",
        originator=HAN,
        to=(CHEN,),
        cc=(ASSISTANT,),
        at=MONDAY + timedelta(hours=1),
        answers=("ask@mingshan.example",),
    )
    owners = []
    for folder, parts in (("in-order", [[enquiry, proposal]]), ("late", [[proposal], [enquiry]])):
        office = new_office(tmp_path / folder)
        for part in parts:
            take_in(office, part)
        with office.session() as session:
            owners.append((session.scalars(select(Client.owner)).all(), session.scalars(select(Project.owner)).all()))
    assert owners[0] == owners[1]


def test_while_mail_comes_only_those_are_thought_over_whom_late_mail_concerns(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    other = mail("Hello #discovery", subject="Hi", originator="zhou@other.example", at=MONDAY + timedelta(hours=1))
    take_in(office, [other, ANSWER])
    counts: list[int] = []

    def counted(*given: Any, **named: Any) -> tuple[int, frozenset[int]]:
        found = think_over(*given, **named)
        counts.append(found[0])
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.intake.late_mail.AT_ONCE", 0)
        patch.setattr("assistant.intake.late_mail.think_over", counted)
        keep_history(
            office.workplace.database, office.workplace.archive, office.clock, [HistoricMail(ENQUIRY, None)], None
        )
        office.workplace.intake.run()
        assert len(office.workplace.intake.look_back(calm=False)) == 1
        with office.session() as session:
            found = late(session)
            assert found is not None
            assert found.clients == {}, "the whole waits until it is calm"
        assert office.workplace.intake.look_back(calm=False) == frozenset(), "nor at once again"
        office.workplace.intake.look_back()
    assert counts == [2, 3]


def test_late_mail_that_nothing_follows_needs_no_thinking_over(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    other = mail("Hello #discovery", subject="Hi", originator="zhou@other.example", at=MONDAY + timedelta(days=3))
    take_in(office, [ENQUIRY, other])
    keep_history(office.workplace.database, office.workplace.archive, office.clock, [HistoricMail(ANSWER, None)], None)
    office.workplace.intake.run()
    with office.session() as session:
        assert late(session) is None
    assert record_of(office, "3@mingshan.example").project_id == record_of(office, "1@mingshan.example").project_id


# --- what late mail may not do ----------------------------------------------------------------------------------------


ENQUIRY = mail("请报价。#discovery", message_id="1@mingshan.example", at=MONDAY)
FILM = mail("Another project: a film #discovery", subject="Film", message_id="2@mingshan.example", at=MONDAY + timedelta(days=1))  # fmt: skip
ANSWER = mail("可以。#approval", subject="Re: 新茶上市", message_id="3@mingshan.example", at=MONDAY + timedelta(days=2))


def record_of(office: Office, message_id: str) -> Record:
    return next(record for record in office.records() if record.message_id == message_id)


def test_what_people_set_right_stays(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    take_in(office, [FILM, ANSWER])
    with office.session() as session:
        film, answer = (session.scalars(select(Record).where(Record.message_id == f"{number}@mingshan.example")).one() for number in (2, 3))  # fmt: skip
        correct_record(session, answer, "stage", "execution", LILEI, office.clock.now())
        correct_record(session, film, "project", "new", LILEI, office.clock.now())
        chosen = film.project_id
    take_in(office, [ENQUIRY])
    enquiry, film, answer = office.records()
    assert (answer.stage, answer.stage_confidence) == ("execution", 1.0)
    assert film.project_id == chosen
    assert answer.project_id == enquiry.project_id != chosen


def test_a_mail_of_a_person_given_to_another_client_stays_there(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    other = mail("Hello #discovery", subject="Hi", originator="zhou@other.example", at=MONDAY + timedelta(hours=1))
    take_in(office, [other, ANSWER])
    with office.session() as session:
        answer = session.scalars(select(Record).where(Record.message_id == "3@mingshan.example")).one()
        correct_record(session, answer, "client", "other.example", LILEI, office.clock.now())
        given = answer.client_id
    take_in(office, [ENQUIRY])
    assert record_of(office, "3@mingshan.example").client_id == given


def test_late_mail_sends_and_withdraws_nothing(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY)
    office.hear(mail("请报价。#discovery", at=MONDAY - timedelta(hours=2), message_id="a@mingshan.example"))
    office.hear(
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), at=MONDAY, answers=("a@mingshan.example",))
    )  # fmt: skip
    office.move(days=3)
    office.workplace.decide_due()
    before = [(row.id, row.state, row.message_id) for row in office.outbox()]
    assert before, "a follow-up waits"
    office.hear(mail("旧事 #discovery", subject="旧事", at=MONDAY - timedelta(days=2)))
    assert [(row.id, row.state, row.message_id) for row in office.outbox()] == before
    with office.session() as session:
        assert session.scalars(select(OutboxMessage.project_id)).all()
        homes = {row.id: row.project_id for row in session.scalars(select(OutboxMessage))}
        projects = set(session.scalars(select(Project.id)))
    assert set(homes.values()) <= projects


def test_rows_are_kept_and_what_nobody_needs_any_more_is_gone(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    take_in(office, [ANSWER])
    (alone,) = office.records()
    take_in(office, [ENQUIRY])
    with office.session() as session:
        assert len(session.scalars(select(Project)).all()) == 1
        assert len(session.scalars(select(Client)).all()) == 1
    again = record_of(office, "3@mingshan.example")
    assert (again.id, again.client_id) == (alone.id, alone.client_id)


def test_a_stop_leaves_it_for_the_next_time(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    take_in(office, [FILM, ANSWER])
    keep_history(office.workplace.database, office.workplace.archive, office.clock, [HistoricMail(ENQUIRY, None)], None)
    office.workplace.intake.run()
    assert office.workplace.intake.look_back(lambda: True) == frozenset()
    with office.session() as session:
        assert late(session) is not None
    assert office.workplace.intake.look_back()
    with office.session() as session:
        assert late(session) is None


def test_mail_whose_bytes_were_erased_stays_as_it_is(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    take_in(office, [FILM, ANSWER])
    with office.session() as session:
        film = session.scalars(select(Record).where(Record.message_id == "2@mingshan.example")).one()
        raw = session.get(RawMail, film.raw_id)
        assert raw is not None
        raw.body, raw.erased_at = b"", office.clock.now()
        project = film.project_id
    take_in(office, [ENQUIRY])
    film = record_of(office, "2@mingshan.example")
    assert (film.kind, film.project_id) == ("human", project)
    assert {record.kind for record in office.records()} == {"human"}


@pytest.mark.parametrize("seed", [3, 4])
def test_a_rebuild_finds_nothing_to_change_after_late_mail(seed: int, tmp_path: Path) -> None:
    mails = mailbox(seed)
    random.Random(seed).shuffle(mails)
    office = new_office(tmp_path)
    take_in(office, mails[:7])
    take_in(office, mails[7:])
    office.workplace.database.close()
    outcome = command(office.config_file, "rebuild", "--check", reader=lambda *_given, **_named: TaggedReader())
    assert outcome.status == 0, outcome.out


def test_thinking_over_leaves_no_mark_that_the_next_start_takes_for_a_death(tmp_path: Path) -> None:
    office = new_office(tmp_path)
    take_in(office, [FILM, ANSWER])
    keep_history(office.workplace.database, office.workplace.archive, office.clock, [HistoricMail(ENQUIRY, None)], None)
    office.workplace.intake.run()
    assert office.workplace.intake.look_back()
    assert [path.name for path in tmp_path.rglob(".reading-*")] == []
