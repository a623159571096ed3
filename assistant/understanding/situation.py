"""What surrounds a mail, as numbers: the project's earlier mail as it was read, direction, time, documents, thread."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from assistant.model.process import STAGE_LABELS
from assistant.model.reading import ContextItem, MailToRead
from assistant.understanding.arrays import Floats
from assistant.understanding.normal import normalise

LABELS: Final = len(STAGE_LABELS)
HISTORY: Final = 12
"""So many earlier messages are looked at."""

CONTEXT_VERSION: Final = 2
"""Counts up when the features of `context`, `situation`, `before` or of looking back change their meaning or number."""

_DECAY = 0.6
_FADING = 0.75
_FLOOR = 1e-3
_PLACE = {label: number for number, label in enumerate(STAGE_LABELS)}

DOCUMENTS: Final[dict[str, re.Pattern[str]]] = {
    "requirement": re.compile(r"需求|brief|简报|requirement|问卷|questionnaire|onboarding|client.?profile"),
    "nda": re.compile(r"nda|保密|non.?disclosure"),
    "proposal": re.compile(
        r"提案|方案|proposal|deck|concept|pitch|strategy|创意|策略|思路|routes?|treatment|纪要|minutes"
    ),
    "revised": re.compile(
        r"[_ -]?(?:v|r|rev)[._ -]?[2-9]\b|[二三四]版|[二三四]稿|调整|修改|修订|revis|amend|updated|take.?2|redline|b案"
    ),
    "closing_bill": re.compile(
        r"尾款|结算|末款|核销|schluss|final.?inv|balance|closing.?stat|closing.?inv|credit.?note"
    ),
    "money_in": re.compile(r"定金|首款|预付|deposit|upfront|advance|po[_ -]?\d|purchase.?order|采购单"),
    "change_form": re.compile(r"变更|增补|追加|change.?(?:request|order|note)|variation|addendum"),
    "signed": re.compile(r"双签|签字|已签|signed|盖章|executed|countersigned|_签"),
    "estimate": re.compile(r"报价|估价|estimate|quot|cost|预算|budget|fee|rate.?card"),
    "contract": re.compile(r"合同|协议|contract|agreement|sow|terms|signed|签|盖章|countersign|msa"),
    "invoice": re.compile(r"发票|invoice|inv[-_ \d]|付款|请款|回单|remittance|payment|receipt|水单"),
    "plan": re.compile(r"排期|计划|schedule|timeline|plan|甘特|gantt|call.?sheet|通告|分工|流程"),
    "draft": re.compile(
        r"初稿|样|稿|cut|draft|artwork|kv|proof|layout|分镜|storyboard|脚本|script|wireframe|mock|\.mp4|\.psd|\.ai$|_v\d|v\d"
    ),
    "report": re.compile(r"周报|日报|进度|status|weekly|progress|数据|tracker|report"),
    "summary": re.compile(
        r"总结|结案|复盘|summary|wrap|results|final.?report|满意度|survey|评价|closing|post.?campaign|evaluation"
    ),
    "final": re.compile(r"终稿|定稿|交付|final|master|验收|handover|源文件|acceptance|package|archive|归档"),
}
"""What a file name says the file is. Of several, all count."""

SITUATION: Final = (
    "outbound", "internal", "answer", "automatic", "attached", "files", "stranger", "no_history", "days",
    *(f"attached_{name}" for name in DOCUMENTS),
)  # fmt: skip


BEFORE: Final = 2 + len(DOCUMENTS) + LABELS


@lru_cache(maxsize=1024)
def _documents(names: tuple[str, ...]) -> Floats:
    joined = [normalise(name) for name in names]
    found = np.array([float(any(map(pattern.search, joined))) for pattern in DOCUMENTS.values()], np.float32)
    found.flags.writeable = False
    return found


def documents(names: Sequence[str]) -> Floats:
    """1 for each kind of document among the first twenty file names, in the order of `DOCUMENTS`; not to be written to."""
    return _documents(tuple(names[:20]))


def probabilities_of(item: ContextItem) -> Floats:
    """An earlier mail's probabilities in the order of `STAGE_LABELS`; its label alone where there are none."""
    found = np.full(LABELS, _FLOOR, np.float32)
    for label, value in item.stage_probabilities:
        if label in _PLACE:
            found[_PLACE[label]] += value
    if not item.stage_probabilities and item.stage in _PLACE:
        found[_PLACE[item.stage]] = 1.0
    result: Floats = found / found.sum()
    return result


