"""Reminders, digests and notices to colleagues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from assistant.rendering import Rendered, Templates
from assistant.reports import staff
from assistant.reports.facts import ReminderItem
from tests.reports import staff_mail
from tests.reports.golden import FOLDER, agree
from tests.reports.sample_files import TEMPLATES, VIEWS, sample_toml
from tests.reports.weeks import LANGUAGES, at

MAILS: dict[str, tuple[Callable[[str], Any], Callable[[Any, Templates], Rendered]]] = {
    "morning": (staff_mail.morning, staff.render_morning),
    "urgent": (staff_mail.urgent, staff.render_urgent),
    "veto-digest": (staff_mail.veto_digest, staff.render_veto_digest),
    "approval-request": (staff_mail.approval_request, staff.render_approval_request),
    "opt-out-notice": (staff_mail.opt_out, staff.render_opt_out_notice),
    "bounce-notice": (staff_mail.bounce, staff.render_bounce_notice),
    "operator-notice": (staff_mail.operator, staff.render_operator_notice),
    "operator-mailbox": (staff_mail.operator_mailbox, staff.render_operator_notice),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_reads_as_it_was_last_looked_at(templates: Templates, name: str, language: str) -> None:
    facts, render = MAILS[name]
    mail = render(facts(language), templates)
    assert mail.html is not None
    agree(f"Subject: {mail.subject}\n\n{mail.text}", FOLDER / f"{name}.{language}.txt")


@pytest.mark.parametrize("name", VIEWS)
def test_the_sample_data_beside_a_template_is_what_the_mail_is_given(name: str) -> None:
    agree(sample_toml(name), TEMPLATES / name / "sample.toml")


def test_a_morning_tells_first_what_there_is_to_do_and_the_gravest_of_it(templates: Templates) -> None:
    late = ReminderItem("escalation", "A", text="late")
    morning = replace(staff_mail.morning(), items=(*staff_mail.morning().items, late))
    view = staff.morning_view(morning)
    assert [section["name"] for section in view["sections"]] == ["act", "watch", "care"]
    assert view["sections"][0]["entries"][0]["kind"] == "escalation"


def test_every_kind_of_reminder_has_its_words_in_every_language(templates: Templates) -> None:
    kinds = [kind for section in staff.SECTIONS.values() for kind in section]
    items = tuple(
        ReminderItem(kind, "Fennick Oats", "Launch", "text", "Grace", date(2026, 3, 2), at(10), 3, "Proposal")
        for kind in kinds
    )
    for language in LANGUAGES:
        mail = staff.render_morning(replace(staff_mail.morning(language), items=items), templates)
        assert mail.text.count("Fennick Oats") == len(kinds)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_offered_only_where_answers_are_obeyed(templates: Templates, language: str) -> None:
    digest = staff_mail.veto_digest(language)
    offered = {"zh-Hans": "“停止 17”", "zh-Hant": "「停止 17」", "en": '"stop 17"'}[language]
    assert offered not in staff.render_veto_digest(digest, templates).text
    assert offered in staff.render_veto_digest(replace(digest, answers_obeyed=True), templates).text


def test_many_mails_in_a_digest_are_counted_and_stay_short(templates: Templates) -> None:
    digest = staff_mail.veto_digest("en")
    many = replace(digest, mails=tuple(replace(digest.mails[0], number=n, text="word " * 5000) for n in range(200)))
    mail = staff.render_veto_digest(many, templates)
    assert mail.html is not None
    assert len(mail.html.encode()) < 96_000
    assert "188 more" in mail.text


def test_what_a_client_wrote_is_escaped_in_notices(templates: Templates) -> None:
    said = '<a href="https://evil.example">stop</a>'
    mail = staff.render_opt_out_notice(replace(staff_mail.opt_out("en"), said=said), templates)
    assert mail.html is not None
    assert '<a href="https://evil' not in mail.html
    assert "&lt;a href=" in mail.html


def test_names_cannot_write_header_lines(templates: Templates) -> None:
    notice = replace(staff_mail.bounce("en"), contact_name="Tom\r\nBcc: all@evil.example", subject="x\ny")
    assert "\n" not in staff.render_bounce_notice(notice, templates).subject
    assert "\r" not in staff.render_bounce_notice(notice, templates).subject


def test_a_temporary_bounce_alarms_nobody(templates: Templates) -> None:
    notice = replace(staff_mail.bounce("en"), permanent=False, suppressed_until=None, status="4.2.2")
    text = staff.render_bounce_notice(notice, templates).text
    assert "not delivered for now" in text
    assert "temporary" in text
