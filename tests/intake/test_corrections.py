"""What people set right holds for the record, for what followed from it, and for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.intake.corrections import FIELDS, correct_record, reapply_corrections
from assistant.store.tables import Client, Contact, Correction, OpenItem, Project, Record, SignOff, StageChange
from tests.offices import CHEN, LILEI, MONDAY, WANG, Office, mail, open_office, write_config


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(days=3))


def by_id(session: Session, message_id: str) -> Record:
    record = session.scalar(select(Record).where(Record.message_id == message_id))
    assert record is not None
    return record


def set_right(office: Office, message_id: str, **values: str) -> list[str]:
    with office.session() as session:
        record = by_id(session, message_id)
        return [
            correct_record(session, record, field, values[field], LILEI, office.clock.now())
            for field in FIELDS
            if field in values
        ]


def test_a_corrected_stage_moves_the_project_and_is_context_for_later_mail(office: Office) -> None:
    office.hear(mail("#proposal 请看", message_id="a@mingshan.example"))
    assert set_right(office, "a@mingshan.example", stage="execution") == [
        "record 1: stage is now execution (was proposal)"
    ]
    # The next mail has no tag: its stage is that of the mail before, as it was set right.
    later = office.log(mail("继续", at=MONDAY + timedelta(hours=1), answers=("a@mingshan.example",)))
    assert later.stage == "execution"
    with office.session() as session:
        assert session.scalar(select(Project.stage)) == "execution"
        assert [row.to_stage for row in session.scalars(select(StageChange))] == ["execution"]


def test_what_was_set_right_weighs_more_in_later_reading_than_what_the_words_said(office: Office) -> None:
    from assistant.intake.facts import history
    from assistant.intake.project_book import ProjectBook

    office.hear(mail("#proposal 请看", message_id="a@mingshan.example"))
    set_right(office, "a@mingshan.example", stage="closing")
    with office.session() as session:
        record = by_id(session, "a@mingshan.example")
        record.text_probabilities = [["proposal", 0.9], ["closing", 0.1]]
        session.flush()
        entries = ProjectBook().entries(session, record.project_id or 0)
        (item,) = history(entries, office.clock.now())
    assert (item.stage, dict(item.stage_probabilities)["closing"]) == ("closing", 0.94)


def test_confirming_a_label_settles_the_question(office: Office) -> None:
    office.hear(mail("#proposal 请看", message_id="a@mingshan.example"))
    (sentence,) = set_right(office, "a@mingshan.example", stage="proposal")
    assert "that is settled now" in sentence
    with office.session() as session:
        assert session.scalar(select(Correction.field)) == "stage"


def test_a_sign_off_that_was_none_is_taken_back(office: Office) -> None:
    office.hear(mail("#approval 可以，但是先改第三页", message_id="a@mingshan.example"))
    set_right(office, "a@mingshan.example", approval="none")
    with office.session() as session:
        assert session.scalars(select(SignOff)).all() == []
        assert by_id(session, "a@mingshan.example").approval == ""
    set_right(office, "a@mingshan.example", approval="contract")
    with office.session() as session:
        (signed,) = session.scalars(select(SignOff))
        assert (signed.what, signed.by) == ("contract", CHEN)
        assert "approval" in [item[0] for item in by_id(session, "a@mingshan.example").intents]


def test_a_complaint_that_was_none_closes_and_a_missed_one_opens(office: Office) -> None:
    office.hear(mail("#complaint 你们真快", message_id="a@mingshan.example"))
    set_right(office, "a@mingshan.example", intents="satisfaction")
    with office.session() as session:
        assert session.scalars(select(OpenItem)).all() == []
    set_right(office, "a@mingshan.example", intents="complaint,change_request")
    with office.session() as session:
        found = {item.kind: item.by for item in session.scalars(select(OpenItem))}
    assert found == {"complaint": "us", "change_request": "us"}


def test_a_thread_moves_to_another_project_with_all_that_hangs_on_it(office: Office) -> None:
    office.hear(
        mail("#proposal 包装", subject="包装设计", message_id="a@mingshan.example"),
        mail(
            "#complaint 网站坏了", subject="网站改版", message_id="b@mingshan.example", at=MONDAY + timedelta(minutes=5)
        ),
    )
    set_right(office, "b@mingshan.example", project="new")
    with office.session() as session:
        first, second = by_id(session, "a@mingshan.example"), by_id(session, "b@mingshan.example")
        assert first.project_id != second.project_id
        (item,) = session.scalars(select(OpenItem))
        assert item.project_id == second.project_id
        name = session.scalar(select(Project.name).where(Project.id == first.project_id))
    set_right(office, "b@mingshan.example", project=str(name))
    with office.session() as session:
        first, second = by_id(session, "a@mingshan.example"), by_id(session, "b@mingshan.example")
        assert first.project_id == second.project_id
        (item,) = session.scalars(select(OpenItem))
        assert item.project_id == first.project_id


def test_a_person_who_was_taken_for_somebody_elses_moves_along(office: Office) -> None:
    office.hear(
        mail("#proposal 一", message_id="a@mingshan.example"),
        mail("#proposal 二", message_id="b@shanye.example", originator="lin@shanye.example", subject="别的"),
    )
    set_right(office, "b@shanye.example", client="mingshan.example", project="new")
    with office.session() as session:
        first, second = by_id(session, "a@mingshan.example"), by_id(session, "b@shanye.example")
        assert first.client_id == second.client_id
        assert second.project_id is not None
        lin = session.scalar(select(Contact).where(Contact.addr_spec == "lin@shanye.example"))
        assert lin is not None
        assert lin.client_id == first.client_id


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("stage", "done", "'done' is no stage; use one of discovery"),
        ("intents", "question,joy", "'joy' is no intent"),
        ("approval", "everything", "is no approval"),
        ("waiting_on", "them", "is no waiting on; use one of client, us, nobody"),
        ("project", "nothing", "`assistant projects` lists them"),
        ("project", "99", "`assistant projects` lists them"),
        ("client", "nobody", "`assistant clients` lists them"),
        ("mood", "good", "cannot be set right"),
    ],
)
def test_what_does_not_exist_is_said_and_nothing_is_changed(office: Office, field: str, value: str, said: str) -> None:
    office.hear(mail("#proposal 请看", message_id="a@mingshan.example"))
    with office.session() as session, pytest.raises(WrongUse, match=said):
        correct_record(session, by_id(session, "a@mingshan.example"), field, value, LILEI, office.clock.now())
    with office.session() as session:
        assert session.scalars(select(Correction)).all() == []
        assert by_id(session, "a@mingshan.example").stage == "proposal"


def test_a_project_of_another_client_is_refused(office: Office) -> None:
    office.hear(
        mail("#proposal 一", message_id="a@mingshan.example"),
        mail("#proposal 二", message_id="b@shanye.example", originator="lin@shanye.example"),
    )
    with office.session() as session:
        other = by_id(session, "b@shanye.example").project_id
        record = by_id(session, "a@mingshan.example")
        with pytest.raises(WrongUse, match="say --client too"):
            correct_record(session, record, "project", str(other), LILEI, office.clock.now())


def test_corrections_hold_for_records_made_anew(tmp_path: Path) -> None:
    """Another database, other numbers: they are kept by Message-ID, and so is what they name."""
    mails = (
        mail("#proposal 一", message_id="a@mingshan.example", subject="包装设计"),
        mail("#approval 二", message_id="b@mingshan.example", subject="网站改版", at=MONDAY + timedelta(minutes=1)),
        mail("#proposal 三", message_id="c@shanye.example", originator=WANG, at=MONDAY + timedelta(minutes=2)),
        mail("#proposal 四", message_id="d@shanye.example", originator="lin@shanye.example"),
    )
    first = open_office(write_config(tmp_path / "first"), now=MONDAY + timedelta(days=3))
    first.hear(*mails)
    set_right(first, "a@mingshan.example", stage="agreement", waiting_on="nobody")
    set_right(first, "b@mingshan.example", project="new", approval="none", intents="question")
    set_right(first, "d@shanye.example", client="mingshan.example", project="<b@mingshan.example>")
    second = open_office(write_config(tmp_path / "second"), now=MONDAY + timedelta(days=3))
    second.hear(mail("#discovery 早", originator="zhou@early.example", message_id="z@early.example"))
    second.hear(*mails)
    with first.session() as old, second.session() as new:
        for row in old.scalars(select(Correction)):
            new.add(
                Correction(
                    message_id=row.message_id,
                    field=row.field,
                    value=row.value,
                    previous=row.previous,
                    by=row.by,
                    at=row.at,
                )
            )
        new.flush()
        assert reapply_corrections(new) == ()
        count = len(new.scalars(select(Correction)).all())
        assert count == len(old.scalars(select(Correction)).all())
        assert labels(new) == labels(old)


def labels(session: Session) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for record in session.scalars(select(Record).where(Record.message_id != "z@early.example")):
        client = session.get(Client, record.client_id)
        inside = frozenset(
            session.scalars(select(Record.message_id).where(Record.project_id == record.project_id)).all()
        )
        signed = tuple(session.scalars(select(SignOff.what).where(SignOff.record_id == record.id)))
        found[record.message_id] = (
            record.stage,
            record.waiting_on,
            record.approval,
            tuple(item[0] for item in record.intents),
            client.name if client else None,
            inside,
            signed,
        )
    return found


def test_a_correction_whose_message_is_gone_is_said(office: Office) -> None:
    office.hear(mail("#proposal 请看", message_id="a@mingshan.example"))
    set_right(office, "a@mingshan.example", stage="closing")
    with office.session() as session:
        by_id(session, "a@mingshan.example").message_id = "other@mingshan.example"
        session.flush()
        assert reapply_corrections(session) == ("correction 1: its message is not there",)
