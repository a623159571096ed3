"""Out-of-office and other automatic answers, in Chinese and English, with or without headers that say so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from parsers.absence_dates import read_return_date
from parsers.tables import phrases, words
from parsers.types import Evidence

LONGEST_READ: Final = 6000


@dataclass(frozen=True, slots=True)
class AbsenceFacts:
    """`automatic`: subject or text alone prove an automatic answer. `absent`: it says that its writer is away.

    `returns_on` is the day its writer is back, where that is said; it is read from any text that speaks of an absence.
    """

    automatic: bool
    absent: bool
    returns_on: date | None
    evidence: tuple[Evidence, ...] = ()


_SUBJECT_AUTOMATIC: Final = re.compile(
    r"^\s*[\[【(（<*]{0,3}\s*(?:auto(?:matic|mated|mat)?[\s_-]*(?:reply|response|answer|generated reply|responder|notification of absence)|auto\s?re|autoreply|autoresponse|auto"
    r"|自动回[复覆]|自動回[覆復复]|自动答[复覆]|自動答覆|自动应答|自動回應|系统自动回复|假期自动回复|邮件自动回复|automatische antwort|automatisch antwoord|réponse automatique|respuesta automática|risposta automatica"
    r"|resposta automática|автоответ|自動応答|자동 ?회신|abwesenheitsnotiz|abwesenheit)\s*[\]】)）>*]{0,3}\s*(?:[:：\-—–]|re\b|回复|答复|$)",
    re.IGNORECASE,
)
_SUBJECT_ABSENT: Final = re.compile(
    r"^\s*[\[【(（]?\s*(?:i\s?am\s|i'm\s)?(?:(?:currently\s)?out[\s-]of[\s-](?:the[\s-])?office|ooo|oof|away from (?:the |my )?(?:office|desk|mail|e-?mail)|(?:on )?(?:vacation|holiday|annual leave|maternity leave|leave|sick leave|parental leave)"
    r"|absence|absent|out of (?:town|the country)|(?:人)?不在办公室|不在辦公室|外出|出差|休假|休假中|度假中?|年假|产假|请假|公出|外出公干|放假)"
    r"(?:\s?(?:(?:auto(?:matic|mated)?[\s-]?)?(?:reply|response|notice|notification|message|alert)|自动回[复覆]|通知|回复|中|期间))?\s*[\]】)）]?\s*(?:[:：\-—–(]|re\b|$)",
    re.IGNORECASE,
)
_SAYS_AUTOMATIC: Final = re.compile(
    r"\b(?:this|the following) (?:is|was) an? (?:auto(?:matic|mated|matically)?[\s-]?(?:generated )?)(?:reply|response|message|e-?mail|answer|acknowledge?ment)|\bautomat(?:ic|ed) (?:reply|response)\b(?! (?:feature|function|setting|tool|system|option|template|service|is|was|should|could|to your clients))"
    r"|\bthis (?:message|e-?mail|reply|response) (?:is|was|has been) (?:automatically|auto)[\s-]?(?:generated|sent)|\bauto[\s-]?(?:reply|response)\s*[:：]|^\s*auto[\s-]?reply\b"
    r"|(?:此|本|这|這|该)(?:邮件|郵件|封邮件|封郵件|封信|信件|信|电邮|電郵|消息)?(?:为|為|是|系|由)[^。\n，,]{0,12}自[动動](?:回[复覆復]|答[复覆]|发送|發送|发出|應答|应答)"
    r"|自[动動]回[复覆復](?:邮件|郵件|信件)?[，,。！!]?(?:请|請)(?:勿|不要)|[\[【(（]\s*(?:系统|邮箱|假期|休假|外出)?自[动動](?:回[复覆復]|答[复覆])\s*[\]】)）]|假期自[动動]回[复覆]|来自.{1,12}的自[动動]回[复覆]|^\s*自[动動](?:回[复覆復]|答[复覆])\s*(?:[:：]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_AWAY_NOW: Final = re.compile(
    r"\b(?:i am|i'm|i’m|we are|i will be|i'll be|currently)\s(?:currently |presently |now |away and |on the road and )?(?:out of (?:the )?(?:office|town|country)|out (?:on|for)\b|away (?:from|on|until|at|for)\b|on (?:\w+ )?(?:vacation|holidays?|leave|pto|sabbatical|a business trip|business travel)|travel(?:l)?ing|unavailable|not in the office|attending a)"
    r"|\bout of (?:the )?office (?:until|from|through|with|and|on|at the moment|today|this week|at present)|\boffice (?:is|will be) closed|\bi will not be (?:in|able to (?:respond|reply|access|check))"
    r"|(?:我|本人|我们|我們|目前|现在|現在|正在|正|已|将|將|公司|办公室|期间)[^。！？\n]{0,24}(?:休假|休息|年假|度假|外出|出差|请假|請假|放假|不在(?:办公室|辦公室|公司|线|線)|离开办公室|開會|培训|公干|差旅|产假|陪产假|婚假|病假|丧假|旅行)"
    r"|(?:休假|外出|出差|放假|春节|国庆|假期)(?:中|期间|期間)[^。\n]{0,20}(?:无法|不能|不便|暂|不定|未能|請|请)",
    re.IGNORECASE,
)
_AWAY_LATER: Final = re.compile(r"\b(?:will be|i'll be|going to be)\b", re.IGNORECASE)
_AIDS: Final = (
    re.compile(r"\b(?:limited|no|intermittent|without|irregular|sporadic|little|infrequent|restricted|not have)\b[^.\n]{0,30}\baccess\b|\bnot (?:be )?(?:checking|reading|monitoring|able to)\b[^.\n]{0,20}(?:mail|respond|reply|messages)|无法(?:及时|立即|即时|查看|回复|处理)|不能(?:及时|立即|即时)|無法(?:及時|即時|立即)|不便查", re.IGNORECASE),
    re.compile(r"\b(?:urgent|emergenc(?:y|ies)|immediate (?:assistance|attention|help|response)|urgently|pressing)\b|急事|紧急|緊急|要事|急需", re.IGNORECASE),
    re.compile(r"\b(?:upon|on|after|when|once|until|as soon as)\s(?:my |i |i'm |i am |we )?(?:return|back|get back|come back|returning|am back)\b|回来后|回來後|返回后|返回後|返岗后|回来之后|休假结束后|(?:尽快|儘快|盡快|第一时间)(?:给您|给你|与您|跟您|和您)?(?:回复|回覆|答复|联系|處理|处理)", re.IGNORECASE),
    re.compile(r"\b(?:thank you|thanks) for (?:your|the|contacting|writing|getting in touch|reaching out|e-?mailing)|您的(?:来信|邮件|来件|郵件|來信)(?:已|我)|(?:已|已经|已經)收到(?:您|你)的(?:邮件|来信|郵件|來信)|感谢(?:您的)?(?:来信|来件|邮件|您的)|謝謝您的(?:來信|郵件)", re.IGNORECASE),
    re.compile(r"\bplease (?:contact|call|e-?mail|reach|speak|get in touch|direct)\b|\bmy colleagues?\b|\bin my absence\b|请(?:直接)?(?:联系|致电|拨打|与|电话|电联|找)|請(?:聯繫|聯絡|致電|撥打)|电联|拨打", re.IGNORECASE),
)  # fmt: skip
_DENIES: Final = re.compile(
    r"自[动動]回[复覆](?:功能|设置|設定|的?(?:文案|模板|话术|系统|机制|内容|需求|规则|开关|怎么|机器人))|(?:设置|配置|开启|关闭|写|做|设计|加|測試|测试)(?:了|一下|一个|个)?(?:邮件|公众号|微信)?自[动動]回[复覆]"
)


_MAY_BE: Final = re.compile(
    r"auto|out.of|oof|ooo|away|leave|vacation|holiday|absen|自[动動]|外出|出差|假|不在|公出|応答|회신|автоответ",
    re.IGNORECASE,
)
_MENTIONS: Final = phrases(
    words(
        "auto out.of away.from away.on away.until on.leave leave vacation holiday travel unavailable attending not.in.the.office closed not.be 自动 自動 休假 外出 出差 假 不在 离开 培训 公干 旅行 開會"
    )
)


def _mentions(lowered: str) -> bool:
    """A quick look for any word that an absence is spoken of with; most mail has none."""
    return _MENTIONS.occur_in(lowered)


_PRESENT: Final = AbsenceFacts(automatic=False, absent=False, returns_on=None)


def read_absence(subject: str, text: str, sent_on: date | None) -> AbsenceFacts:
    """Reads subject and newly written text. Pure; days without a year are resolved relative to `sent_on`.

    A subject counts only where a client puts it (in front, closed by a colon or the end), and a text only with a plain
    statement that it is automatic, or with an absence now and at least two of what such texts go with: no access to mail,
    urgent matters, an answer on return, thanks for the mail, whom to contact. A person's "I will be out of office on
    Friday" has too little of it.
    """
    sample = text[:LONGEST_READ]
    if not _MAY_BE.search(subject) and not _mentions(sample.lower()):
        return _PRESENT
    evidence: list[Evidence] = []
    by_subject = _SUBJECT_AUTOMATIC.search(subject)
    away_subject = _SUBJECT_ABSENT.search(subject)
    away = _AWAY_NOW.search(sample)
    says = None if _DENIES.search(sample) else _SAYS_AUTOMATIC.search(sample)
    aids = sum(bool(aid.search(sample)) for aid in _AIDS)
    if by_subject and not _DENIES.search(subject):
        evidence.append(Evidence("subject-automatic", subject[:120]))
    if away_subject and _is_answer_subject(away_subject[0], aids, sample, says_so=bool(says)):
        evidence.append(Evidence("subject-absent", subject[:120]))
    if says:
        evidence.append(Evidence("says-automatic", says[0].strip()[:120]))
    later = bool(away and _AWAY_LATER.search(away[0]))
    if away and aids >= (3 if later else 2) and len(sample) < 2500:
        evidence.append(Evidence("away-with-signs", away[0][:120]))
    absent = bool(away or away_subject)
    returns_on = read_return_date(sample, sent_on) or (read_return_date(subject, sent_on) if absent else None)
    return AbsenceFacts(bool(evidence), absent, returns_on if absent or evidence else None, tuple(evidence))


def _is_answer_subject(opening: str, aids: int, text: str, *, says_so: bool) -> bool:
    """ "Out of office: Deck" is a client's doing; "Out of office" alone needs a text to match, for people write that too."""
    if says_so or opening.rstrip().endswith((":", "：")) or opening.lower().rstrip().endswith("re"):
        return True
    return aids >= (1 if "office" in opening.lower() else 2) or len(text.strip()) < 20
