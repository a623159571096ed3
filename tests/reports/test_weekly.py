"""The weekly summary: everything in it, nothing that harms, never too long."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.rendering import Templates
from assistant.rendering.check import remote_resources
from assistant.reports.facts import Happening, MessageLink, OpenQuestion, WeeklySummary
from assistant.reports.weekly import MAX_HTML_BYTES, render_weekly
from assistant.reports.weekly_view import weekly_view
from tests.reports import weeks
from tests.reports.golden import FOLDER, agree
from tests.reports.sample_files import TEMPLATES
from tests.reports.weeks import LANGUAGES

HOSTILE = (
    '<script>alert(1)</script><img src="https://evil.example/x.png">{{ 7 * 7 }}\u202egnp.exe\r\nBcc: x@evil.example'
)
SHIPPED = Templates(TEMPLATES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_week_reads_as_it_was_last_looked_at(language: str) -> None:
    mail = render_weekly(weeks.full_week(language), SHIPPED)
    agree(f"Subject: {mail.subject}\n\n{mail.text}", FOLDER / f"weekly-full.{language}.txt")


def test_the_html_of_a_full_week_is_as_it_was_last_looked_at() -> None:
    agree(render_weekly(weeks.full_week("zh-Hans"), SHIPPED).html or "", FOLDER / "weekly-full.zh-Hans.html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_week_says_so_in_a_sentence(language: str) -> None:
    mail = render_weekly(weeks.empty_week(language), SHIPPED)
    agree(f"Subject: {mail.subject}\n\n{mail.text}", FOLDER / f"weekly-empty.{language}.txt")
    assert mail.html is not None
    assert "<h2" not in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("times", [1, 10, 60])
def test_a_huge_week_stays_under_what_mail_programs_clip(language: str, times: int) -> None:
    mail = render_weekly(weeks.huge_week(language, times), SHIPPED)
    assert mail.html is not None
    assert len(mail.html.encode()) <= MAX_HTML_BYTES
    assert len(mail.text.encode()) < 40_000


def test_a_huge_week_of_the_longest_characters_stays_under_it_too() -> None:
    # A quotation mark is one character to us and five bytes in html; a rare Han character is four bytes.
    for filler in ('"', "&", "𠮷"):
        week = _with_text(weeks.huge_week("zh-Hans", 30), filler * 500)
        mail = render_weekly(week, SHIPPED)
        assert mail.html is not None
        assert len(mail.html.encode()) <= MAX_HTML_BYTES


def test_what_is_left_out_is_counted() -> None:
    week = weeks.huge_week("en", 10)
    view = weekly_view(week)
    assert len(view["happened"]) + view["happened_more"] == len(week.happened)
    assert len(view["projects"]) + len(view["projects_brief"]) + view["projects_more"] == len(week.projects)
    assert len(view["unsure"]) + view["unsure_more"] == len(week.unsure)


def test_what_needs_us_comes_first_and_the_gravest_on_top() -> None:
    kinds = [row["kind"] for row in weekly_view(weeks.full_week())["attention"]]
    assert kinds == ["problem", "overdue", "waiting_us"]


def test_a_question_that_the_project_waits_for_is_told_once() -> None:
    launch = weekly_view(weeks.full_week())["projects"][0]
    assert launch["waiting_for"] == weeks.ZH_HANS.date_question
    assert launch["questions"] == []


def test_links_go_to_messages_by_their_id() -> None:
    html = render_weekly(weeks.full_week(), SHIPPED).html or ""
    targets = set(re.findall(r'href="([^"]*)"', html))
    assert "mid:20260302.7@qinghe-dairy.example" in targets
    assert all(target.startswith("mid:") for target in targets)


def test_a_project_over_its_target_is_seen_without_reading() -> None:
    view = weekly_view(weeks.full_week())
    assert [project["pace"] for project in view["projects"]] == ["on_time", "on_time", "late"]
    assert [cell["tone"] for cell in view["projects"][2]["cells"]] == ["normal", "buffer", "over"]


def test_slower_than_promised_is_marked() -> None:
    rows = weekly_view(weeks.full_week())["responses"]["rows"]
    assert [bar["late"] for row in rows for bar in row["bars"]] == [False, False, False, False, True, False]


def test_what_clients_write_is_shown_and_never_obeyed() -> None:
    mail = render_weekly(_with_text(weeks.full_week("en"), HOSTILE), SHIPPED)
    assert mail.html is not None
    assert "<script" not in mail.html
    assert "<img" not in mail.html
    assert not remote_resources(mail.html)
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7 * 7 }}" in mail.text
    for part in (mail.subject, mail.text, mail.html):
        assert "\u202e" not in part
    assert "\n" not in mail.subject
    assert not re.search(r"^Bcc:", mail.text, re.MULTILINE)


class _Balance(HTMLParser):
    """Counts what is opened and never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_is_closed(language: str) -> None:
    for week in (weeks.full_week, weeks.empty_week, weeks.huge_week, weeks.week_with_long_names):
        balance = _Balance()
        balance.feed(render_weekly(week(language), SHIPPED).html or "")
        assert (balance.open, balance.wrong) == ([], [])


@settings(max_examples=25)
@given(text=st.text(max_size=300), language=st.sampled_from(LANGUAGES))
def test_any_text_at_all_gives_a_whole_mail(text: str, language: str) -> None:
    mail = render_weekly(_with_text(weeks.full_week(language), text), SHIPPED)
    assert mail.html is not None
    balance = _Balance()
    balance.feed(mail.html)
    assert (balance.open, balance.wrong) == ([], [])
    assert len(mail.html.encode()) <= MAX_HTML_BYTES
    assert not re.search(r"[\x00-\x1f\x7f]", mail.subject)
    assert "None" not in mail.text.replace(text, "")


def _with_text(week: WeeklySummary, text: str) -> WeeklySummary:
    """The same week where every text that a client may have written is `text`."""
    link = MessageLink(f"{text}@x.example", text)
    question = OpenQuestion(text, "client", text, weeks.MONDAY, 2, f"{text}@x.example")
    projects = tuple(
        replace(
            project,
            name=text,
            waiting_who=text,
            waiting_for=f"{text} ",
            waiting_message=link,
            open_questions=(question,) * max(len(project.open_questions), 1),
            commitments=tuple(replace(promise, text=text, who=text) for promise in project.commitments),
            problems=tuple(replace(problem, text=text, owner=text) for problem in project.problems),
            next_steps=tuple(replace(step, what=text, to=text) for step in project.next_steps),
        )
        for project in week.projects
    )
    happened: tuple[Happening, ...] = tuple(
        replace(item, what=text, who=text, project=text, message_id=text) for item in week.happened
    )
    unsure = tuple(replace(label, message=link, who=text) for label in week.unsure)
    return replace(week, client=text or "?", projects=projects, happened=happened, unsure=unsure)
