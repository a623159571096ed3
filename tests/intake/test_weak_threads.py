"""Where a thread goes on from is a function of the mail alone, in whatever portions and order it came."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assistant.intake import pipeline
from assistant.store.tables import Record, Thread
from assistant.store.weak_threads import refresh_weak_edges
from tests.intake.test_late_mail import new_office, take_in
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, MONDAY, WANG, Office, mail

SUBJECTS = ("新茶上市", "Launch film")
Link = tuple[frozenset[str], frozenset[str], str]


def mailbox(seed: int, size: int = 12) -> list[bytes]:
    """Answers that lost their references, subjects that change on the way, threads that turn out to be one, machines."""
    chance = random.Random(seed)
    ids: list[str] = []
    mails: list[bytes] = []
    for number in range(size):
        at = MONDAY + timedelta(hours=9 * number, minutes=number)
        person = chance.choice((CHEN, CHEN, WANG))
        machine = chance.random() < 0.12
        writer, to = (LILEI, (person,)) if chance.random() < 0.4 else (person, (LILEI,))
        own = f"{number}.{seed}@mail.example"
        mails.append(
            mail(
                f"请看 #discovery {number}",
                subject=chance.choice(("", "Re: ")) + chance.choice(SUBJECTS),
                originator=writer,
                to=to,
                cc=(ASSISTANT, *((HAN,) if chance.random() < 0.5 else ())),
                at=at,
                message_id=own,
                answers=chance.sample(ids, min(len(ids), chance.choice((0, 0, 1, 1, 2)))),
                headers={"Auto-Submitted": "auto-replied"} if machine else {},
            )
        )
        ids.append(own)
    return mails


def links(office: Office) -> set[Link]:
    """Each thread that goes on from another, and that one, by the Message-IDs in them."""
    with office.session() as session:
        inside: dict[int, set[str]] = {}
        for record in session.scalars(select(Record)):
            inside.setdefault(record.thread_id or 0, set()).add(record.message_id)
        return {
            (frozenset(inside[row.id]), frozenset(inside[row.continues_id]), row.continues_evidence)
            for row in session.scalars(select(Thread).where(Thread.merged_into.is_(None)))
            if row.continues_id is not None
        }


def computed_anew(office: Office) -> set[Link]:
    with office.session() as session:
        for thread in session.scalars(select(Thread)):
            thread.continues_id, thread.continues_evidence = None, ""
        session.flush()
        refresh_weak_edges(session, set(session.scalars(select(Record.subject_key))), (ASSISTANT,))
    return links(office)


def found_with(folder: Path, portions: Sequence[Sequence[bytes]]) -> set[Link]:
    office = new_office(folder)
    for portion in portions:
        take_in(office, portion)
    found = links(office)
    assert found == computed_anew(office)
    office.workplace.database.close()
    return found


@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 11))
def test_portions_and_order_change_nothing(seed: int, cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    mails = mailbox(seed)
    found = found_with(tmp_path_factory.mktemp("whole"), [mails])
    assert found_with(tmp_path_factory.mktemp("halves"), [mails[:cut], mails[cut:]]) == found
    assert found_with(tmp_path_factory.mktemp("late"), [mails[cut:], mails[:cut]]) == found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "_BATCH", 1)
        assert found_with(tmp_path_factory.mktemp("singly"), [mails]) == found
