"""The details of a trace, in Chinese: decisions write them in English once, people read them in the agency's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_WHO: Final = {"client": "客户", "us": "我方", "nobody": "无人"}
_SCOPES: Final = {"thread": "此邮件串", "follow-ups": "跟进", "greetings": "问候", "all": "全部"}
_KEYS: Final = {
    "intent": "邮件意图",
    "value": "金额",
    "client": "客户",
    "tag": "标签",
    "country": "国家或地区",
    "language": "语言",
    "owner": "负责人",
    "relationship": "合作关系",
}
_EVENTS: Final = {
    "reply": "对方回复",
    "meeting": "约定会议",
    "staff-wrote": "同事去信",
    "hand-over": "交接",
    "stage-change": "阶段变化",
}
_REASONS: Final = {
    "absence": "休假",
    "complaint": "投诉",
    "project-paused": "项目暂停",
    "late": "过迟",
    "by-hand": "同事暂停",
    **_EVENTS,
    "bounce": "退信",
    "opt-out": "退订",
    "no-match": "条件不再符合",
    "not-waiting": "不再等待",
    "project-closed": "项目结束",
    "rule-removed": "规则删除",
}


def chinese_detail(detail: str, stage_name: Callable[[str], str] = str) -> str:
    """The same in Chinese; what is no sentence of ours (a subject, a name, a client's words) stays as it is."""
    if detail in _FIXED:
        return _FIXED[detail]
    if detail in _REASONS:
        return _REASONS[detail]
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(detail)
        if found is not None:
            return words(found, stage_name)
    return detail


def _nothing(text: str) -> str:
    return {"nothing": "无", "nobody": "无人"}.get(text, text)


_FIXED: Final = {
    "unless matches": "符合排除条件",
    "value is not known": "未填金额",
    "waits for a colleague's decision": "等同事决定",
    "goes on with the edited rule": "按修改后的规则继续",
    "has done all its steps": "步骤已全部完成",
    "all steps are done": "步骤已全部完成",
    "the message was too old when it was first read": "首次读到时邮件已过旧",
    "the project is over": "项目已结束",
    "the project is paused": "项目已暂停",
    "a complaint is open": "有投诉未解决",
    "nothing automatic is sent to this client": "不向该客户自动发信",
    "nothing automatic is sent": "不自动发信",
    "nothing leaves now": "此刻不发信",
    "the contact is no longer with this client": "联系人已不在该客户处",
    "the mail of an earlier step has not left yet": "上一步的邮件尚未发出",
}

_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Callable[[str], str]], str]], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"stage is (\S+)", lambda m, name: f"目前阶段：{name(m[1])}"),
        (r"stage is (.*)", lambda m, name: "目前阶段：" + "、".join(map(name, m[1].split(", ")))),
        (r"waiting_on is (\S+)", lambda m, _: f"目前在等{_WHO.get(m[1], m[1])}"),
        (r"waiting on (\S+)", lambda m, _: f"目前在等{_WHO.get(m[1], m[1])}"),
        (rf"({'|'.join(_KEYS)}) is (.*)", lambda m, _: f"{_KEYS[m[1]]}：{_nothing(m[2])}"),
        (r"step (\d+)", lambda m, _: f"第 {m[1]} 步"),
        (r"step (\d+): (\S+)", lambda m, _: f"第 {m[1]} 步：{m[2]}"),
        (r"step (\d+) waits for the owner", lambda m, _: f"第 {m[1]} 步等负责人决定"),
        (r"after (\S+)", lambda m, _: f"此前因{_REASONS.get(m[1], m[1])}暂停"),
        (r"(\d+) mails were sent already", lambda m, _: f"已发 {m[1]} 封"),
        (r"the message is dated (\S+)", lambda m, _: f"邮件日期为 {m[1]}"),
        (r'no cadence is named "(.*)" any more', lambda m, _: f"已没有名为“{m[1]}”的节奏"),
        (r"in (\S+) since (.* UTC)", lambda m, name: f"{m[2]} 起处于{name(m[1])}"),
        (rf"({'|'.join(_EVENTS)}) at (.* UTC)", lambda m, _: f"{m[2]} {_EVENTS[m[1]]}"),
        (r"(.*) has left", lambda m, _: f"{m[1]} 已离职"),
        (r"(\S+) cannot be delivered to", lambda m, _: f"{m[1]} 无法投递"),
        (r"(.*) asked for no more \((\S+)\)", lambda m, _: f"{m[1]} 已退订（{_SCOPES.get(m[2], m[2])}）"),
        (r"(.*) asked for none", lambda m, _: f"{m[1]} 已退订"),
        (r"(.*) is away", lambda m, _: f"{m[1]} 不在"),
        (r'a newer message is waited on: "(.*)"', lambda m, _: f"等的是更新的邮件“{m[1]}”"),
        (r'an earlier message is waited on: "(.*)"', lambda m, _: f"等的是更早的邮件“{m[1]}”"),
        (r"(.*) greets (.*) for the same festival", lambda m, _: f"{m[1]} 已为同一节日问候 {m[2]}"),
        (r"(.*) gets another greeting today", lambda m, _: f"{m[1]} 今天另有问候"),
        (r"(\S+) was on (\S+)", lambda m, _: f"{m[1]} 已于 {m[2]} 过去"),
        (r"nothing leaves at (.* UTC)", lambda m, _: f"{m[1]} 不发信"),
        (r"a pitch was lost on (\S+)", lambda m, _: f"{m[1]} 落选"),
        (r"(.*) got a mail by (\S+) on (\S+)", lambda m, _: f"{m[1]} 于 {m[3]} 收过“{m[2]}”的邮件"),
        (r"(\S+) goes first on (\S+)", lambda m, _: f"“{m[1]}”于 {m[2]} 先发"),
    )
)
