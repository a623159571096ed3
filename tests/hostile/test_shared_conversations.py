"""Two clients in one conversation: what colleagues told, no mail that leaves by itself and no export repeats to the other."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import Client, OpenItem, OutboxMessage, Record
from tests.hostile.test_foreign_marks import ANY_MARK, everything_said, mark_of
from tests.offices import ASSISTANT, HAN, LILEI, MONDAY, Office, command, mail, open_office, write_config

TEA, BOAT = "chen@teahouse.example", "wang@boathouse.example"
"""Two clients; each writes its own mark in its subjects and texts."""
HOME, OTHER_HOME = "chen@qq.com", "wang@qq.com"
"""Two private customers at one provider of free mail."""
OWN = {TEA: mark_of(1), HOME: mark_of(1), BOAT: mark_of(2), OTHER_HOME: mark_of(2)}


def ask(office: Office, who: str) -> str:
    """A client's enquiry; returns its Message-ID."""
    name = f"ask-{who}"
    subject = f"{OWN[who]} launch"
    office.hear(
        mail(f"{OWN[who]} please quote #discovery", subject=subject, originator=who, to=[LILEI], cc=[ASSISTANT],
             message_id=name, at=later(office))
    )  # fmt: skip
    return name


def write(
    office: Office, to: Sequence[str], text: str, subject: str, answers: Sequence[str] = (), name: str = ""
) -> str:
    """A colleague's mail, the assistant in Cc."""
    name = name or f"ours-{office.clock.now():%d%H%M%S}"
    office.hear(
        mail(f"{text} #proposal", subject=subject, originator=LILEI, to=to, cc=[ASSISTANT], message_id=name,
             at=later(office), answers=answers)
    )  # fmt: skip
    return name


def later(office: Office) -> datetime:
    return office.move(hours=1)


def forwarded(who: str) -> str:
    """What a mail program puts below when a client's mail is forwarded."""
    return (
        f"What do you think?\n\n---------- Forwarded message ---------\nFrom: Chen <{who}>\n"
        f"Date: Mon, Mar 2, 2026 at 10:00 AM\nSubject: {OWN[who]} launch\nTo: <{LILEI}>\n\n{OWN[who]} our budget\n"
    )


def quoted(who: str) -> str:
    return f"As others do it.\n\nOn Mon, Mar 2, 2026 at 10:00 AM Chen <{who}> wrote:\n> {OWN[who]} please quote\n"


def pass_weeks(office: Office, days: int = 12) -> None:
    for _ in range(0, days, 3):
        office.move(days=3)
        office.workplace.decide_due()


def leaks(office: Office) -> list[str]:
    """What is on its way to clients with a mark that is not theirs."""
    return [
        f"{row.purpose} to {row.recipients} ({row.state}): {foreign}"
        for row in office.outbox()
        if row.state in ("queued", "waiting_approval", "sent")
        and (foreign := set(ANY_MARK.findall(everything_said(row.raw))) - {OWN[str(to)] for to in row.recipients})
    ]


def exported(office: Office, which: str, folder: Path) -> set[str]:
    """The marks in a client's export."""
    target = folder / f"{which}.zip"
    outcome = command(office.config_file, "export", which, "--to", str(target), "--force")
    assert outcome.status == 0, outcome.err
    with zipfile.ZipFile(target) as packed:
        return set(
            ANY_MARK.findall("\n".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist()))
        )


def a_forward(office: Office) -> None:
    ask(office, TEA), ask(office, BOAT)
    write(office, [BOAT], forwarded(TEA), f"Fwd: {OWN[TEA]} launch")


def a_forward_in_the_thread(office: Office) -> None:
    first = ask(office, TEA)
    ask(office, BOAT)
    write(office, [BOAT], forwarded(TEA), f"Fwd: {OWN[TEA]} launch", [first])


def a_forward_to_a_stranger(office: Office) -> None:
    ask(office, TEA)
    write(office, [BOAT], forwarded(TEA), f"Fwd: {OWN[TEA]} launch")
    write(office, [BOAT], "As you asked.", f"Re: {OWN[BOAT]} launch", [ask(office, BOAT)])


def a_forward_in_the_thread_to_a_stranger(office: Office) -> None:
    write(office, [BOAT], forwarded(TEA), f"Fwd: {OWN[TEA]} launch", [ask(office, TEA)])
    write(office, [BOAT], "As you asked.", f"Re: {OWN[BOAT]} launch", [ask(office, BOAT)])


def a_quotation(office: Office) -> None:
    ask(office, TEA), ask(office, BOAT)
    write(office, [BOAT], quoted(TEA), f"Re: {OWN[TEA]} launch")


def a_copy_in_the_thread(office: Office) -> None:
    """A colleague puts another client in Cc, and that one answers."""
    first = ask(office, TEA)
    ask(office, BOAT)
    second = write(office, [TEA, BOAT], "Both may look.", f"Re: {OWN[TEA]} launch", [first])
    third = mail(f"{OWN[BOAT]} thanks", subject=f"Re: {OWN[TEA]} launch", originator=BOAT, to=[LILEI], cc=[ASSISTANT],
                 at=later(office), answers=[first, second], message_id="thanks")  # fmt: skip
    office.hear(third)
    write(office, [BOAT], f"{OWN[BOAT]} you are welcome", f"Re: {OWN[TEA]} launch", [first, second, "thanks"])


def two_private_customers(office: Office) -> None:
    """The second is known only from a colleague's mail to both."""
    ask(office, HOME)
    write(office, [HOME, OTHER_HOME], "Our prices.", "Price list")
    write(office, [OTHER_HOME], "As you asked.", f"Re: {OWN[OTHER_HOME]} launch", [ask(office, OTHER_HOME)])


