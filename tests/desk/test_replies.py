"""From the digest in a colleague's inbox to the mail that does not leave: the whole way, with and without proof."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import AuditEntry, OutboxMessage
from tests.offices import (
    CHEN,
    DUE,
    HAN,
    INQUIRY,
    LILEI,
    MONDAY,
    PROPOSAL,
    Office,
    mail,
    open_office,
    write_config,
)

SERVER = "mx.lanhai.example"
PROOF = {"Authentication-Results": f"{SERVER}; dmarc=pass header.from=lanhai.example"}
SHIPPED = Path(__file__).parent.parent.parent / "rules"


@pytest.fixture(params=["veto 4h", "approval"])
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def office(tmp_path: Path, release: str) -> Office:
    """A proposal has waited for three days; the first follow-up is ordered, and its owner has been told."""
    return waiting_office(tmp_path, release)


def waiting_office(folder: Path, release: str) -> Office:
    rules = folder / "rules"
    rules.mkdir()
    for file in SHIPPED.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        if file.name == "followups.toml":
            text = text.replace(
                'send  = "followups/proposal-nudge-1"',
                f'send  = "followups/proposal-nudge-1"\n  release = "{release}"',
            )
        (rules / file.name).write_text(text, encoding="utf-8")
    config = write_config(
        folder,
        more=f'[mailbox]\nhost = "127.0.0.1"\nport = 1\nuser = "x"\nauthserv_id = "{SERVER}"\n',
    )
    office = open_office(config)
    office.hear(INQUIRY)
    office.clock.move_to(MONDAY + timedelta(hours=2))
    office.hear(PROPOSAL)
    office.clock.move_to(DUE)
    office.workplace.decide_due()
    office.workplace.plan()
    return office


def digest(office: Office) -> OutboxMessage:
    return staff_mail(office, "digest")[0]


def staff_mail(office: Office, purpose: str) -> list[OutboxMessage]:
    with office.session() as session:
        rows = select(OutboxMessage).where(OutboxMessage.audience == "staff", OutboxMessage.purpose == purpose)
        return list(session.scalars(rows.order_by(OutboxMessage.id)))


def reply(office: Office, text: str, *, by: str = LILEI, proof: dict[str, str] | None = None) -> None:
    office.hear(
        mail(
            text,
            subject="Re: " + digest(office).subject,
            originator=by,
            at=office.clock.now(),
            answers=(digest(office).message_id,),
            headers=PROOF if proof is None else proof,
        )
    )


def body(row: OutboxMessage) -> str:
    from parsers import parse

    return parse(row.raw).text


def test_the_digest_says_how_to_reply(office: Office, release: str) -> None:
    (waiting,) = office.outbox()
    text = body(digest(office))
    assert f"停止 {waiting.id}" in text
    assert (f"同意 {waiting.id}" in text) == (release == "approval")


@pytest.mark.parametrize("words", ["停止 {number}", "stop {number}", "stop all", "全部停止", "停止"])
def test_a_stop_stops(office: Office, words: str) -> None:
    (waiting,) = office.outbox()
    reply(office, words.format(number=waiting.id))
    (row,) = office.outbox()
    assert (row.state, row.decided_by) == ("vetoed", LILEI)
    assert staff_mail(office, "notice") == []


@pytest.mark.parametrize("words", ["同意 {number}", "ok {number}", "OK"])
def test_a_yes_lets_it_leave(office: Office, words: str) -> None:
    (waiting,) = office.outbox()
    reply(office, words.format(number=waiting.id))
    (row,) = office.outbox()
    assert (row.state, row.decided_by) == ("queued", LILEI)
    assert row.due_at <= office.clock.now()


def test_a_listed_colleague_may_stop_for_another(office: Office) -> None:
    reply(office, "停止全部", by=HAN)
    assert [row.decided_by for row in office.outbox()] == [HAN]


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"Authentication-Results": f"{SERVER}; dmarc=none"},
        {"Authentication-Results": "mx.elsewhere.example; dmarc=pass"},
    ],
    ids=["no verdict", "none", "of another server"],
)
def test_without_proof_nothing_happens_and_the_sender_hears_why_once(office: Office, proof: dict[str, str]) -> None:
    before = [(row.state, row.due_at) for row in office.outbox()]
    reply(office, "stop all", proof=proof)
    assert [(row.state, row.due_at) for row in office.outbox()] == before
    (notice,) = staff_mail(office, "notice")
    assert notice.recipients == [LILEI]
    assert "身份验证" in body(notice)


def test_a_forged_reply_is_not_obeyed_and_nobody_is_told(office: Office) -> None:
    before = [row.state for row in office.outbox()]
    reply(office, "stop all", proof={"Authentication-Results": f"{SERVER}; dmarc=fail"})
    assert [row.state for row in office.outbox()] == before
    assert staff_mail(office, "notice") == []


def test_what_is_not_understood_changes_nothing(office: Office) -> None:
    before = [row.state for row in office.outbox()]
    reply(office, "先放一放，我问问客户再说。")
    assert [row.state for row in office.outbox()] == before
    (notice,) = staff_mail(office, "notice")
    assert "停止 17" in body(notice)


def test_a_number_that_the_digest_does_not_list_is_refused(office: Office) -> None:
    before = [row.state for row in office.outbox()]
    reply(office, "停止 4711")
    assert [row.state for row in office.outbox()] == before
    assert "4711" in body(staff_mail(office, "notice")[0])


def test_who_comes_too_late_is_told(office: Office) -> None:
    (waiting,) = office.outbox()
    reply(office, f"停止 {waiting.id}")
    reply(office, f"同意 {waiting.id}", by=HAN)
    assert [row.state for row in office.outbox()] == ["vetoed"]
    (notice,) = staff_mail(office, "notice")
    assert notice.recipients == [HAN]


def test_a_client_who_quotes_the_digest_orders_nothing(office: Office) -> None:
    office.hear(mail("stop all", originator=CHEN, at=office.clock.now(), answers=(digest(office).message_id,)))
    assert [row.state for row in office.outbox()] != ["vetoed"]


def test_everything_said_is_in_the_ledger(office: Office) -> None:
    reply(office, "stop all")
    with office.session() as session:
        events = session.scalars(select(AuditEntry.event).where(AuditEntry.who == LILEI)).all()
    assert sorted(events) == ["mail-vetoed", "reply-obeyed"]
