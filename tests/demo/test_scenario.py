"""The sample mailbox: enough of everything, composed the same on every run, and read back as it was written."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from assistant.calendar.business import Calendars, add_business_days
from assistant.demo.mail_programs import subject_answering
from assistant.demo.mime_writer import attachment, file_bytes, header_text
from assistant.demo.scenario import Scenario, ScenarioMessage, load_scenario
from assistant.mail.providers import FREE_MAIL_DOMAINS
from assistant.model.opt_out import read_opt_out
from assistant.model.people import Directory, relate
from parsers import Message, parse

MACHINES = {"out-of-office", "delivery-report", "newsletter", "invitation"}
ADDRESS = re.compile(rb"[A-Za-z0-9._+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
LONGEST_CLOSING = 20

FOLLOW_UPS = {
    "tea-04": ("CN", "Asia/Shanghai", 3),
    "expo-01": ("CN", "Asia/Shanghai", 3),
    "expo-11": ("CN", "Asia/Shanghai", 2),
    "biscuit-08": ("GB", "Europe/London", 3),
    "kids-01": ("CN", "Asia/Shanghai", 2),
    "gear-03": ("US", "America/New_York", 2),
    "spa-11": ("SG", "Asia/Singapore", 2),
    "inn-02": ("CN", "Asia/Shanghai", 3),
    "soap-04": ("TW", "Asia/Taipei", 3),
    "heron-03": ("CN", "Asia/Shanghai", 3),
    "lock-06": ("CN", "Asia/Shanghai", 3),
}
"""Where the client of a waited-on letter is, and after how many business days the shipped rules ask at ten o'clock."""


@cache
def the_scenario() -> Scenario:
    return load_scenario()


@cache
def by_id() -> dict[str, ScenarioMessage]:
    return {message.id: message for message in the_scenario().messages}


@cache
def parsed(name: str) -> Message:
    return parse(by_id()[name].raw)


def directory() -> Directory:
    scenario = the_scenario()
    return Directory(scenario.agency.domains, (), (scenario.agency.assistant,), authserv_id=scenario.agency.authserv_id)


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("\ufeff", "")


def test_there_is_enough_of_everything() -> None:
    scenario = the_scenario()
    assert len(scenario.messages) >= 110
    assert len({message.client for message in scenario.messages if message.client}) >= 9
    assert len({message.project for message in scenario.messages if message.project}) >= 13
    assert {parsed(message.id).language for message in scenario.messages} >= {"zh-Hans", "zh-Hant", "en"}
    programs = Counter(message.program for message in scenario.messages)
    assert len(set(programs) - MACHINES) >= 15
    assert set(programs) >= MACHINES


def test_messages_come_in_the_order_of_time_between_start_and_end() -> None:
    scenario = the_scenario()
    times = [message.at for message in scenario.messages]
    assert times == sorted(times)
    assert scenario.start <= times[0]
    assert times[-1] <= scenario.end
    assert len(by_id()) == len(scenario.messages)


def test_it_is_the_same_on_every_run() -> None:
    assert [message.raw for message in load_scenario().messages] == [message.raw for message in the_scenario().messages]


def test_every_message_reads_back_as_it_was_written() -> None:
    for message in the_scenario().messages:
        read = parsed(message.id)
        assert read.message_id == message.message_id, message.id
        assert read.date == message.at, message.id
        assert not read.defects, (message.id, read.defects)
        if message.program in MACHINES or read.subject_is_forward:
            continue
        assert read.kind == "human", (message.id, read.evidence)
        words, reply = squeezed(message.text), squeezed(read.reply)
        # What a person types under a letter, "Best, Eleanor", may be read as part of the signature; nothing else may.
        assert words.startswith(reply), (message.id, read.reply)
        assert len(words) - len(reply) <= LONGEST_CLOSING, (message.id, words[len(reply) :])
        assert squeezed(read.reply + read.signature).startswith(words), message.id


def test_answers_refer_to_the_whole_thread_before_them() -> None:
    last = parsed("tea-12")
    assert last.in_reply_to == by_id()["tea-11"].message_id
    assert last.references[0] == by_id()["tea-01"].message_id
    assert last.references[-1] == by_id()["tea-11"].message_id


def test_nobody_in_it_is_real() -> None:
    for message in the_scenario().messages:
        everything = message.raw.replace(b"=\r\n", b"") + parsed(message.id).text.encode()
        for domain in {found.decode().lower() for found in ADDRESS.findall(everything)}:
            real = domain == "mail.gmail.com" or domain in FREE_MAIL_DOMAINS
            assert domain.endswith(".example") or real, (message.id, domain)


def test_direction_follows_from_the_addresses() -> None:
    for message in the_scenario().messages:
        relation = relate(parsed(message.id), directory())
        if message.program == "delivery-report":
            assert relation.direction == "internal"
        elif relation.forwarded:
            assert relation.direction == "inbound"
        else:
            assert relation.direction == ("outbound" if message.from_staff else "inbound"), message.id
            assert relation.trust == "pass"


def test_a_colleague_forwards_what_a_client_wrote_to_him_alone() -> None:
    relation = relate(parsed("school-05"), directory())
    assert relation.forwarded
    assert relation.counterpart is not None
    assert relation.counterpart.addr_spec == "luolan@qiming-kids.example"
    forwarded = parsed("school-05").forwarded
    assert forwarded is not None
    assert "1,800 人" in forwarded.text


