"""Readers are costly to load: one of each mode for the whole room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from assistant.model.reading import ContextItem, MailToRead
from assistant.understanding import load_reader
from assistant.understanding.reader import PipelineReader

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

WriteMail = Callable[..., MailToRead]


@pytest.fixture(scope="session")
def reader() -> PipelineReader:
    return load_reader("on")


@pytest.fixture(scope="session")
def plain_reader() -> PipelineReader:
    return load_reader("off")


@pytest.fixture(params=["encoder", "n-grams"])
def either_reader(
    request: pytest.FixtureRequest, reader: PipelineReader, plain_reader: PipelineReader
) -> PipelineReader:
    return reader if request.param == "encoder" else plain_reader


@pytest.fixture
def write() -> WriteMail:
    """A mail of a known client, received on a Monday, unless said otherwise."""

    def mail(text: str, subject: str = "", **about: object) -> MailToRead:
        values: dict[str, object] = {
            "language": "zh-Hans" if any("\u3400" <= letter <= "\u9fff" for letter in text) else "en",
            "direction": "inbound",
            "sent_at": MONDAY,
            "is_answer": False,
            "known_client": True,
            "timezone": "Asia/Shanghai",
        }
        values.update(about)
        return MailToRead(subject, text, **values)  # type: ignore[arg-type]  # each test writes what its mail needs

    return mail


def earlier(stage: str, direction: str = "outbound", *attachments: str, day: int = 1) -> ContextItem:
    """An earlier mail of the project that was surely read as `stage`."""
    return ContextItem(
        stage, ((stage, 0.94), ("unrelated", 0.06)), direction, datetime(2026, 2, day, tzinfo=UTC), attachments
    )


_WALK = ("discovery", "proposal", "agreement", "execution", "closing")
_DOCUMENTS = {
    "discovery": "需求确认表.docx",
    "proposal": "创意提案.pdf",
    "agreement": "合同_v2.docx",
    "execution": "样片_初剪.mp4",
    "closing": "结案报告.pdf",
}


def walk_to(stage: str) -> tuple[ContextItem, ...]:
    """A project's mail from its beginning up to `stage`: four mails of each stage over two weeks, a document with one."""
    found = []
    stages = _WALK[: _WALK.index(stage) + 1]
    begun = MONDAY - timedelta(days=14 * len(stages))
    for number, past in enumerate(stages):
        for place, side in enumerate(("inbound", "outbound", "inbound", "outbound")):
            probabilities = tuple((label, 0.7 if label == past else 0.06) for label in _WALK)
            sent_at = begun + timedelta(days=14 * number + 3 * place)
            files = (_DOCUMENTS[past],) if place == 1 else ()
            found.append(ContextItem(past, probabilities, side, sent_at, files))
    return tuple(found[-12:])
