"""A mail that carries an offer needs consent and says in its subject what it is; else it is kept as refused."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.outbox.consent import commercial_refusal
from assistant.store.tables import Client
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, mail, open_office, write_config

ROOT = Path(__file__).parent.parent.parent
NUDGE = Path("templates/followups/proposal-nudge-1")


@pytest.mark.parametrize(
    "subject", ["广告：春茶八折", "【广告】春茶", "(AD) Spring tea", "[AD] Spring tea", "AD Spring tea", "廣告 春茶"]
)
def test_a_marked_subject_with_consent_may_leave(subject: str) -> None:
    assert commercial_refusal(subject, ["vip", "Consent"]) == ""


@pytest.mark.parametrize("subject", ["春茶八折（广告）", "Re: AD Spring tea", "Adventure in spring", "ADVERT", ""])
def test_an_unmarked_subject_may_not(subject: str) -> None:
    assert commercial_refusal(subject, ["consent"]) == "not-marked-as-advertisement"


def test_without_consent_nothing_may() -> None:
    assert commercial_refusal("广告：春茶", ["vip"]) == "no-consent"


def ordered(folder: Path, *, consent: bool, subject: str) -> Office:
    """The proposal has waited three days, and the agency has made its nudge an offer."""
    shutil.copytree(ROOT / NUDGE, folder / NUDGE)
    (folder / NUDGE / "meta.toml").write_text('commercial = true\ntone = "short"\n', encoding="utf-8")
    for file in (folder / NUDGE).glob("subject.*"):
        file.write_text(subject, encoding="utf-8")
    office = open_office(write_config(folder))
    office.workplace.__dict__.pop("cadence", None)  # the shipped rules, but with the agency's templates
    office.hear(mail("请发一份方案。#discovery", message_id="ask@mingshan.example"))
    if consent:
        with office.session() as session:
            (client,) = session.scalars(select(Client))
            client.tags = ["consent"]
    office.clock.move_to(MONDAY + timedelta(hours=2))
    office.hear(
        mail(
            "方案请见附件。#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=MONDAY + timedelta(hours=1),
            answers=("ask@mingshan.example",),
        )
    )
    office.clock.move_to(MONDAY + timedelta(days=3, minutes=5))
    office.workplace.decide_due()
    return office


@pytest.mark.parametrize(
    ("consent", "subject", "outcome"),
    [
        (True, "广告：新茶推广方案", ("queued", "")),
        (False, "广告：新茶推广方案", ("refused", "no-consent")),
        (True, "新茶推广方案", ("refused", "not-marked-as-advertisement")),
    ],
)
def test_an_offer_is_ordered_or_kept_with_the_reason(
    tmp_path: Path, consent: bool, subject: str, outcome: tuple[str, str]
) -> None:
    (row,) = ordered(tmp_path, consent=consent, subject=subject).outbox()
    assert (row.state, row.reason) == outcome
