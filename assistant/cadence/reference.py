"""`docs/rules.md`, written from the tables and codes, so that it cannot say anything else than what is checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from assistant.cadence.codes import CODES
from assistant.cadence.rulefile import Key, Table
from assistant.cadence.scenario_tables import AGENCY, CLIENT, EFFECT, EXPECT, GIVEN, PROJECT, TEST
from assistant.cadence.tables import CADENCE, CALENDAR, GREETING, MATCH, REMINDER, RESTRAINT, STAGE, STEP, SUMMARY
from assistant.calendar.festivals import FESTIVALS

HEAD: Final = """\
# Rule files · 规则文件

<!-- Written by `assistant rules reference`; do not edit. 由命令生成，请勿手改。 -->

What the agency edits to set its cadence: TOML files in `rules/`. Every file may hold any of the tables below.
公司用来设定节奏的文件：`rules/` 下的 TOML。每个文件可写下列任何表。

```
assistant rules check              every problem of all files at once · 一次列出全部问题
assistant rules test               run the *.test.toml · 运行测试
assistant rules explain PROJECT    why each rule fires or not · 逐条说明为何触发或不触发
assistant rules preview --days 14  what would be sent to whom when · 未来会发什么
assistant rules preview --rules DIR   and what an edited copy changes · 修改后的差别
assistant rules rehearse --from 2026-01-01 --to 2026-02-01   the rules over past mail · 用历史演练
assistant rules diff OLD [NEW]     what differs between two folders · 比较两套规则
assistant rules schema             JSON Schema for editors · 供编辑器使用
```

A file begins with `schema = 1`. The daemon takes changed files over as a whole, or keeps the last good set and tells the
operator. Runs that have begun keep the version they began with unless the rule says `apply = "running"`.
文件以 `schema = 1` 开头。守护进程整套接收修改；有错则沿用上一套并通知管理员。已开始的节奏沿用开始时的版本，除非写明 `apply = "running"`。

## How values are written · 值的写法

| what 类型 | like 例 |
| --- | --- |
| duration 时长 | `"3 business days"`, `"2 business hours"`, `"10 days"`, `"2 weeks"`, `"4h"`, `"30m"`, `"3个工作日"` |
| time of day 时刻 | `"09:30"` or `09:30:00` |
| span of time 时段 | `"20:00-08:30"` |
| release 放行 | `"now"`, `"veto 4h"`, `"approval"`, `"draft"` |
| comparison 比较 | `">= 100000"`, `"< 20万"`, `50000` (at least 至少) |
| date 日期 | `2027-02-05`, `"2027-02-05..2027-02-11"` |
| country 国家或地区 | `"CN"`, `"HK"`, `"US"` (ISO 3166) |
| one or several 单个或多个 | `"proposal"` or `["proposal", "agreement"]` |
| owner, role or address 负责人、角色或邮箱 | `"owner"`, `"account"`, `"lilei@lanhai-ad.example"` |

## When a step is due · 步骤何时到期

Business days are counted in the client's calendar from the local date of the anchor: 2026-02-12 plus 3 in mainland China
is 2026-02-24. The mail leaves at `at` of that day, or of the next day on which client and agency both work (`days =
"client"`: the client), never in the quiet hours. A step that went late moves the later ones by as much. One counted in
hours is due when they have passed, at the next moment at which mail may leave. Of a wall time that clocks skip, the time
as far after the gap is meant; of one that comes twice, the first.
工作日按客户日历、自锚点的当地日期起数：中国大陆 2026-02-12 加 3 为 2026-02-24。邮件在当天 `at` 发出；若非双方工作日（`days = "client"` 时仅看客户）则顺延；免打扰时段内不发。某步晚了，后面各步同样顺延。按小时计的步骤，时间一到，在下一个可发的时刻发出。

