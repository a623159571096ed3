"""Every template that ships can be sent as it is, in every language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assistant.model.opt_out import read_opt_out
from assistant.rendering import ContactFacts, FestivalFacts, Templates, WaitedFacts
from assistant.rendering.check import MAX_HTML_BYTES, remote_resources
from tests.reports.sample_files import TEMPLATES
from tests.reports.weeks import LANGUAGES

STAGES = ("discovery", "proposal", "agreement", "execution", "closing")
OCCASIONS = [
    "new-year",
    "spring-festival",
    "lantern",
    "dragon-boat",
    "mid-autumn",
    "national-day",
    "christmas",
    "thanksgiving",
    "birthday",
    "anniversary",
]
FOLLOW_UPS = [f"followups/{stage}-nudge-{number}" for stage in STAGES for number in (1, 2)]
GREETINGS = [f"greetings/{occasion}" for occasion in OCCASIONS]
STAFF = [
    "reminders/morning",
    "reminders/urgent",
    "staff/approval-request",
    "staff/bounce-notice",
    "staff/operator-notice",
    "staff/opt-out-notice",
    "staff/veto-digest",
    "summaries/weekly",
]
EVERYTHING = sorted([*FOLLOW_UPS, "followups/relationship-checkin", *GREETINGS, *STAFF])
CALLED = {"zh-Hans": "停止提醒", "zh-Hant": "停止提醒", "en": "stop"}


def test_everything_that_the_process_needs_is_shipped(templates: Templates) -> None:
    assert list(templates.names()) == EVERYTHING


def test_nothing_is_wrong_with_what_is_shipped(templates: Templates) -> None:
    assert [str(problem) for problem in templates.check()] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERYTHING)
def test_a_mail_has_subject_text_and_html_in_its_own_language(templates: Templates, name: str, language: str) -> None:
    mail = templates.render(name, language, templates.sample(name, language))
    assert mail.language == language
    assert mail.subject
    assert mail.text.endswith("\n")
    assert mail.html is not None
    assert f'lang="{language}"' in mail.html
    assert not remote_resources(mail.html)
    assert len(mail.html.encode()) < MAX_HTML_BYTES
    for part in (mail.subject, mail.text, mail.html):
        assert not re.search(r"\{[{%#]|[%#}]\}|Undefined|None\b|\{\w+\}(?!\s*[;}])", part.split("</style>")[-1])


@pytest.mark.parametrize("name", EVERYTHING)
def test_styles_are_inlined_and_whole(templates: Templates, name: str) -> None:
    html = templates.render(name, "zh-Hans", templates.sample(name, "zh-Hans")).html or ""
    assert "font-family" in html.split("</head>")[1]
    sheets = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
    assert "&" not in sheets, "an escaped quote breaks every rule after it"
    assert sheets.count("{") == sheets.count("}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_a_follow_up_is_short_specific_and_easy_to_leave(templates: Templates, name: str, language: str) -> None:
    context = templates.sample(name, language)
    mail = templates.render(name, language, context)
    body, _, footer = mail.text.partition("\n-- \n")
    project, waited = context["project"], context["waited"]
    assert isinstance(waited, WaitedFacts)
    assert mail.subject == f"Re: {waited.subject}"
    for said in (getattr(project, "name", "?"), waited.subject, waited.what):
        assert said in body
    assert re.search(r"2月\d+日|\d+ Feb", body)
    assert len(body) < (400 if language != "en" else 900)
    assert CALLED[language] in footer
    assert "<table" not in (mail.html or ""), "a follow-up looks like a mail that a person wrote"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_a_follow_up_reads_well_when_little_is_known(templates: Templates, name: str, language: str) -> None:
    context = dict(templates.sample(name, language))
    contact, waited = context["contact"], context["waited"]
    assert isinstance(contact, ContactFacts)
    assert isinstance(waited, WaitedFacts)
    bare = replace(contact, name="", salutation="", given_name="", title="")
    mail = templates.render(name, language, {**context, "contact": bare, "waited": replace(waited, what="")})
    assert mail.text.startswith(("您好", "Hello,"))
    assert not re.search(r"[，：。、]{2}|（）|\(\)| [,.]|^ |[^\d] {2}", mail.text, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GREETINGS)
def test_a_greeting_fits_the_day_itself_and_the_days_before(templates: Templates, name: str, language: str) -> None:
    context = templates.sample(name, language)
    festival = context["festival"]
    assert isinstance(festival, FestivalFacts)
    for days_before in (0, 3):
        mail = templates.render(name, language, {**context, "today": festival.date - timedelta(days=days_before)})
        assert not re.search(r"¥|打折|折扣|优惠|優惠|discount|special offer|% off", mail.text), (
            "a greeting offers nothing"
        )
        if days_before:
            assert not re.search("(?<!快)到了", mail.text)
            assert "今天是" not in mail.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ways_out_that_mails_name_are_understood(templates: Templates, language: str) -> None:
    quoted = re.compile(r'[“「"]([^”」"]+)[”」"]')
    for name, scope in (("followups/proposal-nudge-1", "follow-ups"), ("greetings/mid-autumn", "greetings")):
        text = templates.render(name, language, templates.sample(name, language)).text
        way_out = quoted.findall(text.partition("\n-- \n")[2])[-1]
        understood = read_opt_out(way_out)
        assert understood is not None
        assert understood[0] == scope


def test_traditional_chinese_is_not_simplified_chinese_in_disguise(templates: Templates) -> None:
    simplified_only = set(
        "们这问个为开关时间说请对应发给吗与从业东专两严丰临举义乌乐习书买争亚产亲亿仅仓仪价众优会传伤伦伟"
    )
    for name in EVERYTHING:
        mail = templates.render(name, "zh-Hant", templates.sample(name, "zh-Hant"))
        assert not simplified_only & set(mail.subject + mail.text), name


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("words.zh-Hans.toml")), ids=lambda f: f.parent.name)
def test_words_say_the_same_in_every_language(file: Any) -> None:
    first, *others = (
        _shape(tomllib.loads(file.with_name(f"words.{language}.toml").read_text(encoding="utf-8")))
        for language in LANGUAGES
    )
    for other in others:
        assert other.keys() == first.keys()
        for key in first:
            assert other[key] <= first[key] | {"day", "weekday", "month", "number"}, key


def _shape(table: Mapping[str, Any], path: str = "") -> dict[str, set[str]]:
    """Each phrase by its path, and the names that it fills in."""
    found: dict[str, set[str]] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _shape(value, f"{path}{key}.")
        else:
            found[path + key] = set(re.findall(r"\{(\w+)\}", str(value)))
    return found


def test_no_shipped_mail_is_commercial(templates: Templates) -> None:
    assert not [name for name in templates.names() if templates.meta(name).commercial]


def test_follow_ups_come_in_two_tones(templates: Templates) -> None:
    assert {templates.meta(name).tone for name in FOLLOW_UPS} == {"light", "direct"}
