"""Later mail sets labels of earlier mail right, keeps what they were, and sets nothing off; doubts are asked about."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from assistant.intake.corrections import correct_record
from assistant.model.doubt import candidates, doubt_about
from assistant.model.reading import MailToRead, Reading
from assistant.store.tables import OutboxMessage, Project, Record, StaffNote, StageChange
from tests.offices import LILEI, MONDAY, Office, TaggedReader, command, mail, open_office, write_config
from tests.readers import NeighbourlyReader


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), NeighbourlyReader(), now=MONDAY + timedelta(days=3))


def talk(*tags: str, since: int = 0) -> list[bytes]:
    """A conversation, a mail each hour."""
    return [
        mail(
            f"#{tag} {place}",
            message_id=f"{place}@mingshan.example",
            at=MONDAY + timedelta(hours=place),
            answers=("0@mingshan.example",) if place else (),
        )
        for place, tag in enumerate(tags, since)
    ]


def stages(office: Office) -> list[str]:
    return [record.stage for record in office.records()]


def test_an_early_mistake_is_set_right_by_what_came_later_and_stays_on_record(office: Office) -> None:
    office.hear(*talk("proposal", "execution", "proposal"))
    assert stages(office) == ["proposal", "proposal", "proposal"]
    second = office.records()[1]
    assert (second.stage_confidence, second.stage_probabilities[0][0]) == (0.85, "execution")
    with office.session() as session:
        assert [step.to_stage for step in session.scalars(select(StageChange))] == ["proposal"]
    shown = json.loads(command(office.config_file, "message", "show", str(second.id), "--json").out)
    assert shown["first_read_as"][0] == "execution"


@pytest.mark.parametrize("sizes", [(4,), (1, 1, 1, 1), (2, 2), (3, 1)])
def test_it_makes_no_difference_in_how_many_goes_the_mail_came(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    office = open_office(write_config(tmp_path), NeighbourlyReader(), now=MONDAY + timedelta(days=3))
    mails = talk("proposal", "execution", "proposal", "agreement")
    for size in sizes:
        office.hear(*(mails.pop(0) for _ in range(size)))
    assert stages(office) == ["proposal", "proposal", "proposal", "agreement"]


def test_what_a_person_said_is_never_overruled(office: Office) -> None:
    office.hear(*talk("proposal", "execution"))
    with office.session() as session:
        record = session.scalar(select(Record).where(Record.message_id == "1@mingshan.example"))
        assert record is not None
        correct_record(session, record, "stage", "execution", LILEI, office.clock.now())
    office.hear(*talk("proposal", since=2))
    assert stages(office) == ["proposal", "execution", "proposal"]


def test_nobody_is_written_to_because_an_old_label_changed(office: Office) -> None:
    office.hear(*talk("proposal", "closing"))

    def outgoing() -> tuple[int | None, int | None]:
        with office.session() as session:
            return (
                session.scalar(select(func.count()).select_from(OutboxMessage)),
                session.scalar(select(func.count()).select_from(StaffNote)),
            )

    before = outgoing()
    office.keep(*talk("proposal", since=2))
    office.workplace.intake._after_record = None  # what the new mail itself sets off is another matter
    office.workplace.intake.run()
    assert stages(office) == ["proposal", "proposal", "proposal"]
    assert outgoing() == before


# --- doubt ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "unusual", "doubt"),
    [
        (0.8, False, ""),
        (0.9, True, "asked"),
        (0.79, False, "marked"),
        (0.5, False, "marked"),
        (0.49, False, "asked"),
        (0.6, True, "asked"),
    ],
)
def test_sure_is_applied_less_sure_is_marked_and_the_rest_is_asked(
    confidence: float, unusual: bool, doubt: str
) -> None:
    assert doubt_about(confidence, unusual_step=unusual) == doubt


def test_asked_are_what_is_believed_now_and_the_likeliest_other() -> None:
    first = [["execution", 0.6], ["closing", 0.3], ["proposal", 0.1]]
    assert candidates("proposal", 0.7, first) == (("proposal", 0.7), ("execution", 0.6))
    assert candidates("proposal", 0.7, []) == (("proposal", 0.7),)


class UnsureReader(TaggedReader):
    """As sure as the text says: `@45`."""

    def read(self, mail: MailToRead, prepared: object | None = None) -> Reading:
        from dataclasses import replace

        found = super().read(mail, prepared)
        sure = int(mail.text.rpartition("@")[2].strip() or 90) / 100
        other = "closing" if found.stage != "closing" else "execution"
        return replace(
            found, stage_confidence=sure, stage_probabilities=((found.stage, sure), (other, round(1 - sure, 2)))
        )


def test_a_listing_shows_what_was_applied_marked_and_asked(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), UnsureReader(), now=MONDAY + timedelta(days=3))
    texts = ("#discovery @95", "#proposal @70", "#agreement @45", "#discovery @90")
    office.hear(
        *(
            mail(text, message_id=f"{place}@mingshan.example", at=MONDAY + timedelta(hours=place))
            for place, text in enumerate(texts)
        )
    )
    rows = [json.loads(line) for line in command(office.config_file, "records", "--json").out.splitlines()]
    # The third was too unsure to move the project; the fourth goes back from the second, however sure.
    assert [row["stage_doubt"] for row in rows] == ["", "marked", "asked", "asked"]
    assert rows[2]["stage_candidates"] == [["agreement", 0.45], ["closing", 0.55]]
    assert rows[1]["stage_candidates"] == []
    with office.session() as session:
        steps = [(step.to_stage, step.asked) for step in session.scalars(select(StageChange).order_by(StageChange.at))]
        assert steps == [("discovery", False), ("proposal", False), ("discovery", True)]
        assert session.scalar(select(Project.stage)) == "discovery"
