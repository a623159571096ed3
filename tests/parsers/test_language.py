"""The language of a text, as people mix them."""

from __future__ import annotations

import pytest

from parsers.language import read_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("您好，方案已经收到，我们周五之前给意见。", "zh-Hans"),
        ("brief 收到了，KV 周五给，deadline 不变", "zh-Hans"),
        ("您好，企劃案我們已經收到，週五前會給意見。", "zh-Hant"),
        ("好", "zh-Hans"),
        ("Thanks, we will come back to you by Friday.", "en"),
        ("ok", "en"),
        ("Please see 报价单 attached, thanks a lot for the quick turnaround", "en"),
        ("Bonjour, nous avons bien reçu le dossier et nous vous répondrons dans la semaine", "unknown"),
        ("企画書を受け取りました。来週お返事します。", "unknown"),
        ("", "unknown"),
        ("12,000.00 👍", "unknown"),
        (
            "Dear all, please find the summary of our call below and confirm the three open points before Friday. 各位好，以下是会议纪要，请在周五之前确认三个未决事项，谢谢大家的配合与支持。",
            "mixed",
        ),
    ],
)
def test_the_language_is_told(text: str, language: str) -> None:
    assert read_language(text) == language
