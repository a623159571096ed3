"""Templates: which language, which folder, what they may do, and every mistake with its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import Problem, ProblemsFound
from assistant.rendering import (
    AgencyFacts,
    AssistantFacts,
    ClientFacts,
    ClientMail,
    ContactFacts,
    OwnerFacts,
    ProjectFacts,
    StepFacts,
    Templates,
    WaitedFacts,
)
from assistant.rendering.languages import choose, normalise
from assistant.rendering.templates import tidy_subject, tidy_text

LINE = "{{ contact.name }}: {{ project.name }}"
SAMPLE = """
today = 2026-02-24
[agency]
name = "Agency"
[assistant]
address = "assistant@agency.example"
[owner]
name = "Owner"
address = "owner@agency.example"
[contact]
name = "Grace"
address = "grace@client.example"
[client]
name = "Client"
[project]
name = "Launch"
stage = "proposal"
stage_name = "Proposal"
[waited]
subject = "Proposal"
sent_on = 2026-02-20
business_days = 2
[step]
number = 1
of = 2
[festival]
name = "New Year"
date = 2027-01-01
"""
Write = Callable[..., Templates]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files below templates/ and gives the templates; keys are paths, "mail/" stands for followups/mail/."""

    def written(**files: str) -> Templates:
        return write_folder(tmp_path / "templates", files)

    return written


def write_folder(folder: Path, files: dict[str, str]) -> Templates:
    """The templates of a folder filled with `files`, by their path; "__" stands for a dot and "___" for a slash."""
    for name, text in {"layout___sample__toml": SAMPLE, **files}.items():
        path = folder / name.replace("___", "/").replace("__", ".").replace("zh_", "zh-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Templates(folder)


def client_mail(**changed: object) -> dict[str, object]:
    """A whole context, as the outbox gives it."""
    mail = ClientMail(
        agency=AgencyFacts("Agency"),
        owner=OwnerFacts("Owner", "owner@agency.example"),
        contact=ContactFacts("Grace", "grace@client.example", "Grace"),
        client=ClientFacts("Client"),
        assistant=AssistantFacts("assistant@agency.example"),
        today=date(2026, 2, 24),
        project=ProjectFacts("Launch", "proposal", "Proposal"),
        waited=WaitedFacts("Proposal", date(2026, 2, 20), 2),
        step=StepFacts(1, 2),
    )
    return {**mail.context(), **changed}


def one_problem(templates: Templates) -> Problem:
    """The only problem there is."""
    problems = templates.check()
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_making_templates_reads_nothing_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path; from assistant.rendering import Templates; "
        "Templates(Path('/nowhere')); print([m for m in ('jinja2', 'css_inline', 'nh3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh_SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-MO", "zh-Hant"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("de", "de"),
        ("", ""),
    ],
)
def test_a_language_is_known_by_any_of_its_tags(tag: str, expected: str) -> None:
    assert normalise(tag) == expected


@pytest.mark.parametrize(
    ("wanted", "at_hand", "expected"),
    [
        ("zh-Hant", {"zh-Hans", "zh-Hant", "en"}, "zh-Hant"),
        ("zh-Hant", {"zh-Hans", "en"}, "zh-Hans"),
        ("zh-Hans", {"zh-Hant", "en"}, "zh-Hant"),
        ("zh-Hans", {"en"}, "en"),
        ("de", {"zh-Hans", "en"}, "en"),
        ("de", {"zh-Hans", "zh-Hant"}, "zh-Hans"),
        ("en", {"zh-Hans", "de"}, "zh-Hans"),
        ("fr", {"ja", "de"}, "de"),
        ("fr", set(), None),
    ],
)
def test_a_reader_gets_the_nearest_language(wanted: str, at_hand: set[str], expected: str | None) -> None:
    assert choose(wanted, at_hand, "zh") == expected


def test_all_parts_of_a_mail_come_in_one_language(write: Write) -> None:
    templates = write(
        followups___mail___subject__en__j2="English",
        followups___mail___text__en__j2="English",
        followups___mail___subject__zh_Hans__j2="中文",
    )
    mail = templates.render("followups/mail", "zh-Hans", client_mail())
    assert (mail.subject, mail.text, mail.language) == ("English", "English\n", "en")


