"""Why a cadence fires for a project or not, and when its next step is due, in the client's zone and the staff's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from assistant.cadence.decide import decide
from assistant.cadence.details import chinese_detail
from assistant.cadence.greetings import decide_greetings
from assistant.cadence.matching import contact_of, owner_of, zone_of
from assistant.cadence.rules import Rulebook
from assistant.calendar.business import Calendars
from assistant.model.cadence import CadenceRun, ProjectFacts, TraceEntry

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "started": ("starts now", "现在开始"),
    "waiting": ("is running and waits for its next step", "进行中，等待下一步"),
    "send": ("sends now", "现在发送"),
    "task": ("sets a task now", "现在建立待办"),
    "due": ("is due now", "现在到期"),
    "completed": ("has done all its steps", "已完成全部步骤"),
    "resumed": ("goes on after a pause", "暂停后继续"),
    "rule-edited": ("goes on with the edited rule", "按修改后的规则继续"),
    "no-match": ("is not for this project", "不适用于本项目"),
    "not-waiting": ("has nothing to wait for", "当前没有在等客户"),
    "before-cut-off": ("does not start on old mail", "旧邮件不触发"),
    "late": ("is too late to be sent unasked; the owner decides", "已过迟，等负责人决定"),
    "restraint": ("gives way: one automatic mail per person at a time", "让位：同一人一段时间只收一封"),
    "quiet-hours": ("waits for the end of the quiet hours", "免打扰时段，稍后"),
    "holiday": ("waits for the end of the client's holiday", "客户放假，节后再发"),
    "day-off": ("waits for the client's next working day", "客户非工作日，顺延"),
    "agency-day-off": ("waits for a day on which both work", "本公司非工作日，顺延"),
    "cap": ("has sent as many mails as its cap allows", "已达上限"),
    "reply": ("was answered", "对方已回复"),
    "meeting": ("ended with a meeting", "已约会议"),
    "staff-wrote": ("ended when staff wrote themselves", "同事已自行去信"),
    "stage-change": ("ended with a change of stage", "阶段已变"),
    "hand-over": ("ended with a hand-over", "已交接"),
    "bounce": ("ended: the address bounces", "地址退信"),
    "unconfirmed": ("waits until a colleague has written to the contact", "同事还没有给对方写过信"),
    "opt-out": ("ended: the contact asked for no more", "对方已退订"),
    "project-closed": ("ended: the project is over", "项目已结束"),
    "rule-removed": ("ended: the rule was removed", "规则已删除"),
    "by-hand": ("was stopped by a colleague", "同事已停止"),
    "absence": ("is paused: the contact is away", "暂停：对方休假"),
    "complaint": ("is paused: a complaint is open", "暂停：投诉未解决"),
    "project-paused": ("is paused with the project", "暂停：项目已暂停"),
}
"""Reason → what to say of it, in English and in Chinese. `stopped-`, `paused-` and `ran-` are cut off before."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule's answer for one project. Times are aware, in the zone named beside them."""

    rule: str
    kind: str
    hit: bool
    reason: str
    detail: str
    sentence: str
    due_at: datetime | None
    due_client: str
    due_staff: str
    reader: str = ""
    """Who gets it at the client."""
    owner: str = ""
    """The colleague responsible."""

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "kind": self.kind,
            "hit": self.hit,
            "reason": self.reason,
            "sentence": self.sentence,
            "detail": self.detail,
            "due_at": self.due_at.isoformat() if self.due_at is not None else None,
            "due_client": self.due_client,
            "due_staff": self.due_staff,
            "reader": self.reader,
            "owner": self.owner,
        }


def explain(
    facts: ProjectFacts,
    runs: Sequence[CadenceRun],
    rulebook: Rulebook,
    calendars: Calendars,
    now: datetime,
    language: str = "en",
) -> list[Explanation]:
    """Every cadence and greeting and why, in one language: hits first, then what stands still, then what is not for it."""
    contact = contact_of(facts.client, facts.waited.contact_id) if facts.waited is not None else None
    client_zone = zone_of(facts.client, contact)
    owner = owner_of(facts)
    staff_zone = owner.timezone if owner is not None else calendars.agency_timezone
    people = (
        contact.name or contact.address if contact is not None else facts.client.name,
        owner.name if owner else "",
    )
    words = _words(rulebook, language)
    entries = [("cadence", entry) for entry in decide(facts, runs, rulebook, calendars, now).trace]
    entries += [("greeting", entry) for entry in decide_greetings(facts.client, rulebook, calendars, now).trace]
    started = {entry.rule for _, entry in entries if entry.reason == "started"}
    found = [
        _explained(kind, entry, (client_zone, staff_zone), people, words, language)
        for kind, entry in entries
        if not (entry.reason == "waiting" and entry.rule in started)  # said already, with the same time
    ]
    return sorted(found, key=lambda one: 0 if one.hit else 2 if one.reason == "no-match" else 1)


def _words(rulebook: Rulebook, language: str) -> Callable[[str], str]:
    """How details are put: as they are in English, or in Chinese with the agency's names of stages."""
    if not language.startswith("zh"):
        return str

    def stage_name(stage: str) -> str:
        rule = rulebook.stages.get(stage)
        return (rule.name.get(language) or rule.name.get("zh-Hans") or stage) if rule is not None else stage

    return lambda detail: chinese_detail(detail, stage_name)


def _explained(
    kind: str,
    entry: TraceEntry,
    zones: tuple[str, str],
    people: tuple[str, str],
    words: Callable[[str], str],
    language: str,
) -> Explanation:
    return Explanation(
        rule=entry.rule,
        kind=kind,
        hit=entry.hit,
        reason=entry.reason,
        detail=words(entry.detail),
        sentence=sentence_of(entry.reason, language),
        due_at=entry.due_at,
        due_client=in_zone(entry.due_at, zones[0]),
        due_staff=in_zone(entry.due_at, zones[1]),
        reader=people[0],
        owner=people[1],
    )


def sentence_of(reason: str, language: str) -> str:
    """What a reason means, in English or Chinese."""
    for prefix in ("stopped-", "paused-", "ran-"):
        if reason.startswith(prefix) and reason.removeprefix(prefix) in SENTENCES:
            reason = reason.removeprefix(prefix)
    if reason.startswith("ran-"):
        return "已对这封邮件运行过" if language.startswith("zh") else "has run on this message already"
    english, chinese = SENTENCES.get(reason, (reason.replace("-", " "), reason))
    return chinese if language.startswith("zh") else english


def in_zone(moment: datetime | None, zone: str) -> str:
    """`2026-02-24 10:00 Asia/Shanghai`, or the empty string."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}" if moment is not None else ""
