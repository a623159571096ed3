"""Weekly summaries as mails: once for each reader and week, in their language, none for an empty week."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from assistant.errors import Problem
from assistant.rendering import Templates
from assistant.store.tables import Client, Contact, Project
from tests.reports.agency import HANMEI, LILEI, TOM, Agency, at, opened
from tests.reports.sample_files import TEMPLATES


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


def client_with_mail(agency: Agency, name: str = "青禾乳业", domain: str = "qinghe-dairy.example") -> Client:
    client = agency.client(name)
    contact = agency.contact(client, "林晓芸", f"linxy@{domain}")
    agency.mail(
        agency.project(client, "冬季新品上市"), contact, "03-03 10:00", "门店物料哪天到仓？", intents=["question"]
    )
    return client


def test_every_reader_gets_one_in_their_own_language(agency: Agency) -> None:
    agency.recipients = (HANMEI,)
    agency.office = agency.new_office()
    mails = agency.summaries(agency.wanted(client_with_mail(agency), to=(LILEI, TOM)))
    assert [(mail.to_address, mail.rendered.language) for mail in mails] == [
        (LILEI, "zh-Hans"),
        (TOM, "en"),
        (HANMEI, "zh-Hant"),
    ]
    assert all("门店物料哪天到仓？" in mail.rendered.text for mail in mails)


def test_whoever_is_named_twice_gets_one(agency: Agency) -> None:
    agency.recipients = (LILEI,)
    agency.office = agency.new_office()
    assert len(agency.summaries(agency.wanted(client_with_mail(agency)))) == 1


def test_what_was_queued_is_not_made_again(agency: Agency) -> None:
    wanted = agency.wanted(client_with_mail(agency))
    assert len(agency.queue(agency.summaries(wanted), "03-06 17:00")) == 1
    assert agency.summaries(wanted) == []
    agency.office = agency.new_office()
    assert agency.summaries(wanted) == []


def test_summaries_of_many_clients_that_are_there_already_cost_one_look(agency: Agency) -> None:
    wanted = [
        agency.wanted(client_with_mail(agency, f"客户{number}", f"client-{number}.example")) for number in range(30)
    ]
    agency.queue(agency.summaries(*wanted), "03-06 17:00")
    statements: list[str] = []
    event.listen(agency.session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert agency.summaries(*wanted) == []
    assert len(statements) == 1


def test_an_empty_week_is_left_out_and_not_collected_again(agency: Agency) -> None:
    client = agency.client("北辰家居")
    assert agency.summaries(agency.wanted(client)) == []
    statements: list[str] = []
    event.listen(agency.session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert agency.summaries(agency.wanted(client)) == []
    assert statements == []


def test_an_empty_week_is_told_where_the_rule_wants_it(agency: Agency) -> None:
    (mail,) = agency.summaries(agency.wanted(agency.client("北辰家居"), when_empty="short"))
    assert "北辰家居" in mail.rendered.subject


def test_it_is_due_when_the_rule_says_and_knows_its_rule(agency: Agency) -> None:
    client = client_with_mail(agency)
    (mail,) = agency.summaries(agency.wanted(client), now="03-06 17:05")
    assert (mail.purpose, mail.due_at, mail.rule, mail.client_id) == ("summary", at("03-06 17:00"), "weekly", client.id)


def test_mail_between_two_summaries_that_are_more_than_a_week_apart_is_not_lost(agency: Agency) -> None:
    client = client_with_mail(agency)
    agency.queue(agency.summaries(agency.wanted(client)), "03-06 17:00")
    period = agency.office.period(agency.session, client.id, at("03-20 17:00"))
    assert (period.start, period.end) == (at("03-13 17:00"), at("03-20 17:00"))
    project = agency.session.scalars(select(Project)).one()
    contact = agency.session.scalars(select(Contact)).one()
    agency.mail(project, contact, "03-09 10:00", "周一的信")
    period = agency.office.period(agency.session, client.id, at("03-20 17:00"))
    assert (period.start, period.end) == (at("03-06 17:00"), at("03-20 17:00"))


def test_a_broken_template_of_the_agency_falls_back_to_the_shipped_one(agency: Agency, tmp_path: Path) -> None:
    broken = tmp_path / "templates" / "summaries" / "weekly"
    broken.mkdir(parents=True)
    (broken / "text.j2").write_text("{{ nobody.knows }}", encoding="utf-8")
    agency.office = agency.new_office(Templates(tmp_path / "templates", TEMPLATES))
    (mail,) = agency.summaries(agency.wanted(client_with_mail(agency)))
    assert "门店物料哪天到仓？" in mail.rendered.text


def test_the_operator_is_told_of_broken_rules_with_every_place(agency: Agency) -> None:
    problems = [
        Problem("rules/followups.toml", 12, 13, "R012", "unknown template", "Did you mean …?"),
        Problem("rules/stages.toml", 3, 1, "R001", "unknown key"),
    ]
    mail = agency.office.operator_notice(problems, at("03-03 10:00"))
    assert mail is not None
    assert (mail.to_address, mail.purpose) == (LILEI, "notice")
    assert "rules/followups.toml:12:13" in mail.rendered.text
    assert "rules/stages.toml:3:1" in mail.rendered.text


def test_nothing_wrong_is_no_mail(agency: Agency) -> None:
    assert agency.office.operator_notice([], at("03-03 10:00")) is None