def situation(mail: MailToRead) -> Floats:
    """What is known of one mail without its words and without what the project's earlier mail said."""
    last = mail.history[-1].sent_at if mail.history else None
    days = max(0.0, (mail.sent_at - last).total_seconds() / 86400.0) if last else 0.0
    return np.concatenate(
        [
            np.array(
                [
                    float(mail.direction == "outbound"),
                    float(mail.direction == "internal"),
                    float(mail.is_answer),
                    float(mail.automatic),
                    float(bool(mail.attachments)),
                    math.log1p(len(mail.attachments)),
                    float(not mail.known_client and not mail.history),
                    float(not mail.history),
                    math.log1p(days) / 3.0,
                ],
                np.float32,
            ),
            documents(mail.attachments),
        ]
    )


def before(mail: MailToRead) -> Floats:
    """What the mail answers to: who wrote last, which documents came with it, and what its words spoke of."""
    if not mail.history:
        return np.zeros(BEFORE, np.float32)
    last = mail.history[-1]
    sides = np.array([float(last.direction == "outbound"), float(last.direction == mail.direction)], np.float32)
    return np.concatenate([sides, documents(last.attachments), probabilities_of(last)]).astype(np.float32)


def context(mail: MailToRead, words: Floats, hints: Floats, transitions: Floats) -> Floats:
    """The second step's features. `words`: the text's stage probabilities, shape (7,); `transitions`: (7, 7), rows from.

    `hints`: what the words alone say of intents, sign-off and who acts next, shape (25,).
    """
    history = mail.history[-HISTORY:]
    past = [probabilities_of(item) for item in history]
    blank = np.zeros(LABELS, np.float32)
    decayed: Floats = blank
    running: Floats = blank
    filtered = _start()
    for probabilities in past:
        decayed = (_DECAY * decayed + (1 - _DECAY) * probabilities).astype(np.float32)
        running = (running + probabilities / len(past)).astype(np.float32)
        filtered = _step(filtered, transitions, probabilities)
    now = _step(filtered, transitions, words)
    seen = np.max([documents(item.attachments) for item in history], axis=0) if history else np.zeros(len(DOCUMENTS))
    fresh = np.zeros(len(DOCUMENTS), np.float32)
    for item in history:
        fresh = np.maximum(_FADING * fresh, documents(item.attachments)).astype(np.float32)
    count = len(history)
    begun = (mail.sent_at - history[0].sent_at).total_seconds() / 86400.0 if history else 0.0
    parts = [
        np.log(np.maximum(words, _FLOOR)),
        words,
        past[-1] if past else blank,
        past[-2] if len(past) > 1 else blank,
        decayed,
        running,
        np.log(np.maximum(now, _FLOOR)),
        now,
        filtered if past else blank,
        situation(mail),
        np.array(
            [
                float(count == 1),
                float(2 <= count <= 3),
                float(count >= HISTORY),
                math.log1p(max(0.0, begun)) / 5.0,
                float(bool(history) and history[-1].direction == mail.direction),
            ]
        ),
        seen,
        documents(history[-1].attachments) if history else np.zeros(len(DOCUMENTS)),
        fresh,
        hints,
    ]
    return np.concatenate(parts).astype(np.float32)


def _start() -> Floats:
    """Where a project is before its first mail: mostly at the beginning, often with a client who comes back."""
    return np.array([0.6, 0.12, 0.05, 0.09, 0.04, 0.05, 0.05], np.float32)


def _step(belief: Floats, transitions: Floats, likelihood: Floats) -> Floats:
    moved = belief @ transitions
    # `unrelated` is a property of one mail, not a place where a project can be.
    joint = moved * np.maximum(likelihood, 0.02)
    result: Floats = (joint / joint.sum()).astype(np.float32)
    return result
