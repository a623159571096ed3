"""Corrections that people made, out of the database: for the memory at once, for a refit as examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.model.process import APPROVALS, INTENTS, STAGE_LABELS, WAITING_ON
from assistant.model.reading import TextToRead
from assistant.store.tables import Correction, Record
from assistant.understanding.corpus import Corpus, Example
from assistant.understanding.memory import SHORTEST, Corrected

_TEACHING = frozenset({"stage", "intents", "intent", "approval", "waiting_on"})
"""Fields of which the words can be learned; client and project are matters of people and threads."""

_WEIGHT = 2.0
"""A correction comes from the very clients that are read next: it counts as two examples."""


def newest_correction(session: Session) -> int:
    """The id of the correction that was stored last; 0 where there is none."""
    return session.scalar(select(func.max(Correction.id))) or 0


def newest_lesson(session: Session) -> int:
    """The id of the last correction that a refit can learn from; 0 where there is none."""
    return session.scalar(select(func.max(Correction.id)).where(Correction.field.in_(_TEACHING))) or 0


def corrections_in(session: Session, after: int = 0) -> tuple[tuple[Corrected, Record], ...]:
    """Corrected messages with their records, oldest correction first; of one field the latest word counts.

    With `after` only messages that were corrected again since the correction of that id.
    """
    said: dict[str, dict[str, str]] = {}
    wanted = select(Correction).order_by(Correction.at, Correction.id)
    if after:
        wanted = wanted.where(Correction.message_id.in_(select(Correction.message_id).where(Correction.id > after)))
    for row in session.scalars(wanted):
        said.setdefault(row.message_id, {})[row.field] = row.value
    found = []
    for message_id, fields in said.items():
        record = session.scalar(select(Record).where(Record.message_id == message_id).order_by(Record.id).limit(1))
        if record is not None and _TEACHING & fields.keys():
            found.append((_corrected(record, fields), record))
    return tuple(found)


def _corrected(record: Record, fields: dict[str, str]) -> Corrected:
    intents = fields.get("intents", fields.get("intent"))
    approval = fields.get("approval")
    stage, waiting = fields.get("stage", ""), fields.get("waiting_on", "")
    return Corrected(
        message_id=record.message_id,
        text=TextToRead(record.base_subject or record.subject, record.reply_text, record.language),
        direction=record.direction,
        sent_at=record.sent_at,
        stage=stage if stage in STAGE_LABELS else "",
        intents=None if intents is None else frozenset(_words(intents)) & frozenset(INTENTS),
        approval=approval if approval is None or approval in APPROVALS else "",
        waiting_on=waiting if waiting in WAITING_ON else "",
        is_answer=record.is_answer,
        attachments=tuple(item[0] for item in record.attachments),
        client=str(record.client_id or record.originator),
    )


def _words(text: str) -> Iterable[str]:
    return (
        word for word in text.replace("[", " ").replace("]", " ").replace('"', " ").replace(",", " ").split() if word
    )


def examples_from(session: Session) -> tuple[Example, ...]:
    """The corrected messages as examples. What nobody touched keeps the label it was read with."""
    found = []
    for correction, record in corrections_in(session):
        example = Example(
            id=f"correction/{correction.message_id}",
            project="",
            group=f"corrected/{correction.client}",
            language="zh" if record.language.startswith("zh") else "en",
            subject=correction.text.subject,
            text=correction.text.text,
            direction=correction.direction,
            sent_at=correction.sent_at,
            is_answer=correction.is_answer,
            attachments=correction.attachments,
            stage=correction.stage or record.stage,
            intents=frozenset(item[0] for item in record.intents) if correction.intents is None else correction.intents,
            approval=record.approval if correction.approval is None else correction.approval,
            waiting_on=correction.waiting_on or record.waiting_on,
            weight=_WEIGHT,
        )
        enough = sum(map(str.isalnum, example.text)) >= SHORTEST
        if enough and example.stage in STAGE_LABELS and example.waiting_on in WAITING_ON:
            found.append(example)
    return tuple(found)


def without_corrections(corpus: Corpus) -> Corpus:
    """The seed alone. Corrected mail stays in the database, so that what is erased there is nowhere else."""
    return Corpus(
        tuple(project for project in corpus.projects if not any(map(is_correction, project))),
        tuple(example for example in corpus.strays if not is_correction(example)),
    )


def is_correction(example: Example) -> bool:
    return example.id.startswith("correction/")


def with_examples(corpus: Corpus, examples: tuple[Example, ...]) -> Corpus:
    """The corpus and the corrected messages, each as a project of one mail; an older word on the same mail is dropped."""
    ids = {example.id for example in examples}
    strays = tuple(example for example in corpus.strays if example.id not in ids)
    projects = tuple(project for project in corpus.projects if not any(example.id in ids for example in project))
    unrelated = tuple(replace(example, sort="corrected") for example in examples if example.stage == "unrelated")
    others = tuple((replace(example, project=example.id),) for example in examples if example.stage != "unrelated")
    return Corpus((*projects, *others), (*strays, *unrelated))
