"""Does somebody ask to be left alone? And with what: this thread, follow-ups, greetings, or everything."""

from __future__ import annotations

import re

from assistant.model.cadence import OptOutScope

_LONGEST_REQUEST = 160
"""Longer text that merely mentions the words is a mail about something else."""

_POLITE = r"([\s,，]*(please|thanks|thank you|谢谢|謝謝|多谢|多謝))?"
_ALL = re.compile(
    r"^\W*(please\s+)?(unsubscribe( me)?|退订|取消订阅|取消訂閱|(请|請)?不要再(给|給)?我?(发|發)(邮件|郵件|信)|"
    r"remove me( from .{0,30})?|do not (email|contact) me( again)?)" + _POLITE + r"\W*$",
    re.IGNORECASE,
)
_GREETINGS = re.compile(
    r"(不用|不必|(请|請)?(停止|不要)再?)(发|發|收)?.{0,6}(祝福|节日问候|節日問候|贺卡|賀卡|问候邮件|問候郵件)|stop .{0,12}greetings|no (more )?greetings",
    re.IGNORECASE,
)
_FOLLOW_UPS = re.compile(
    r"^\W*((请|請|麻烦|麻煩)?(你们|你們|您)?停止(全部|所有)?(的)?(提醒|跟(进|進)|催促)|(不用|不要|別|别)再?(提醒|催)(我)?(了)?|stop(\s+(the\s+)?(reminders?|reminding me|follow(ing)?[- ]?ups?))?)"
    + _POLITE
    + r"\W*$",
    re.IGNORECASE,
)
_THIS_THREAD = re.compile(
    r"(这件事|這件事|这封|這封|本邮件|此邮件|这个项目|這個專案|this (thread|project|one|topic))", re.IGNORECASE
)


def read_opt_out(reply: str) -> tuple[OptOutScope, str] | None:
    """The scope and the sentence that shows it, or None. Only a short mail that says little else counts."""
    text = reply.strip()
    if not text or len(text) > _LONGEST_REQUEST:
        return None
    for sentence in re.split(r"[\n。！!；;.]+", text):
        sentence = sentence.strip()
        if not sentence:
            continue
        if _ALL.match(sentence):
            return "all", sentence
        if _GREETINGS.search(sentence):
            return "greetings", sentence
        if _FOLLOW_UPS.match(_THIS_THREAD.sub("", sentence)):
            return ("thread" if _THIS_THREAD.search(text) else "follow-ups"), sentence
    return None
