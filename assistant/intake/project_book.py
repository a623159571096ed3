"""The records of the projects that a batch touches, read once: understanding and project state both need them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakSet

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.doubt import SET_BY_A_PERSON
from assistant.model.process import UNRELATED
from assistant.model.project_state import ProjectState, RecordFacts, derive
from assistant.model.reading import ContextItem
from assistant.store.remembering import parts_of
from assistant.store.tables import Project, Record, StageChange

_COLUMNS = (
    Record.project_id,
    Record.id,
    Record.message_id,
    Record.is_answer,
    Record.sent_at,
    Record.direction,
    Record.kind,
    Record.automatic,
    Record.stage,
    Record.stage_confidence,
    Record.stage_evidence,
    Record.waiting_on,
    Record.waiting_evidence,
    Record.intents,
    Record.text_probabilities,
    Record.stage_probabilities,
    Record.attachments,
)


StoredStep = tuple[str, int, float, bool]
"""Stage, record, how sure (four digits) and whether a person is to be asked: what tells a step from another."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a project: what moves the project, and what reading the next mail needs of it."""

    facts: RecordFacts
    item: ContextItem
    first_read: tuple[tuple[str, float], ...]
    """Stage probabilities as they were when it came, best first; what a person said, if somebody did."""

    def as_it_came(self) -> RecordFacts:
        """The facts before later mail said anything of it; a stray said nothing and waited for nobody."""
        if not self.first_read or self.first_read[0][0] == self.facts.stage:
            return self.facts
        stage, confidence = self.first_read[0]
        facts = replace(self.facts, stage=stage, stage_confidence=confidence)
        return replace(facts, intents=frozenset(), waiting_on="nobody") if stage == UNRELATED else facts


class ProjectBook:
    """Lives as long as one transaction; thrown away when a savepoint is rolled back."""

    def __init__(self) -> None:
        self._entries: dict[int, dict[int, Entry]] = {}
        self._steps: dict[int, list[StoredStep]] = {}
        self._added: dict[int, WeakSet[StageChange]] = {}
        self._noted: list[Record] = []
        self._as_it_came: dict[int, ProjectState | None] = {}
        self.grown: set[int] = set()
        """Projects that were given records in this transaction: later mail may tell something of earlier mail."""
        self.touched: dict[int, Project] = {}
        """Projects that were given records, and whose state has yet to be derived from them."""

    def expect(self, session: Session, project_ids: Iterable[int]) -> None:
        """Asks at once for the records and the stage history of these projects."""
        for part in parts_of(sorted(set(project_ids) - self._entries.keys())):
            self._entries.update((number, {}) for number in part)
            for number in part:
                self._as_it_came.pop(number, None)
            with session.no_autoflush:  # what is not written yet is known
                rows = session.execute(select(*_COLUMNS).where(Record.project_id.in_(part))).all()
            for row in rows:
                self._entries[row[0]][row[1]] = _entry(row[1:])
            for record in self._noted:
                project_id = record.project_id
                if project_id is not None and project_id in part and record.id not in self._entries[project_id]:
                    self._enter(record, project_id)
            self._expect_steps(session, [number for number in part if number not in self._steps])

    def _expect_steps(self, session: Session, project_ids: Sequence[int]) -> None:
        if not project_ids:
            return
        self._steps.update((number, []) for number in project_ids)
        changes = select(
            StageChange.project_id,
            StageChange.to_stage,
            StageChange.record_id,
            StageChange.confidence,
            StageChange.asked,
        )
        wanted = changes.where(StageChange.project_id.in_(project_ids)).order_by(StageChange.at, StageChange.id)
        with session.no_autoflush:
            for project_id, stage, record_id, confidence, asked in session.execute(wanted):
                self._steps[project_id].append((stage, record_id or 0, round(confidence, 4), asked))

    def begin(self, project_id: int) -> None:
        """A project that was opened just now: nothing is stored of it."""
        self._entries[project_id], self._steps[project_id] = {}, []
        self._as_it_came.pop(project_id, None)

    def entries(self, session: Session, project_id: int) -> Collection[Entry]:
        """All records of the project, in no particular order."""
        if project_id not in self._entries:
            self.expect(session, [project_id])
        return self._entries[project_id].values()

    def state_as_mail_came(self, session: Session, project_id: int) -> ProjectState | None:
        """Where the project stands by how each mail was read when it came, whatever looking back made of it since."""
        entries = self.entries(session, project_id)
        if project_id not in self._as_it_came:
            self._as_it_came[project_id] = derive(entry.as_it_came() for entry in entries)
        return self._as_it_came[project_id]

    def steps(self, session: Session, project_id: int) -> list[StoredStep]:
        """The stage steps that are stored, oldest first."""
        if project_id not in self._steps:
            self._expect_steps(session, [project_id])
        return self._steps[project_id]

    def store_steps(self, project_id: int, steps: Sequence[StoredStep], added: Sequence[StageChange]) -> None:
        """These are stored now; `added` are the rows that were added for them."""
        self._steps[project_id] = list(steps)
        self._added.setdefault(project_id, WeakSet()).update(added)

    def added_steps(self, project_id: int) -> Iterable[StageChange]:
        """The rows of steps that were added, as far as the session still holds them: those it has yet to write."""
        return list(self._added.pop(project_id, ()))

    def forget(self, project_id: int) -> None:
        """The project was given records of a thread that joined it."""
        self._entries.pop(project_id, None)

    def add(self, record: Record) -> None:
        """A record that is new in its project."""
        self._noted.append(record)
        if record.project_id is not None and record.project_id in self._entries:
            self._enter(record, record.project_id)

    def _enter(self, record: Record, project_id: int) -> None:
        values = [getattr(record, column.key) for column in _COLUMNS[1:]]
        self._entries[project_id][record.id] = _entry(values)
        self._as_it_came.pop(project_id, None)

    def touch(self, project: Project) -> None:
        """Its state has to be derived anew before anybody looks."""
        self.touched[project.id] = project
        self.grown.add(project.id)


def _entry(row: Sequence[Any]) -> Entry:
    number, message_id, is_answer, sent_at, direction, kind, automatic, stage, confidence, evidence = row[:10]
    waiting_on, waiting_evidence, intents, words, stages, attachments = row[10:]
    facts = RecordFacts(
        number,
        sent_at,
        direction,
        kind,
        automatic,
        stage,
        confidence,
        evidence,
        waiting_on,
        waiting_evidence,
        frozenset(item[0] for item in intents),
        (is_answer, message_id),
    )
    # What the words alone said of an earlier mail; where a person said it, that.
    probabilities = stages if evidence == SET_BY_A_PERSON or not words else words
    first_read = tuple((label, value) for label, value in stages)
    item = ContextItem(
        # Reading depends on how earlier mail was read when it came, never on what later mail made of it.
        first_read[0][0] if first_read else stage,
        tuple((label, value) for label, value in probabilities),
        direction,
        sent_at,
        tuple(item[0] for item in attachments),
    )
    return Entry(facts, item, first_read)
