"""Explain, preview, rehearse, compare: looking at rules before they do anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from assistant.cadence.diff import compare_rulebooks
from assistant.cadence.explain import SENTENCES, explain, sentence_of
from assistant.cadence.load import require_rulebook
from assistant.cadence.preview import compare, preview
from assistant.cadence.rehearse import rehearse
from assistant.cadence.rules import Rulebook
from assistant.model.cadence import Happening, Snapshot
from tests.cadence.worlds import CALENDARS, CLIENT, NUDGES, RULES, at, project, rules, with_contact

AMERICAN = replace(CLIENT, country="US", timezone="America/New_York", language="en")


def source() -> Snapshot:
    return Snapshot((project(),), (), (CLIENT,))


def test_explaining_names_every_rule_the_reason_and_the_next_time_in_both_zones() -> None:
    both = (
        NUDGES
        + '[[cadence]]\nname = "other"\nwhen = { stage = "closing" }\n[[cadence.step]]\nafter = "2 days"\nsend = "x"\n'
    )
    facts = project(client=AMERICAN)
    first, second = explain(facts, (), rules(both), CALENDARS, at("2026-03-09 10:05"))
    assert (first.rule, first.hit, first.reason) == ("nudges", True, "started")
    assert first.due_client == "2026-03-11 10:00 America/New_York"
    assert first.due_staff == "2026-03-11 22:00 Asia/Shanghai"
    assert (second.rule, second.hit, second.sentence) == ("other", False, "is not for this project")
    assert first.as_json()["due_at"] == first.due_at.isoformat() if first.due_at else False


def test_every_reason_has_words_in_both_languages() -> None:
    for reason in SENTENCES:
        assert sentence_of(reason, "en") != sentence_of(reason, "zh-Hans")
    assert sentence_of("stopped-reply", "en") == "was answered"
    assert sentence_of("ran-completed", "zh-Hant").startswith("已")


def test_a_preview_shows_all_that_is_due_in_time() -> None:
    lines = preview(source(), rules(), CALENDARS, at("2026-03-09 10:05"), days=14)
    assert [(line.local, line.what, line.to) for line in lines] == [
        ("2026-03-12 10:00", "followups/proposal-nudge-1", "wang@client.example"),
        ("2026-03-18 10:00", "followups/proposal-nudge-2", "wang@client.example"),
        ("2026-03-23 10:00", "Call 王芳 about 新品发布", "lilei@agency.example"),
    ]
    assert lines[0].as_json()["client"] == "云杉茶业"


def test_a_preview_shows_what_an_edit_changes() -> None:
    now = at("2026-03-09 10:05")
    before = preview(source(), rules(), CALENDARS, now)
    edited = rules(NUDGES.replace("3 business days", "4 business days").replace('task  = "Call', 'send  = "x" # "'))
    changes = compare(before, preview(source(), edited, CALENDARS, now))
    assert [(one.kind, (one.after or one.before).step) for one in changes if one.after or one.before] == [  # type: ignore[union-attr]  # just asked
        ("changed", 1),
        ("removed", 3),
        ("added", 3),
    ]
    assert compare(before, before) == []


def test_a_preview_leaves_no_trace_in_the_facts() -> None:
    here = source()
    first = preview(here, rules(), CALENDARS, at("2026-03-09 10:05"))
    assert preview(here, rules(), CALENDARS, at("2026-03-09 10:05")) == first


def test_a_preview_respects_who_must_not_be_written_to() -> None:
    facts = with_contact(project(), bouncing=True)
    assert preview(Snapshot((facts,), (), (facts.client,)), rules(), CALENDARS, at("2026-03-09 10:05")) == []


def history() -> tuple[Happening, ...]:
    start = at("2026-02-02 10:00")
    return (
        Happening(start, "sent", 5, 1, thread_id=1, contact_id=1, stage="proposal", waiting_on="client"),
        Happening(start + timedelta(days=4), "received", 5, 2, thread_id=1, contact_id=1),
        Happening(start + timedelta(days=4, hours=5), "automatic", 5, 3, thread_id=1, contact_id=1),
        Happening(start + timedelta(days=7), "sent", 5, 4, thread_id=1, contact_id=1, waiting_on="client"),
        Happening(start + timedelta(days=8), "received", 5, 5, thread_id=2, contact_id=1),
    )


def test_a_rehearsal_says_what_would_have_left_and_what_stopped_the_rest() -> None:
    known = replace(source(), happenings=history())
    found = rehearse(known, rules(), CALENDARS, at("2026-02-01 00:00"), at("2026-03-01 00:00"))
    assert [(line.local, line.what) for line in found.sent] == [("2026-02-05 10:00", "followups/proposal-nudge-1")]
    assert found.reasons() == {"reply": 2}
    assert found.happenings == 5


def test_a_difference_is_named_by_rule_and_key() -> None:
    edited = NUDGES.replace("3 business days", "4 business days").replace('name = "nudges"', 'name = "nudges"\ncap = 2')
    assert [str(change) for change in compare_rulebooks(rules(), rules(edited))] == [
        "~ cadence nudges: step 1 after: 3 business days → 4 business days",
        "~ cadence nudges: cap: 3 → 2",
    ]
    renamed = rules(NUDGES.replace('"nudges"', '"others"'))
    assert [str(change) for change in compare_rulebooks(rules(), renamed)] == ["- cadence nudges", "+ cadence others"]
    assert compare_rulebooks(rules(), rules()) == []


def test_every_kind_of_rule_can_differ() -> None:
    kinds = {change.what for change in compare_rulebooks(require_rulebook(RULES), Rulebook())}
    assert kinds >= {"cadence", "greeting", "reminder", "summary", "stage"}