def test_a_mail_without_an_html_part_is_plain_text(write: Write) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2="T")
    assert templates.render("followups/mail", "en", client_mail()).html is None
    assert templates.check() == []


def test_the_agency_changes_one_file_and_keeps_the_rest(tmp_path: Path) -> None:
    shipped = {"followups___mail___subject__en__j2": "shipped", "followups___mail___text__en__j2": "shipped"}
    write_folder(tmp_path / "shipped", shipped)
    write_folder(tmp_path / "own", {"followups___mail___subject__en__j2": "own"})
    templates = Templates(tmp_path / "own", tmp_path / "shipped")
    mail = templates.render("followups/mail", "en", client_mail())
    assert (mail.subject, mail.text) == ("own", "shipped\n")


def test_a_folder_that_does_not_exist_falls_back_whole(tmp_path: Path) -> None:
    shipped = {"followups___mail___subject__en__j2": "S", "followups___mail___text__en__j2": "T"}
    write_folder(tmp_path / "shipped", shipped)
    assert Templates(tmp_path / "nowhere", tmp_path / "shipped").names() == ("followups/mail",)


def test_html_is_escaped_and_text_is_not(write: Write) -> None:
    templates = write(
        followups___mail___subject__en__j2="{{ client.name }}",
        followups___mail___text__en__j2="{{ client.name }}",
        followups___mail___html__j2="<p>{{ client.name }}</p>{{ mail.body | paragraphs }}",
    )
    mail = templates.render("followups/mail", "en", client_mail(client=ClientFacts("<b>&</b>")))
    assert mail.subject == "<b>&</b>"
    assert mail.text == "<b>&</b>\n"
    assert mail.html is not None
    assert "<b>" not in mail.html


def test_what_clients_are_called_is_not_a_template(write: Write) -> None:
    templates = write(followups___mail___subject__en__j2=LINE, followups___mail___text__en__j2=LINE)
    mail = templates.render("followups/mail", "en", client_mail(project=ProjectFacts("{{ 7*7 }}", "proposal", "")))
    assert "{{ 7*7 }}" in mail.text


@pytest.mark.parametrize(
    "attack",
    [
        "{{ contact.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ contact.name.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ range(10000000) | list }}",
        "{{ words.clear() }}",
        "{% include '../../../../etc/passwd' %}",
    ],
)
def test_a_template_cannot_reach_the_machine(write: Write, attack: str) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2=attack)
    with pytest.raises(ProblemsFound):
        templates.render("followups/mail", "en", client_mail())


def test_facts_cannot_be_changed_by_a_template() -> None:
    with pytest.raises(FrozenInstanceError):
        ClientFacts("A").name = "B"  # type: ignore[misc]  # that this is refused is the point


def test_a_subject_is_one_line_whatever_it_is_made_of(write: Write) -> None:
    templates = write(followups___mail___subject__en__j2="{{ client.name }}", followups___mail___text__en__j2="T")
    hostile = "Launch\r\nBcc: all@evil.example\x00\u2028\u202egpj"
    mail = templates.render("followups/mail", "en", client_mail(client=ClientFacts(hostile)))
    assert mail.subject == "Launch Bcc: all@evil.example gpj"


@given(st.text())
def test_no_text_gets_a_second_line_into_a_subject(text: str) -> None:
    subject = tidy_subject(text)
    assert subject.splitlines() in ([], [subject])
    assert subject.isprintable() or not any(ord(character) < 32 for character in subject)
    assert len(subject) <= 180
    assert tidy_subject(subject) == subject


@given(st.text(alphabet="ab -\n\r\t"))
def test_tidying_a_text_twice_changes_nothing(text: str) -> None:
    tidy = tidy_text(text)
    assert tidy_text(tidy) == tidy
    assert "\n\n\n" not in tidy
    assert "\r" not in tidy