def test_the_assistant_may_be_in_bcc_where_no_header_shows_it() -> None:
    read = parsed("kids-05")
    assert "assistant@lanhai-ad.example" not in {person.addr_spec for person in (*read.to, *read.cc)}
    assert read.delivered_to == ("assistant@lanhai-ad.example",)


@pytest.mark.parametrize(("name", "until"), [("tea-09", date(2026, 2, 27)), ("biscuit-03", date(2026, 2, 9))])
def test_out_of_office_answers_say_when_they_end(name: str, until: date) -> None:
    assert parsed(name).kind == "auto_reply"
    assert parsed(name).absent_until == until


def test_the_delivery_report_names_who_is_gone_and_which_mail() -> None:
    report = parsed("expo-04")
    assert report.kind == "bounce"
    assert [(failed.addr_spec, failed.permanent) for failed in report.bounced] == [
        ("qianh@beichen-damper.example", True)
    ]
    assert report.bounced_message_id == by_id()["expo-03"].message_id


def test_machines_and_strangers_are_among_it() -> None:
    assert parsed("stray-01").kind in {"list", "notification"}
    invitation = parsed("spa-08").invitation
    assert invitation is not None
    assert invitation.method == "REQUEST"
    assert invitation.starts_at == datetime.fromisoformat("2026-02-25T10:00:00+08:00")


def test_somebody_asks_to_be_left_alone() -> None:
    assert read_opt_out(parsed("inn-05").reply) == ("follow-ups", "停止提醒")


def test_old_charsets_are_written_as_old_programs_label_them() -> None:
    labels = {label for message in the_scenario().messages for label in re.findall(rb'charset="([\w-]+)"', message.raw)}
    assert labels >= {b"gb2312", b"GBK", b"gb18030", b"big5", b"utf-8"}


def test_file_names_come_in_both_ways_and_are_read_alike() -> None:
    assert b"filename*=UTF-8''" in by_id()["box-01"].raw
    assert b"filename*0*=UTF-8''" in part_with_a_long_name("礼盒包装改版打样确认与大货排期说明-第三次修订.pdf")
    long = "北辰采购意见-上海零部件展参展服务合同条款逐条修改说明及付款节点对照表.xlsx"
    assert [file.filename for file in parsed("expo-02").attachments] == [long]


def part_with_a_long_name(name: str) -> bytes:
    """One part with a long file name as Apple's and Mozilla's programs write it, read back by the parser."""
    headers, body = attachment(name, "utf-8", "rfc2231")
    raw = "".join(f"{key}: {value}\r\n" for key, value in headers).encode() + b"\r\n" + body
    assert [file.filename for file in parse(raw).attachments] == [name]
    return raw


@pytest.mark.parametrize("name", ["a.pdf", "a.xlsx", "a.docx", "a.zip", "a.png", "a.jpg", "a.txt"])
def test_attachments_are_small(name: str) -> None:
    assert 0 < len(file_bytes(name)) < 2048


def test_encoded_words_stay_within_their_length() -> None:
    for charset in ("utf-8", "gb2312", "big5"):
        for word in header_text("賀年推廣最後一批物料" * 6, charset).split("\r\n "):
            assert len(word) <= 75


def test_a_foreign_prefix_stays_and_the_own_one_is_not_repeated() -> None:
    assert subject_answering("报价单", "outlook-zh") == "答复: 报价单"
    assert subject_answering("答复: 报价单", "outlook-zh") == "答复: 报价单"
    assert subject_answering("答复: 报价单", "qq") == "回复：答复: 报价单"
    assert subject_answering("回复：答复: 报价单", "outlook-zh") == "答复: 回复：报价单"
    assert subject_answering("Re: quote", "outlook-en") == "RE: quote"
    assert subject_answering("报价单", "outlook-zh", forward=True) == "转发: 报价单"


@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_a_promised_follow_up_is_due_when_the_rules_say(name: str) -> None:
    country, zone, days = FOLLOW_UPS[name]
    sent = by_id()[name]
    day = add_business_days(Calendars().client(country, "", "", ()), sent.at.astimezone(ZoneInfo(zone)).date(), days)
    due = datetime.combine(day, time(10), ZoneInfo(zone))
    promised = min(highlight.at for highlight in the_scenario().highlights if highlight.of == name)
    assert promised == due


@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_nobody_of_that_client_answers_before_the_promised_follow_up(name: str) -> None:
    sent = by_id()[name]
    due = min(highlight.at for highlight in the_scenario().highlights if highlight.of == name)
    between = [
        message.id
        for message in the_scenario().messages
        if message.project == sent.project and sent.at < message.at <= due
    ]
    assert between == []


def test_one_answer_comes_an_hour_before_its_follow_up_would_leave() -> None:
    due = datetime.fromisoformat("2026-02-10T10:00:00+08:00")
    answer = by_id()["box-04"]
    assert timedelta() < due - answer.at <= timedelta(hours=1)


def test_highlights_speak_both_languages_of_messages_that_exist() -> None:
    for highlight in the_scenario().highlights:
        assert highlight.zh
        assert highlight.en.isascii() or "“" in highlight.en
        assert not highlight.of or highlight.of in by_id()


def test_the_quick_version_is_a_part_of_the_long_one() -> None:
    quick = load_scenario(quick=True)
    assert {message.raw for message in quick.messages} <= {message.raw for message in the_scenario().messages}
    assert len({message.client for message in quick.messages if message.client}) >= 3
    assert {highlight.kind for highlight in quick.highlights} >= {
        "follow-up",
        "cancelled",
        "greeting",
        "summary",
        "absence",
    }
    assert quick.start == the_scenario().start
    assert quick.end - quick.start <= timedelta(days=18)