An out-of-office pauses until the day of return plus one business day. A complaint or a paused project silences until it
is resolved, plus one business day. What is later than `late` (downtime) asks the owner instead.
休假自动回复暂停至返岗日后一个工作日；投诉、暂停至解除后一个工作日；迟于 `late`（停机）的改为询问负责人。
"""


def reference() -> str:
    """The whole page as Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield HEAD
    for title, table in (
        ("`[[cadence]]`: follow-ups · 跟进", CADENCE),
        ("`[[cadence.step]]`", STEP),
        ("`when` and `unless` · 条件", MATCH),
        ("`[[greeting]]`: greetings · 问候", GREETING),
        ("`[[reminder]]`: reminders to staff · 提醒同事", REMINDER),
        ("`[[summary]]`: weekly summaries · 周报", SUMMARY),
        ("`[[stage]]`: the process · 流程", STAGE),
        ("`[restraint]`: what holds over all rules · 总体克制", RESTRAINT),
        ("`[[calendar]]`: days that are known better · 更准确的日历", CALENDAR),
    ):
        yield from _table(title, table)
    yield from _festivals()
    yield from _tests()
    yield from _codes()


def _table(title: str, table: Table) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{table.doc}\n{table.doc_zh}\n"
    yield "| key 键 | value 值 | meaning 含义 |"
    yield "| --- | --- | --- |"
    for key in table.keys:
        yield f"| `{key.name}`{' (needed 必需)' if key.required else ''} | {_value(key)} | {_meaning(key)} |"
    yield ""


def _value(key: Key) -> str:
    if isinstance(key.kind, Table):
        return f"[[{key.kind.title}]]" if key.array else "table 表"
    words = [key.kind.name]
    choices = key.kind.schema.get("enum")
    if choices and len(choices) > 3:
        words.append(", ".join(f"`{choice}`" for choice in choices))
    if key.default:
        words.append(f"default 默认 `{key.default}`")
    return "; ".join(words).replace("|", "\\|")


def _meaning(key: Key) -> str:
    example = f" `{key.name} = {key.example}`" if key.example else ""
    return f"{key.doc} {key.doc_zh}{example}".replace("|", "\\|").replace("\n", " ")


def _festivals() -> Iterator[str]:
    yield "## Festivals · 节日\n"
    yield "| id | 中文 | English | kept in 所在 |"
    yield "| --- | --- | --- | --- |"
    for festival in FESTIVALS.values():
        where = "everywhere 各地" if "*" in festival.countries else ", ".join(sorted(festival.countries))
        yield f"| `{festival.id}` | {festival.zh} | {festival.en} | {where} |"
    yield ""


def _tests() -> Iterator[str]:
    yield "## Tests · 测试 (`*.test.toml`)\n"
    yield EXAMPLE
    for title, table in (
        ("`[[test]]`", TEST),
        ("`client`", CLIENT),
        ("`agency`", AGENCY),
        ("`project`", PROJECT),
        ("`given`", GIVEN),
        ("`expect`", EXPECT),
        ("`effects`", EFFECT),
    ):
        yield from _table(f"Tests: {title}", table)


EXAMPLE: Final = """\
```toml
schema = 1

[[test]]
name   = "an answer ends the cadence"
start  = 2026-02-09T10:00:00+08:00
client = { country = "CN", language = "zh" }
given  = [{ at = "0d", sent = "proposal" }, { at = "1d", received = "我们看一下" }]
expect = [{ until = "20d", effects = [] }]

[[test]]
name   = "nobody answers"
start  = 2026-02-09T10:00:00+08:00
given  = [{ at = "0d", sent = "proposal" }]
expect = [{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", on = 2026-02-12, at = "10:00" }] }]
```
"""


def _codes() -> Iterator[str]:
    yield "## Codes · 错误代码\n"
    yield "An error keeps the whole set from being used; a warning does not. 错误使整套规则不被采用；警告不影响。"
    yield "`T…` codes are about templates. `T…` 为模板问题。\n"
    yield "| code 代码 | | meaning 含义 |"
    yield "| --- | --- | --- |"
    for code, meaning in CODES.items():
        kind = "warning 警告" if meaning.warning else "error 错误"
        yield f"| {code} | {kind} | {meaning.en} {meaning.zh} |"
