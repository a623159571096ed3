"""Subjects: takes reply and forward prefixes of every language and the tags of gateways and lists off both ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parsers.tables import words

LONGEST_SUBJECT = 2000
"""A subject is looked at no further than this; what is longer is cut, for it is not a subject."""

_REPLY_WORDS = words("""
re aw antw antwort antwoord sv svar odp vs vast rif res resp respuesta rép réponse reponse ynt yan cevap vá válasz atb odpověď
odpoveď răsp răspuns bls balas απ απάντηση σχετ ответ отв השב תגובה رد reply re回复
回复 答复 答覆 回覆 答復 回復 回信 返信 답장 회신 回复全部 自动回复 自動回覆 自动答复 自動答覆 自動回復 automatic.reply auto.reply autoreply
trả.lời automatische.antwort respuesta.automática réponse.automatique risposta.automatica
""")
_FORWARD_WORDS = words("""
fw fwd wg weitergeleitet doorst doorgestuurd vb vl vidarebefordrat videresendt pd przesłane inoltro inoltra enc encaminhado rv reenv reenviado
tr trs transféré ilt ilet továbbítás přep chuyển chuyển.tiếp πρθ пересл forward forwarded fwd回复
转发 轉發 轉寄 转寄 轉送 转送 转发邮件 転送 전달
""")
_ONE_LETTER = {"R": "reply", "I": "forward", "A": "reply", "D": "reply"}
"""Italian and Danish clients use one capital letter; in lower case it is the start of a sentence."""


def _alternatives(prefixes: tuple[str, ...]) -> str:
    return "|".join(
        re.escape(prefix).replace(r"\ ", r"[\s-]") for prefix in sorted(set(prefixes), key=len, reverse=True)
    )


_PREFIX = re.compile(
    rf"(?:(?P<reply>{_alternatives(_REPLY_WORDS)})|(?P<forward>{_alternatives(_FORWARD_WORDS)}))"
    r"\s?(?:[\[(（【^*]?\d{1,3}[\])）】]?)?\s*(?:[:：﹕︰∶]|꞉)",
    re.IGNORECASE,
)
_LETTER = re.compile(r"(?P<letter>[RIAD])\s?[:：]\s")
_GATEWAY_WORDS = re.compile(
    r"^[\s*_!~-]*(?:external(?:[\s_-]+(?:e-?mail|mail|sender|message|source))?|ext|extern(?:e|al)?|outside|outsider|untrusted(?:[\s_-]sender)?"
    r"|caution|warning|secure|encrypt(?:ed)?|(?:suspected|possible|probable|likely)?[\s_-]*(?:spam|phish(?:ing)?|junk)|bulk|newsletter|unverified"
    r"|外部(?:邮件|郵件|来信|來信|发件人|寄件者|邮箱|电邮|電郵)?|外来(?:邮件)?|外來(?:郵件)?|来自外部(?:邮件|的邮件)?|來自外部(?:郵件)?|外网邮件|外域邮件|非(?:内部|本公司|公司内部|本域)邮件"
    r"|互联网邮件|公网邮件|(?:疑似|可疑|可能的?)?(?:垃圾|钓鱼|广告|可疑|病毒|欺诈|仿冒|訂閱|订阅)(?:邮件|郵件|信件)?|加密(?:邮件|郵件)?|代发|群发"
    r"|[^\]】]{0,6}(?:邮件|郵件)由.{1,80}(?:代发|代發|代为发送)|(?:请|請)?(?:注意|谨慎|小心)[，,：:\s].{0,60}(?:外部|代发|代發|钓鱼|陌生).{0,40}|陌生(?:人|发件人)?(?:邮件|来信)?)"
    r"[\s*_!~-]*$",
    re.IGNORECASE,
)
_BRACKETED_FRONT = re.compile(
    r"(?:\[([^\[\]]{1,120})\]|【([^【】]{1,120})】|［([^［］]{1,120})］|\{([^{}]{1,60})\}|〔([^〔〕]{1,60})〕)\s*"
)
_BRACKETED_BACK = re.compile(
    r"\s*(?:\[([^\[\]]{1,120})\]|【([^【】]{1,120})】|［([^［］]{1,120})］|[(（]([^()（）]{1,120})[)）]|\{([^{}]{1,60})\})$"
)
_BARE_TAG = re.compile(
    r"(\*{2,5}\s?(?:spam|external|ext|外部邮件)\s?\*{2,5}|(?:external|ext)(?:\s?e?mail)?\s?[:：])\s*", re.IGNORECASE
)
_LIST_NAME = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:[-_.+:][A-Za-z0-9]+)+$|[a-z][a-z0-9]{1,23}$|[A-Z]?[a-z]+[A-Z][A-Za-z]+$"
)
_OWN_WORDS = frozenset(
    words(
        "urgent draft final update updated reminder important todo request action info new question help bug feature rfc test invoice quote offer"
    )
)
"""Words in square brackets that people write themselves; they are part of the subject, not a list's name."""
_BLANK = " \t\r\n\u00a0\u3000\u2003\u2002\u200b\ufeff"


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """`base` is the subject without prefixes and tags, as written; `tags` are the gateway and list tags taken off."""

    base: str
    is_reply: bool
    is_forward: bool
    tags: tuple[str, ...]


def read_subject(subject: str) -> SubjectFacts:
    """Reads one decoded subject. `is_reply` and `is_forward` say whether any prefix of that sort stood in the stack.

    A tag counts only if it is a gateway's (external, spam, sent on behalf) or has the form of a list's name; 【…】 that
    people write themselves stay in `base`.
    """
    rest = " ".join(subject[:LONGEST_SUBJECT].replace("&nbsp;", " ").split()).strip(_BLANK)
    reply = forward = False
    tags: list[str] = []
    while rest:
        prefix = _PREFIX.match(rest) or _LETTER.match(rest)
        if prefix:
            groups = prefix.groupdict()
            letter = _ONE_LETTER.get(groups.get("letter") or "", "")
            reply = reply or bool(groups.get("reply")) or letter == "reply"
            forward = forward or bool(groups.get("forward")) or letter == "forward"
            rest = rest[prefix.end() :].strip(_BLANK)
            continue
        taken = _tag_in_front(rest)
        if not taken:
            break
        tags.append(taken[0])
        rest = taken[1].strip(_BLANK)
    while rest:
        behind = _BRACKETED_BACK.search(rest[-130:])
        if not behind:
            break
        tag = _inside(behind)
        if tag.lower() in ("fwd", "fw"):
            forward = True
        elif _GATEWAY_WORDS.match(tag):
            tags.append(tag)
        else:
            break
        rest = rest[: len(rest) - len(behind.group(0))].strip(_BLANK)
    return SubjectFacts(rest, reply, forward, tuple(tags))


def _inside(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None).strip(_BLANK)


def _tag_in_front(rest: str) -> tuple[str, str] | None:
    bare = _BARE_TAG.match(rest)
    if bare:
        return bare.group(1).strip(_BLANK + ":："), rest[bare.end() :]
    bracketed = _BRACKETED_FRONT.match(rest)
    if not bracketed or bracketed.end() == len(rest):
        return None
    tag = _inside(bracketed)
    is_list = bracketed.group(1) is not None and _LIST_NAME.match(tag) and tag.lower() not in _OWN_WORDS
    return (tag, rest[bracketed.end() :]) if is_list or _GATEWAY_WORDS.match(tag) else None