def a_person_who_moved(office: Office) -> None:
    """Somebody of the first client writes from the second's domain into the old conversation."""
    first = ask(office, TEA)
    ask(office, BOAT)
    moved = "chen@boathouse.example"
    office.hear(
        mail(f"{OWN[BOAT]} I work here now.", subject=f"Re: {OWN[TEA]} launch", originator=moved, to=[LILEI],
             cc=[ASSISTANT], at=later(office), answers=[first], message_id="moved")
    )  # fmt: skip
    write(office, [moved], f"{OWN[BOAT]} congratulations", f"Re: {OWN[TEA]} launch", [first, "moved"])


SCENES: tuple[Callable[[Office], None], ...] = (
    a_forward,
    a_forward_in_the_thread,
    a_forward_to_a_stranger,
    a_forward_in_the_thread_to_a_stranger,
    a_quotation,
    a_copy_in_the_thread,
    two_private_customers,
    a_person_who_moved,
)
OWN["chen@boathouse.example"] = mark_of(2)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=1))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_nothing_of_one_client_goes_to_the_other(
    office: Office, tmp_path: Path, scene: Callable[[Office], None]
) -> None:
    scene(office)
    pass_weeks(office)
    assert leaks(office) == []
    with office.workplace.database.reading() as session:
        domains = [(client.id, client.name) for client in session.scalars(select(Client))]
    first = exported(office, str(domains[0][0]), tmp_path)
    assert first <= {mark_of(1)}
    if len(domains) > 1:
        assert exported(office, str(domains[1][0]), tmp_path) <= {mark_of(2)}


def test_what_is_held_back_is_left_to_a_colleague_with_the_reason(office: Office) -> None:
    a_forward(office)
    pass_weeks(office)
    refused = [row for row in office.outbox() if row.state == "refused"]
    assert {row.reason for row in refused} == {"other-client"}
    assert "other-client" in command(office.config_file, "outbox", "list", "--all", "--json").out
    with office.session() as session:
        tasks = session.scalars(select(OpenItem).where(OpenItem.kind == "task")).all()
        assert [(task.owner, "其他客户" in task.what) for task in tasks if task.dedupe_key.startswith("other")] == [  # type: ignore[union-attr]  # these have keys
            (LILEI, True)
        ]


def test_it_is_asked_again_when_the_mail_leaves(office: Office) -> None:
    """The other client comes into the conversation after the mail was ordered."""
    from assistant.outbox.confidence import foreign_words

    ask(office, TEA), ask(office, BOAT)
    write(office, [BOAT], "Here it is.", f"Re: {OWN[BOAT]} launch", [f"ask-{BOAT}"])
    pass_weeks(office, 5)
    with office.session() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client")).first()
        assert row is not None
        assert foreign_words(session, office.workplace.archive, row) is None
        record = session.get_one(Record, row.anchor_record_id)
        raw = mail(forwarded(TEA), subject=record.subject, originator=LILEI, to=[BOAT])
        record.raw_id = office.workplace.archive.put(session, raw)
        refusal = foreign_words(session, office.workplace.archive, row)
        assert refusal is not None
        assert refusal.reason == "other-client"


def test_an_ordinary_colleague_of_the_client_and_a_partner_are_written_to(office: Office) -> None:
    """Somebody the client itself put in Cc has a part in the project."""
    first = ask(office, TEA)
    partner = "lin@printer.example"
    office.hear(
        mail("Lin prints it for us.", subject=f"Re: {OWN[TEA]} launch", originator=TEA, to=[LILEI, partner],
             cc=[ASSISTANT], at=later(office), answers=[first], message_id="second")
    )  # fmt: skip
    write(office, [partner], "Which paper?", f"Re: {OWN[TEA]} launch", [first, "second"])
    write(office, ["boss@teahouse.example"], "The offer.", f"Re: {OWN[TEA]} launch", [first, "second"])
    pass_weeks(office)
    assert [row.recipients for row in office.outbox() if row.state == "queued"] == [["boss@teahouse.example"]]
    assert "refused" not in {row.state for row in office.outbox()}


@pytest.mark.parametrize("seed", range(2))
def test_no_random_history_with_careless_colleagues_tells_anything(office: Office, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pairs = [(TEA, BOAT), (BOAT, TEA), (HOME, OTHER_HOME), (OTHER_HOME, BOAT)]
    for round_number in range(18):
        one, other = chance.choice(pairs)
        known = f"ask-{one}"
        refs = [known] if chance.random() < 0.5 else []
        match chance.randrange(6):
            case 0:
                ask(office, one)
            case 1:
                write(office, [other], forwarded(one), f"Fwd: {OWN[one]} launch", refs, f"f{round_number}")
            case 2:
                write(office, [other], quoted(one), f"Re: {OWN[one]} launch", refs, f"q{round_number}")
            case 3:
                write(office, [one, other], "Our prices.", "Price list", [], f"p{round_number}")
            case 4:
                write(office, [one], "As you asked.", f"Re: {OWN[one]} launch", [known], f"a{round_number}")
            case _:
                note = forwarded(one).replace("What do you think?", f"Pays more than {OWN[other]}")
                office.hear(
                    mail(note, subject=f"Fwd: {OWN[one]} launch", originator=HAN, to=[ASSISTANT], at=later(office))
                )
        if round_number % 4 == 3:
            pass_weeks(office, 3)
    pass_weeks(office, 9)
    assert leaks(office) == []
