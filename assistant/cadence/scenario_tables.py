"""The tables of `*.test.toml`, explained; read and documented like those of the rule files."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from assistant.cadence import rulefile as kinds
from assistant.cadence.rulefile import Key, Kind, Table, type_name
from assistant.cadence.values import Fault, read_duration
from assistant.model.cadence import OPT_OUT_SCOPES
from assistant.model.process import STAGES


def _moment(value: Any) -> Any:
    """A moment of a test: `"3d"`, `"3d 10:30"`, `"4h"`, `"2 business days"`, or a date and time."""
    if isinstance(value, (datetime, date)):
        return value
    if isinstance(value, str):
        words = value.split()
        if len(words) > 1 and ":" in words[-1]:
            kinds.TIME.read(words[-1])
            words = words[:-1]
        try:
            read_duration(" ".join(words))
        except Fault:
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                hint = 'Write it like "3d", "3d 10:30", "4h" or 2026-02-12T10:00:00+08:00.'
                raise Fault("R072", f'"{value}" is not a moment of a test', hint) from None
        return value
    raise Fault("R072", f"{type_name(value)} is not a moment of a test", 'Write it like "3d" or "3d 10:30".')


def _start(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    hint = "Write start = 2026-02-09T10:00:00+08:00, without quotes."
    raise Fault("R072", "start is not a date and time", hint)


def _date(value: Any, hint: str = "Write 2026-02-12.") -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Fault("R029", f"{value} is not a date", hint)


def _day_or_true(value: Any) -> Any:
    return value if isinstance(value, bool) else _date(value, "Write the date of return, or true when none is named.")


def _flag_or_text(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        return value
    raise Fault("R006", f"expected true or a text, not {type_name(value)}")


def _scope(value: Any) -> str:
    if value is True:
        return "all"
    if isinstance(value, str):
        value = {"this thread": "thread", "followups": "follow-ups"}.get(value, value)
    if isinstance(value, str) and value in OPT_OUT_SCOPES:
        return value
    raise Fault("R007", f'unknown scope "{value}"', "Known: " + ", ".join(OPT_OUT_SCOPES) + ".")


def _clock_or_moment(value: Any) -> Any:
    """A wall time, or a date and time."""
    return value if isinstance(value, datetime) else kinds.TIME.read(value)


def _shift(value: Any) -> Any:
    """`-2h` or `3h`."""
    if isinstance(value, str) and value.strip():
        read_duration(value.strip().lstrip("+-"))
        return value.strip()
    raise Fault("R016", f"{value} is not a shift of the clock", 'Write it like "-2h" or "3h".')


MOMENT: Final = Kind("moment", _moment, {"type": "string"})
START: Final = Kind("date and time", _start, {"type": "string", "format": "date-time"})
RETURN: Final = Kind("date or true", _day_or_true, {"type": ["string", "boolean"]})
TOLD: Final = Kind("true or text", _flag_or_text, {"type": ["string", "boolean"]})
SCOPE: Final = Kind("scope or true", _scope, {"type": ["string", "boolean"]})
DAY: Final = Kind("date", _date, {"type": "string", "format": "date"})
SHIFT: Final = Kind("shift", _shift, {"type": "string"})
COUNT: Final = Kind("whole number", kinds.read_count, {"type": "integer", "minimum": 0})
VALUE: Final = Kind("number", kinds.read_number, {"type": "number"})
WAITING: Final = Kind("client, us or nobody", kinds.WAITING.read, kinds.WAITING.schema)
LANGUAGE: Final = Kind("language", kinds.LANGUAGE.read, kinds.LANGUAGE.schema)
RELATIONSHIP: Final = Kind("prospect, active or past", kinds.RELATIONSHIP.read, kinds.RELATIONSHIP.schema)
CLOCK: Final = Kind("time of day, or date and time", _clock_or_moment, {"type": "string"})
DAYS: Final = kinds.DATES

CLIENT: Final = Table(
    "test.client",
    "The client of the test. It has one contact; other names in `by` and `to` become colleagues of theirs.",
    "测试中的客户，默认一位联系人；`by`、`to` 里出现的其他名字为其同事。",
    (
        Key("name", kinds.TEXT, "Name.", "名称。", default='"Client"'),
        Key("country", kinds.COUNTRY, "Country.", "国家或地区。", default='"CN"'),
        Key("subdivision", kinds.TEXT, "Subdivision of ISO 3166-2.", "省州代码。"),
        Key("timezone", kinds.TEXT, "Zone; without it the country's usual one.", "时区，默认按国家。"),
        Key("language", LANGUAGE, "Language.", "语言。", default='"zh-Hans"'),
        Key("tags", kinds.TEXTS, "Tags.", "标签。"),
        Key("relationship", RELATIONSHIP, "Where no project says it.", "没有项目时的关系。"),
        Key("closing_days", DAYS, "The client's own days off.", "客户自己的停工日。"),
        Key("birthday", DAY, "The contact's.", "联系人生日。"),
        Key("cooperation_since", DAY, "The contact's.", "合作起始日。"),
        Key("lost_pitch", DAY, "Day on which a pitch was lost.", "落选日期。"),
    ),
)

AGENCY: Final = Table(
    "test.agency",
    "The agency.",
    "公司。",
    (
        Key("country", kinds.COUNTRY, "Country.", "国家或地区。", default='"CN"'),
        Key("subdivision", kinds.TEXT, "Subdivision.", "省州代码。"),
        Key("timezone", kinds.TEXT, "Zone.", "时区。", default='"Asia/Shanghai"'),
    ),
)

PROJECT: Final = Table(
    "test.project",
    "What all projects of the test begin with.",
    "各项目的初始状态。",
    (
        Key("stage", kinds.STAGE, "Stage.", "阶段。", default='"proposal"'),
        Key("value", VALUE, "Worth.", "金额。"),
        Key("tags", kinds.TEXTS, "Tags.", "标签。"),
    ),
)

GIVEN: Final = Table(
    "test.given",
    "One thing that happens, at `at` after the start. Exactly one of the keys from `sent` to `clock`, with others beside it.",
    "某一时刻发生的一件事：自 `sent` 至 `clock` 中选一，其余为补充。",
    (
        Key("at", MOMENT, "When: after the start, or a date and time. `3d` is the same wall time three days later.", "何时：距开始多久，或具体时间。", required=True, example='"1d 15:00"'),
        Key("sent", kinds.TEXT, f"Staff write to the client. One of {', '.join(STAGES)} also puts the project into that stage.", "同事去信；写阶段名则项目进入该阶段。", example='"proposal"'),
        Key("received", kinds.TEXT, "Somebody at the client writes.", "客户来信。", example='"我们看一下"'),
        Key("absence", RETURN, "An out-of-office, with the day of return or true.", "休假自动回复：返岗日或 true。", example='"2026-03-01"'),
        Key("bounce", kinds.FLAG, "The contact's address bounces.", "退信。", example="true"),
        Key("complaint", TOLD, "A complaint is opened.", "投诉。", example="true"),
        Key("resolved", kinds.FLAG, "The complaint is resolved.", "投诉解决。", example="true"),
        Key("meeting", kinds.FLAG, "A meeting is agreed.", "约定会议。", example="true"),
        Key("opt_out", SCOPE, "The contact asks for no more.", "退订。", example='"follow-ups"'),
        Key("stage", kinds.STAGE, "The project moves to this stage.", "进入某阶段。", example='"agreement"'),
        Key("staff_wrote", kinds.FLAG, "Staff write in the meantime, and nothing new is waited for.", "同事自行去信，但不等待新的答复。", example="true"),
        Key("hand_over", kinds.FLAG, "The project or the contact is handed over.", "交接。", example="true"),
        Key("paused", kinds.FLAG, "Staff pause (true) or resume (false) the project.", "暂停（true）或恢复（false）项目。", example="true"),
        Key("edit", kinds.TEXT, "The rule files are edited: TOML whose rules replace those of the same name.", "修改规则：同名规则被替换。", example='"[[cadence]] …"'),
        Key("remove", kinds.TEXT, "The rule of this name is deleted.", "删除该名称的规则。", example='"proposal-unanswered"'),
        Key("down", kinds.DURATION, "The assistant is not running for this long.", "助手停机多久。", example='"3d"'),
        Key("clock", SHIFT, "The machine's clock jumps by this much.", "机器时钟跳变。", example='"-2h"'),
        Key("by", kinds.TEXT, "Who at the client: `contact`, or any other name for a colleague of theirs.", "客户方何人：`contact` 或其同事名。", default='"contact"', example='"colleague"'),
        Key("to", kinds.TEXT, "To whom at the client it is sent.", "发给客户方何人。", default='"contact"'),
        Key("thread", kinds.TEXT, "Any name; another name is another thread.", "会话名；不同名即不同会话。", example='"new"'),
        Key("project", kinds.TEXT, "Any name; another name is another project of the same client.", "项目名；不同名即同一客户的不同项目。", example='"B"'),
        Key("subject", kinds.TEXT, "The subject.", "主题。"),
        Key("intent", kinds.INTENT, "What the message is about.", "意图。"),
        Key("waiting_on", WAITING, "Who is waited on afterwards.", "此后等谁。"),
        Key("old", kinds.FLAG, "The message was older than the cut-off when it was first read.", "首次读取时已超出时限的旧邮件。"),
    ),
)  # fmt: skip

EFFECT: Final = Table(
    "test.expect.effects",
    "One thing that comes of the rules. Without `on` and `at` any time in the span will do.",
    "规则产生的一个结果；不写 `on`、`at` 则时段内任意时间均可。",
    (
        Key("send", kinds.TEXT, "A mail leaves: its template.", "发出邮件：模板名。"),
        Key("approval", kinds.TEXT, "A mail waits for approval.", "邮件待批准。"),
        Key("draft", kinds.TEXT, "A mail lies in the drafts.", "存为草稿。"),
        Key("task", kinds.TEXT, "A task, by a part of its words; `*` for any.", "待办（部分文字即可，`*` 任意）。"),
        Key("ask", kinds.TEXT, "The owner is asked whether this template shall still be sent; `*` for any.", "询问负责人是否仍发（模板名）。"),
        Key("remind", kinds.TEXT, "A colleague is reminded: of what.", "提醒同事：事由。"),
        Key("stop", kinds.TEXT, "A cadence ends: why.", "节奏终止：原因。"),
        Key("pause", kinds.TEXT, "A cadence pauses: why.", "节奏暂停：原因。"),
        Key("refuse", kinds.TEXT, "A mail that was ordered does not leave: why.", "已排定的邮件未发：原因。"),
        Key("on", DAY, "The client's local date.", "客户当地日期。"),
        Key("at", CLOCK, "The client's local time, or the whole moment.", "客户当地时间，或完整时间。"),
        Key("rule", kinds.TEXT, "By which rule.", "出自哪条规则。"),
        Key("step", COUNT, "Which step.", "第几步。"),
        Key("project", kinds.TEXT, "In which project.", "哪个项目。"),
        Key("to", kinds.TEXT, "To whom at the client.", "发给何人。"),
    ),
)  # fmt: skip

EXPECT: Final = Table(
    "test.expect",
    "What comes of the rules in a span of time: all of it, in order, or how many. `send`, `approval`, `draft`, `task` and `ask` always count; `remind`, `stop`, `pause` and `refuse` count where the test names one of that kind.",
    "某时段内规则产生的全部结果（按序），或数量。`send`、`approval`、`draft`、`task`、`ask` 总是计入；`remind`、`stop`、`pause`、`refuse` 仅当测试中出现同类时计入。",
    (
        Key("until", MOMENT, "End of the span.", "时段终点。", required=True, example='"20d"'),
        Key("from", MOMENT, "Begin of the span; without it the end of the one before, or the start.", "时段起点，默认接续上一段。"),
        Key("effects", EFFECT, "All effects in order.", "全部结果，按序。", array=True, may_be_empty=True),
        Key("count", COUNT, "Or: how many mails leave.", "或：发出几封邮件。"),
    ),
)  # fmt: skip

TEST: Final = Table(
    "test",
    "Travels in time through the same decisions that the daemon takes. The tests in `NAME.test.toml` look at the rules of `NAME.toml` alone, unless `rules` names other files.",
    "用与守护进程相同的决策在时间中旅行。`NAME.test.toml` 只看 `NAME.toml` 中的规则，除非用 `rules` 指定其他文件。",
    (
        Key("name", kinds.TEXT, "What is shown.", "名称。", required=True),
        Key("why", kinds.TEXT, "For colleagues.", "给同事看。"),
        Key("start", START, "The beginning, with zone.", "起点（带时区）。", required=True, example="2026-02-09T10:00:00+08:00"),
        Key("rules", kinds.TEXTS, "Files whose rules count, without ending; `*` for all.", "计入哪些规则文件，`*` 为全部。", example='["followups", "greetings"]'),
        Key("client", CLIENT, "The client.", "客户。"),
        Key("agency", AGENCY, "The agency.", "公司。"),
        Key("project", PROJECT, "The projects.", "项目。"),
        Key("given", GIVEN, "What happens.", "发生了什么。", array=True),
        Key("expect", EXPECT, "What comes of it.", "结果如何。", required=True, array=True),
    ),
)  # fmt: skip

TEST_FILE: Final = Table(
    "a test file",
    "TOML in UTF-8, named like the rule file with `.test.toml`.",
    "与规则文件同名，以 `.test.toml` 结尾。",
    (
        Key("test", TEST, "Tests.", "测试。", array=True),
        Key("schema", kinds.VERSION, "As in rule files.", "同规则文件。"),
    ),
)
GIVEN_WHAT: Final = tuple(key.name for key in GIVEN.keys[1:17])
EFFECT_WHAT: Final = tuple(key.name for key in EFFECT.keys[:9])