def test_an_unknown_template_is_named_with_the_nearest_one(write: Write) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2="T")
    with pytest.raises(ProblemsFound, match='Did you mean "followups/mail"'):
        templates.render("followups/mial", "en", client_mail())


def test_a_misspelt_name_is_found_with_line_column_and_what_was_meant(write: Write) -> None:
    text = "Hello,\n\nabout {{ project.nmae }}"
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2=text)
    problem = one_problem(templates)
    assert (problem.code, problem.line, problem.column) == ("T002", 3, 10)
    assert problem.file == "templates/followups/mail/text.en.j2"
    assert problem.hint == 'Did you mean "project.name"?'


def test_a_misspelt_name_is_found_in_a_branch_that_the_sample_does_not_take(write: Write) -> None:
    text = "{% if waited.business_days > 90 %}\n{{ contcat.name }}\n{% endif %}"
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2=text)
    problem = one_problem(templates)
    assert (problem.code, problem.line, problem.column, problem.hint) == ("T002", 2, 4, 'Did you mean "contact"?')


def test_every_problem_is_found_at_once(write: Write) -> None:
    templates = write(
        followups___one___subject__en__j2="{{ projct.name }}",
        followups___one___text__en__j2="{{ contact.nme }}\n{{ owner.nam }}",
        followups___two___subject__en__j2="{% if %}",
        followups___two___text__en__j2="T",
        followups___three___text__en__j2="T",
    )
    codes = [(problem.file.split("/")[2], problem.code, problem.line) for problem in templates.check()]
    assert codes == [
        ("one", "T002", 1),
        ("one", "T002", 1),
        ("one", "T002", 2),
        ("three", "T003", 0),
        ("two", "T001", 1),
    ]


def test_what_may_be_missing_is_no_problem(write: Write) -> None:
    text = "{% if nickname is defined %}{{ contact.name }}{% endif %}{{ nickname | default('') }}"
    templates = write(
        followups___mail___subject__en__j2="{% set x = 1 %}{{ x }}{% for y in [1] %}{{ loop.index }}{{ y }}{% endfor %}",
        followups___mail___text__en__j2=text,
    )
    assert templates.check() == []


def test_a_greeting_waits_for_nothing(write: Write) -> None:
    templates = write(
        greetings___mail___subject__en__j2="{{ festival.name }}", greetings___mail___text__en__j2="{{ waited.subject }}"
    )
    problem = one_problem(templates)
    assert (problem.code, problem.column) == ("T002", 4)
    assert '"waited"' in problem.message


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("{{ contact.name | shoren }}", 1, 'Did you mean "shorten"?'),
        ("a\n{% if contact.name %}", 2, ""),
        ("a\nb {{ contact.name", 2, ""),
        ("{% endfor %}", 1, ""),
    ],
)
def test_a_broken_template_is_placed(write: Write, text: str, line: int, hint: str) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2=text)
    problem = one_problem(templates)
    assert (problem.code, problem.line, problem.hint) == ("T001", line, hint)


def test_a_mistake_in_a_layout_is_placed_in_the_layout(write: Write) -> None:
    templates = write(
        layout___letter__en__j2="Hello\n{{ contact.nickname }}{% block body %}{% endblock %}",
        followups___mail___subject__en__j2="S",
        followups___mail___text__en__j2='{% extends "layout/letter.en.j2" %}{% block body %}x{% endblock %}',
    )
    problem = one_problem(templates)
    assert (problem.file, problem.line, problem.code) == ("templates/layout/letter.en.j2", 2, "T002")


def test_a_part_that_is_missing_is_named(write: Write) -> None:
    templates = write(followups___mail___subject__zh_Hans__j2="S")
    problem = one_problem(templates)
    assert (problem.code, problem.file) == ("T003", "templates/followups/mail/text.zh-Hans.j2")


