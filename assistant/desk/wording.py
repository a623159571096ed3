"""The short mails in which the desk says why it did not do something, in the colleague's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from assistant.model.cadence import StaffFacts
from assistant.rendering import Rendered
from assistant.rendering.staff_mail import StaffMail

_SUBJECT: Final = {
    "zh-Hans": "您的回复没有执行",
    "zh-Hant": "您的回覆沒有執行",
    "en": "Your reply was not carried out",
}
_PARTLY: Final = {"zh-Hans": "有的邮件已来不及处理", "zh-Hant": "有的郵件已來不及處理", "en": "Too late for some mails"}
_REASONS: Final = {
    "no-proof": {
        "zh-Hans": "无法确认这封回复真的由您发出（邮件服务器没有给出身份验证结果），所以没有照办。请改用命令行：\n  assistant outbox veto 编号\n  assistant outbox approve 编号",
        "zh-Hant": "無法確認這封回覆真的由您寄出（郵件伺服器沒有給出身分驗證結果），所以沒有照辦。請改用命令列：\n  assistant outbox veto 編號\n  assistant outbox approve 編號",
        "en": "Nothing proves that this reply came from you (the mail server gave no verdict on its sender), so nothing was done. Please use the command line:\n  assistant outbox veto NUMBER\n  assistant outbox approve NUMBER",
    },
    "not-understood": {
        "zh-Hans": "没有看懂要做什么，什么都没有改变。请每行只写一句：停止 17、停止全部，或 同意 17。",
        "zh-Hant": "沒有看懂要做什麼，什麼都沒有改變。請每行只寫一句：停止 17、停止全部，或 同意 17。",
        "en": "It is not clear what to do, so nothing was changed. Please write one order a line: stop 17, stop all, or approve 17.",
    },
    "which": {
        "zh-Hans": "那封邮件列出了好几封，不知道指哪一封，什么都没有改变。请写编号（{numbers}）或“全部”。",
        "zh-Hant": "那封郵件列出了好幾封，不知道指哪一封，什麼都沒有改變。請寫編號（{numbers}）或「全部」。",
        "en": "Several mails were listed and it is not clear which one is meant, so nothing was changed. Please give the number ({numbers}) or write all.",
    },
    "not-in-digest": {
        "zh-Hans": "您回复的那封邮件里没有编号 {numbers}，什么都没有改变。",
        "zh-Hant": "您回覆的那封郵件裡沒有編號 {numbers}，什麼都沒有改變。",
        "en": "The mail you replied to does not list {numbers}, so nothing was changed.",
    },
    "too-late": {
        "zh-Hans": "编号 {numbers} 已经发出或已有决定，没有再改变；其余的已照办。",
        "zh-Hant": "編號 {numbers} 已經寄出或已有決定，沒有再改變；其餘的已照辦。",
        "en": "{numbers} had left or had been decided already and stays as it is; the rest was done.",
    },
}


def refusal_mail(person: StaffFacts, record_id: int, why: str, numbers: Sequence[int], now: datetime) -> StaffMail:
    """The notice to the sender of a reply: one for each reply, whatever is asked again."""
    language = person.language if person.language in _SUBJECT else "en"
    listed = (", " if language == "en" else "、").join(str(number) for number in numbers)
    subject = (_PARTLY if why == "too-late" else _SUBJECT)[language]
    text = f"{person.name}\n\n{_REASONS[why][language].format(numbers=listed)}\n"
    return StaffMail(
        to_name=person.name,
        to_address=person.address,
        purpose="notice",
        dedupe_key=f"notice:reply:{record_id}",
        due_at=now,
        rendered=Rendered(subject, text, None, language),
    )
