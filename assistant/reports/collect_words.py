"""The few words that facts need beside what templates say, in the three languages of readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assistant.rendering.languages import normalise

Words = Mapping[str, tuple[str, str, str]]
"""id → zh-Hans, zh-Hant, en."""

_LANGUAGES: Final = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}

APPROVALS: Final[Words] = {
    "requirements": ("需求", "需求", "the requirements"),
    "proposal": ("方案", "提案", "the proposal"),
    "contract": ("合同", "合約", "the contract"),
    "change": ("变更", "變更", "the change"),
    "milestone": ("里程碑", "里程碑", "the milestone"),
    "deliverable": ("交付物", "交付物", "the deliverable"),
}
SIGN_OFF_MISSING: Final[Words] = {
    "requirements": ("需求还没有书面确认", "需求尚未書面確認", "The requirements were never confirmed in writing"),
    "proposal": ("方案还没有确认", "提案尚未確認", "The proposal was never approved"),
    "contract": ("合同还没有签回", "合約尚未簽回", "The signed contract is not on record"),
    "change": ("变更还没有确认", "變更尚未確認", "The change was never approved"),
    "milestone": ("里程碑还没有验收", "里程碑尚未驗收", "The milestone was never accepted"),
    "deliverable": ("交付物还没有验收", "交付物尚未驗收", "The deliverable was never accepted"),
}
ROLES: Final[Words] = {
    "account": ("客户经理", "客戶經理", "Account Manager"),
    "project": ("项目经理", "專案經理", "Project Manager"),
    "strategy": ("策略", "策略", "Strategist"),
    "creative": ("创意", "創意", "Creative"),
    "finance": ("财务", "財務", "Finance"),
    "director": ("总监", "總監", "Director"),
}
NOT_SENT: Final[Words] = {
    "reply": ("客户已回复", "客戶已回覆", "the client answered"),
    "meeting": ("已约定会议", "已約定會議", "a meeting was agreed"),
    "staff-wrote": ("同事已亲自联系", "同事已親自聯絡", "a colleague wrote in the meantime"),
    "stage-change": ("项目已进入另一阶段", "專案已進入另一階段", "the project moved to another stage"),
    "hand-over": ("已移交给他人", "已移交他人", "it was handed over"),
    "bounce": ("邮箱退信", "信箱退信", "the address bounces"),
    "opt-out": ("对方不希望再收到", "對方不希望再收到", "they asked not to be reminded"),
    "unconfirmed": ("同事还没有给对方写过信", "同事還沒有寫信給對方", "no colleague has written to them yet"),
    "not-waiting": ("已不再等对方回复", "已不再等對方回覆", "nothing is waited for any more"),
    "no-match": ("规则已不适用", "規則已不適用", "the rule no longer applies"),
    "project-closed": ("项目已结束", "專案已結束", "the project is closed"),
    "complaint": ("有问题尚未解决", "有問題尚未解決", "a problem is open"),
    "absence": ("对方休假", "對方休假", "they are away"),
    "vetoed": ("同事叫停", "同事叫停", "a colleague stopped it"),
    "refused": ("邮件服务器拒收", "郵件伺服器拒收", "the mail server refused it"),
    "bounced": ("邮件被退回", "郵件被退回", "the mail came back"),
}
LATE_STEP: Final = (
    "“{rule}”的一封跟进过了时间没有发出，请决定是否还要联系",
    "「{rule}」的一封跟進已過時間未寄出，請決定是否還要聯絡",
    'A follow-up of "{rule}" is too late to be sent unasked: decide whether to write now',
)

UNRELATED_WORDS: Final = ("与项目无关", "與專案無關", "not about a project")


def word(table: Words, key: str, language: str) -> str:
    """What `key` is called for a reader of `language`; `key` itself where the table does not know it."""
    forms = table.get(key)
    return forms[position(language)] if forms else key


def position(language: str) -> int:
    """Where the form for `language` stands in a triple; English for languages that are not ours."""
    return _LANGUAGES.get(normalise(language), 2)