@pytest.mark.parametrize(
    ("sample", "line", "column", "words"),
    [
        ("[project]\nnmae = 'x'", 2, 1, '"project" has no "nmae"'),
        ("[poject]\nname = 'x'", 1, 2, 'not given "poject"'),
        ("today = 'soon'", 1, 1, "must be a day"),
        ("[waited]\nsent_on = 'Monday'", 2, 1, '"waited.sent_on" must be a day'),
        ("[project\nname = 1", 1, 9, "not valid TOML"),
    ],
)
def test_bad_sample_data_is_placed(write: Write, sample: str, line: int, column: int, words: str) -> None:
    templates = write(
        followups___mail___subject__en__j2="S",
        followups___mail___text__en__j2="T",
        followups___mail___sample__toml=sample,
    )
    problem = one_problem(templates)
    assert (problem.code, problem.line, problem.column) == ("T004", line, column)
    assert words in problem.message


def test_mail_to_staff_needs_sample_data(write: Write) -> None:
    templates = write(staff___mail___subject__en__j2="S", staff___mail___text__en__j2="T")
    assert one_problem(templates).code == "T004"


def test_what_fails_only_when_rendered_is_found_too(write: Write) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2="a\n{{ 1 / 0 }}")
    problem = one_problem(templates)
    assert (problem.code, problem.line) == ("T005", 2)


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://x.example/a.png">',
        "<img src='//x.example/a.png'>",
        "<p style=\"background: url('https://x.example/a.png')\">x</p>",
        '<table background="http://x.example/a.png"></table>',
    ],
)
def test_what_would_be_fetched_is_found(write: Write, html: str) -> None:
    templates = write(
        followups___mail___subject__en__j2="S", followups___mail___text__en__j2="T", followups___mail___html__j2=html
    )
    assert one_problem(templates).code == "T006"


def test_html_that_is_clipped_is_warned_about(write: Write) -> None:
    templates = write(
        followups___mail___subject__en__j2="S",
        followups___mail___text__en__j2="T",
        followups___mail___html__j2="<p>{{ 'x' * 200000 }}</p>",
    )
    problem = one_problem(templates)
    assert (problem.code, problem.severity) == ("T007", "warning")


def test_a_file_in_another_charset_is_said_so(tmp_path: Path, write: Write) -> None:
    templates = write(followups___mail___subject__en__j2="S", followups___mail___text__en__j2="T")
    (tmp_path / "templates/followups/mail/text.en.j2").write_bytes("中文".encode("gbk"))
    problem = one_problem(templates)
    assert (problem.code, problem.message) == ("T001", "the file is not UTF-8")


def test_a_line_of_a_rule_file_is_rendered_and_checked(templates: Templates) -> None:
    line = "Call {{ contact.name }} about {{ project.name }}"
    assert templates.render_line(line, "en", client_mail()) == "Call Grace about Launch"
    assert templates.check_line(line) == []
    [wrong] = templates.check_line("Call {{ contact.nmae }}")
    assert (wrong.code, wrong.line, wrong.column, wrong.hint) == ("T002", 1, 9, 'Did you mean "contact.name"?')
    [broken] = templates.check_line("Call {{ contact.name")
    assert broken.code == "T001"
    with pytest.raises(ProblemsFound):
        templates.render_line("{{ nobody }}", "en", client_mail())


def test_a_key_of_a_table_wins_over_a_method_of_its_name(write: Write) -> None:
    templates = write(
        followups___mail___subject__en__j2="S",
        followups___mail___text__en__j2="{{ words.items }}",
        followups___mail___words__en__toml='items = "things"',
    )
    assert templates.render("followups/mail", "en", client_mail()).text == "things\n"


def test_meta_tells_what_is_commercial(write: Write) -> None:
    templates = write(
        greetings___mail___subject__en__j2="S",
        greetings___mail___text__en__j2="T",
        greetings___mail___meta__toml='commercial = true\ntone = "warm"',
    )
    assert templates.meta("greetings/mail").commercial
    assert not templates.meta("greetings/nothing").commercial


@settings(max_examples=40)
@given(st.text(alphabet="{}%#|.()[]'\" \nabcontact", max_size=60))
def test_any_template_at_all_is_checked_without_falling_over(source: str) -> None:
    problems = Templates(Path(__file__).parents[2] / "templates").check_line(source)
    assert all(problem.code in {"T001", "T002", "T005"} and problem.line >= 0 for problem in problems)
